//! Calling a model: resolve, send over a pooled connection, try again elsewhere within a deadline and a budget.
//!
//! Neighbours: [`crate::resolver`] knows the endpoints, [`crate::retry`] decides about another try, [`crate::cache`]
//! keeps good answers. What it leaves to others: what an answer means, and rendering the counts.

mod encode;
mod error;
mod metrics;
#[cfg(test)]
mod tests;
mod transport;

pub use encode::{Arguments, Error as EncodeError};
pub use error::{At, Error, Outcome};
pub use metrics::{Labels, SECONDS, Snapshot};
pub use transport::Policy as ConnectionPolicy;

#[cfg(feature = "cache")]
use crate::cache::{self, Cache};
use crate::discovery::Version;
use crate::model::{ModelId, ModelName, ModelVersion};
use crate::resolver::{Resolved, Resolver};
use crate::retry::{self, Budget, Next, Tries};
use bytes::Bytes;
use metrics::Metrics;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use transport::{Failed, Transport};

/// Knobs of calling.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Longest time of a whole call that names none, tries again included. Default 10 s.
    pub deadline: Duration,
    /// Connections.
    pub connection: transport::Policy,
    /// Tries again.
    pub retry: retry::Policy,
    /// Answers kept.
    #[cfg(feature = "cache")]
    pub cache: cache::Policy,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            deadline: Duration::from_secs(10),
            connection: transport::Policy::default(),
            retry: retry::Policy::default(),
            #[cfg(feature = "cache")]
            cache: cache::Policy::off(),
        }
    }
}

/// What to call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The model.
    pub name: ModelName,
    /// Its version; none: the current one.
    pub version: Option<ModelVersion>,
    /// One instance and no other (the cache is passed by); none: any.
    pub instance: Option<String>,
    /// Base url of the endpoint to try first, whatever its health, as long as it is registered under the version; none: any.
    pub first: Option<String>,
    /// The function; none: `apply`. The endpoint's map translates it to a path; one that is not in the map is the path.
    pub function: Option<String>,
    /// What to send.
    pub arguments: Arguments,
    /// Longest time of the whole call; none: the policy's.
    pub deadline: Option<Duration>,
}

impl Call {
    /// A call of the current version's `apply` without arguments.
    pub fn new(name: ModelName) -> Call {
        Call {
            name,
            version: None,
            instance: None,
            first: None,
            function: None,
            arguments: Arguments::default(),
            deadline: None,
        }
    }
}

/// A model's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The body as it came.
    pub body: Bytes,
    /// The same as JSON object.
    pub value: Arc<Map<String, Value>>,
    /// Which version of which model answered.
    pub model: ModelId,
    /// Which instance.
    pub instance: Arc<str>,
    /// Its base url.
    pub url: Arc<str>,
    /// With which status.
    pub status: u16,
    /// How long the call took, tries again included.
    pub latency: Duration,
    /// Whether it came from the cache.
    pub cached: bool,
    /// How many tries it took; 0 when it came from the cache.
    pub tries: u32,
}

struct Inner {
    resolver: Resolver,
    policy: Policy,
    transport: Transport,
    budget: Budget,
    metrics: Metrics,
    #[cfg(feature = "cache")]
    cache: Cache,
}

/// Calls models. Clones share connections, budget, cache and counts.
#[derive(Clone)]
pub struct Caller {
    inner: Arc<Inner>,
}

impl Caller {
    /// A caller over a resolver. Fails only when the system's certificates can't be read (feature `tls`).
    pub fn new(resolver: Resolver, policy: Policy) -> Result<Caller, std::io::Error> {
        Ok(Caller {
            inner: Arc::new(Inner {
                resolver,
                transport: Transport::new(&policy.connection)?,
                budget: Budget::new(&policy.retry),
                metrics: Metrics::default(),
                #[cfg(feature = "cache")]
                cache: Cache::new(&policy.cache),
                policy,
            }),
        })
    }

    /// The resolver it stands on.
    pub fn resolver(&self) -> &Resolver {
        &self.inner.resolver
    }

    /// All counts at this moment.
    pub fn metrics(&self) -> Snapshot {
        self.inner.metrics.snapshot()
    }

    /// Calls a model. While one healthy endpoint of the version is left, the death of others fails no call that may be
    /// sent again.
    pub async fn call(&self, call: &Call) -> Result<Answer, Error> {
        let started = Instant::now();
        let deadline = call.deadline.unwrap_or(self.inner.policy.deadline);
        let version = match self.inner.resolver.try_version(&call.name, call.version.as_ref()) {
            Some(known) => known.map_err(Error::from),
            // Rare, and large: it must not make every call's future so.
            None => Box::pin(self.first_look(call, started + deadline)).await,
        };
        let metrics = &self.inner.metrics;
        let version = match version {
            Ok(version) => version,
            Err(error) => {
                metrics.call(&call.name, call.version.as_ref(), error.outcome(), started.elapsed());
                return Err(error);
            }
        };
        let result = self.call_version(call, &version, started, deadline).await;
        let outcome = result.as_ref().map_or_else(Error::outcome, |_| Outcome::Ok);
        metrics.call(&call.name, Some(version.version()), outcome, started.elapsed());
        result
    }

    /// The answer that is kept for a call of any instance, without asking or waiting for anybody. None where none is; that is counted by the call that follows.
    #[cfg(feature = "cache")]
    pub fn kept(
        &self,
        name: &ModelName,
        version: Option<&ModelVersion>,
        function: Option<&str>,
        arguments: &Map<String, Value>,
    ) -> Option<Answer> {
        let started = Instant::now();
        if !self.inner.cache.is_on() {
            return None;
        }
        let version = self.inner.resolver.try_version(name, version)?.ok()?;
        let key = key(&version, function, |text| encode::canonical_named(arguments, text))?;
        let answer = self.inner.cache.get(&key)?.answer(model_of(&version), started.elapsed());
        self.inner.metrics.cache(true);
        self.inner.metrics.call(name, Some(version.version()), Outcome::Ok, answer.latency);
        Some(answer)
    }

    /// The version of a name that was not asked for before.
    async fn first_look(&self, call: &Call, deadline: Instant) -> Result<Arc<Version>, Error> {
        let asked = Instant::now();
        let found = self.inner.resolver.version(&call.name, call.version.as_ref());
        match tokio::time::timeout_at(deadline, found).await {
            Ok(version) => Ok(version?),
            Err(_) => {
                let (name, waited) = (call.name.to_string(), asked.elapsed());
                Err(Error::NoZookeeper(crate::resolver::Error::NotSynced { name, waited }))
            }
        }
    }

    /// From the cache, or fresh.
    async fn call_version(
        &self,
        call: &Call,
        version: &Version,
        started: Instant,
        deadline: Duration,
    ) -> Result<Answer, Error> {
        #[cfg(feature = "cache")]
        let key = match self.look_up(call, version, started) {
            Ok(answer) => return Ok(answer),
            Err(key) => key,
        };
        let answer = self.call_fresh(call, version, started, deadline).await;
        #[cfg(feature = "cache")]
        if let (Some(key), Ok(answer)) = (key, &answer) {
            self.inner.cache.put(key, cache::Entry::of(answer));
        }
        answer
    }

    /// The answer that is known already; else the key to keep the new one under, if it is to be kept.
    #[cfg(feature = "cache")]
    fn look_up(&self, call: &Call, version: &Version, started: Instant) -> Result<Answer, Option<cache::Key>> {
        let cache = &self.inner.cache;
        if !cache.is_on() || call.instance.is_some() {
            return Err(None);
        }
        let write = |text: &mut Vec<u8>| encode::canonical(&call.arguments, text);
        let Some(key) = key(version, call.function.as_deref(), write) else { return Err(None) };
        let found = cache.get(&key);
        self.inner.metrics.cache(found.is_some());
        found.map(|entry| entry.answer(model_of(version), started.elapsed())).ok_or(Some(key))
    }

    /// Tries endpoints of the version until one answers.
    async fn call_fresh(
        &self,
        call: &Call,
        version: &Version,
        started: Instant,
        deadline: Duration,
    ) -> Result<Answer, Error> {
        let Inner { resolver, policy, transport, budget, .. } = &*self.inner;
        budget.earn();
        let settings = version.call();
        let per_try = Duration::from_millis(settings.timeout_ms.max(1));
        let mut tries = Tries::default();
        let mut made = 0;
        let mut tried = Vec::new();
        let mut delays = policy.retry.delays();
        let mut last: Option<Box<(At, Failed)>> = None;
        loop {
            let left = deadline.saturating_sub(started.elapsed());
            let wished = call.first.as_deref().filter(|_| made == 0);
            let picked = match (&call.instance, wished.and_then(|url| resolver.try_at(version, url))) {
                (Some(instance), _) => {
                    Box::pin(resolver.instance(version.name(), version.version(), instance, &tried)).await
                }
                (None, Some(wished)) => Ok(wished),
                (None, None) => match resolver.try_resolve(version.name(), Some(version.version()), &tried) {
                    Some(picked) => picked,
                    // Rare, and large: it must not make every call's future so.
                    None => Box::pin(resolver.resolve_untried(version.name(), Some(version.version()), &tried)).await,
                },
            };
            let resolved: Resolved = match (picked, last.take()) {
                (Ok(resolved), None) => resolved,
                (Ok(resolved), Some(_)) if !left.is_zero() => resolved,
                (Err(error), None) => return Err(error.into()),
                (Err(_), Some(lost)) => {
                    // All were tried. Others may be coming up, and those that refused may be coming back.
                    let Some(delay) = delays.next().filter(|delay| *delay < left) else {
                        return Err(failure(*lost, started));
                    };
                    tokio::time::sleep(delay).await;
                    tried.clear();
                    last = Some(lost);
                    continue;
                }
                (Ok(_), Some(lost)) => return Err(failure(*lost, started)),
            };
            made += 1;
            let endpoint = resolved.slot().endpoint();
            let unsendable = |source| Error::Unsendable { model: model_of(version), source };
            let function = encode::function_path(call.function.as_deref(), &endpoint.functions).map_err(unsendable)?;
            let url = || encode::join(&endpoint.url, function);
            let (target, body) = encode::request(url(), settings.method, &call.arguments).map_err(unsendable)?;
            let at = || At { model: model_of(version), instance: endpoint.id.clone(), url: url(), tries: made };
            let others = call.instance.is_none() && version.slots().len() > tried.len() + 1;
            let share =
                if others && tries.may_follow(settings.idempotent, &policy.retry) { deadline / 3 } else { left };
            let failed = match transport.send(settings.method, target, body, per_try.min(share).min(left)).await {
                Ok(reply) => {
                    let value = match serde_json::from_slice::<Map<String, Value>>(&reply.body) {
                        Ok(value) => value,
                        Err(error) => {
                            resolver.report(&resolved, crate::balance::Signal::Fault);
                            let problem = format!("the answer is no JSON object: {error}");
                            return Err(Error::BadAnswer { at: at(), problem, body: reply.body });
                        }
                    };
                    resolver.report(&resolved, crate::balance::Signal::Answered);
                    return Ok(Answer {
                        body: reply.body,
                        value: Arc::new(value),
                        model: model_of(version),
                        instance: endpoint.id.clone(),
                        url: endpoint.url.clone(),
                        status: reply.status,
                        latency: started.elapsed(),
                        cached: false,
                        tries: made,
                    });
                }
                Err(failed) => failed,
            };
            tracing::debug!(model = %version.name(), version = %version.version(), url = url(), detail = failed.detail, "try failed");
            let next = tries.after(failed.failure, settings.idempotent, &policy.retry, budget);
            let at = at();
            if next != Next::Again {
                resolver.report(&resolved, failed.signal);
                tried.push(resolved.slot().clone());
            }
            if next == Next::GiveUp {
                return Err(failure((at, failed), started));
            }
            last = Some(Box::new((at, failed)));
        }
    }
}

/// What the answer to a call is kept under.
#[cfg(feature = "cache")]
fn key(version: &Version, function: Option<&str>, arguments: impl FnOnce(&mut Vec<u8>) -> bool) -> Option<cache::Key> {
    cache::Key::new(version, function.unwrap_or("apply"), arguments)
}

fn model_of(version: &Version) -> ModelId {
    ModelId { name: version.name().clone(), version: version.version().clone() }
}

fn failure((at, failed): (At, Failed), started: Instant) -> Error {
    match failed.failure {
        retry::Failure::TimedOut => Error::Timeout { at, after: started.elapsed() },
        retry::Failure::NotSent | retry::Failure::Closed | retry::Failure::Broken => {
            Error::Refused { at, detail: failed.detail }
        }
        retry::Failure::Status(status) => Error::Status { at, status, body: failed.body },
        retry::Failure::BadAnswer => Error::BadAnswer { at, problem: failed.detail, body: failed.body },
    }
}
