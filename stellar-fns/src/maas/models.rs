//! The real [`ModelCaller`]: `maas_client`'s resolver, caller and cache.
//!
//! Evaluations come and go on many threads and runtimes. What outlives them, the following of names in ZooKeeper, runs on the runtime these models were made on; a
//! call runs on that of the evaluation.

use std::fmt;

use async_trait::async_trait;
use maas_client::call::{Arguments, Call, Caller, Error, Outcome};
use maas_client::config::Roots;
use maas_client::model::{ModelName, ModelVersion};
use maas_client::resolver::{self, Resolved, Resolver};
use maas_client::tree::SharedTree;
use tokio::runtime::Handle;

use super::{Answer, Endpoint, Failure, ModelCall, ModelCaller, Report, Settings};
use crate::value::Text;

/// Models that are registered in ZooKeeper. Shared by all evaluations of a process, and with it connections, health of endpoints and the cache.
pub struct Models {
    /// The runtime on which names are followed.
    home: Handle,
    caller: Caller,
    report: Box<dyn Report>,
    detail: bool,
}

impl fmt::Debug for Models {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Models").field("detail", &self.detail).finish_non_exhaustive()
    }
}

impl Models {
    /// The models registered in this tree, followed on this runtime, which must be there as long as they are asked for.
    pub fn new(
        home: Handle,
        tree: SharedTree,
        roots: Roots,
        settings: &Settings,
        report: Box<dyn Report>,
    ) -> std::io::Result<Self> {
        let resolver = Resolver::new(tree, roots, resolver::Policy::default());
        let caller = Caller::new(resolver, settings.policy())?;
        Ok(Self { home, caller, report, detail: settings.detail })
    }

    /// The caller behind it, for its counts.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whether it is known already what is registered under the name.
    fn follows(&self, name: &ModelName) -> bool {
        self.caller.resolver().try_version(name, None).is_some()
    }

    /// Sees to it that the name is followed, by tasks that outlive this question.
    async fn follow(&self, name: &ModelName) -> Result<(), Failure> {
        let (resolver, followed) = (self.caller.resolver().clone(), name.clone());
        // That nothing is registered under the name is said by whoever asks for it next.
        let looked = self.home.spawn(async move { resolver.version(&followed, None).await.map(drop) }).await;
        looked.map(drop).map_err(|_| Failure {
            outcome: Outcome::NoZookeeper,
            model: Some(name.to_string()),
            version: None,
            message: "the runtime on which models are followed has ended".into(),
        })
    }
}

#[async_trait]
impl ModelCaller for Models {
    async fn endpoint(&self, name: &str, version: Option<&str>) -> Result<Endpoint, Failure> {
        let (checked_name, checked_version) = checked(name, version)?;
        if !self.follows(&checked_name) {
            // Rare, and large: it must not make every call's future so.
            Box::pin(self.follow(&checked_name)).await?;
        }
        let resolved = self.caller.resolver().resolve(&checked_name, checked_version.as_ref()).await;
        resolved.map(|resolved| endpoint(&resolved)).map_err(|error| failure(name, version, &error.into()))
    }

    fn known_endpoint(&self, name: &str, version: Option<&str>) -> Option<Result<Endpoint, Failure>> {
        let (checked_name, checked_version) = match checked(name, version) {
            Ok(checked) => checked,
            Err(failure) => return Some(Err(failure)),
        };
        let resolved = self.caller.resolver().try_resolve(&checked_name, checked_version.as_ref(), &[])?;
        Some(match resolved {
            Ok(resolved) => Ok(endpoint(&resolved)),
            Err(error) => Err(failure(name, version, &error.into())),
        })
    }

    async fn apply(&self, call: ModelCall) -> Result<Answer, Failure> {
        let (name, version) = (call.name.clone(), call.version.clone());
        let asked = asked(call)?;
        if !self.follows(&asked.name) {
            // Rare, and large: it must not make every call's future so.
            Box::pin(self.follow(&asked.name)).await?;
        }
        let answered = self.caller.call(&asked).await;
        answered.map(answer).map_err(|error| failure(&name, version.as_deref(), &error))
    }

    fn known_answer(&self, call: &ModelCall) -> Option<Answer> {
        let (name, version) = checked(&call.name, call.version.as_deref()).ok()?;
        self.caller.kept(&name, version.as_ref(), call.function.as_deref(), &call.arguments).map(answer)
    }

    fn report(&self, function: &'static str, failure: &Failure) {
        self.report.failed(function, failure);
    }

    fn detail(&self) -> bool {
        self.detail
    }
}

/// What can't be a name or version is registered nowhere.
fn checked(name: &str, version: Option<&str>) -> Result<(ModelName, Option<ModelVersion>), Failure> {
    let failure = |error: maas_client::model::Error| Failure {
        outcome: Outcome::NoEndpoint,
        model: Some(name.to_owned()),
        version: version.map(str::to_owned),
        message: error.to_string(),
    };
    Ok((name.parse().map_err(failure)?, version.map(str::parse).transpose().map_err(failure)?))
}

/// What `maas_client` is to ask.
fn asked(call: ModelCall) -> Result<Call, Failure> {
    let (name, version) = checked(&call.name, call.version.as_deref())?;
    Ok(Call {
        version,
        first: call.url.map(Text::into_string),
        function: call.function.map(Text::into_string),
        arguments: Arguments::Named(call.arguments),
        ..Call::new(name)
    })
}

fn answer(answer: maas_client::call::Answer) -> Answer {
    Answer {
        value: answer.value,
        size: answer.body.len(),
        model: answer.model.name.as_str().into(),
        version: answer.model.version.as_str().into(),
        instance: answer.instance,
        url: answer.url,
        latency: answer.latency,
        cached: answer.cached,
    }
}

fn failure(name: &str, version: Option<&str>, error: &Error) -> Failure {
    Failure {
        outcome: error.outcome(),
        model: Some(name.to_owned()),
        version: version.map(str::to_owned),
        message: error.to_string(),
    }
}

fn endpoint(resolved: &Resolved) -> Endpoint {
    let endpoint = resolved.slot().endpoint();
    Endpoint {
        name: endpoint.name.as_str().into(),
        version: endpoint.version.as_str().into(),
        url: (*endpoint.url).into(),
        functions: endpoint.functions.clone(),
    }
}
