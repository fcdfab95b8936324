//! The real [`ModelCaller`]: `maas_client`'s resolver, caller and cache, for synchronous evaluation.
//!
//! An endpoint of a name that is followed already is found without leaving the evaluating thread; all else runs on the [`CallThread`].

use std::fmt;

use maas_client::call::{Arguments, Call, Caller, Error, Outcome};
use maas_client::config::Roots;
use maas_client::model::{ModelName, ModelVersion};
use maas_client::resolver::{self, Resolver};
use maas_client::tree::SharedTree;

use super::{Answer, CallThread, Endpoint, Failure, ModelCall, ModelCaller, Report, Settings};

/// Models that are registered in ZooKeeper. Shared by all evaluations of a process, and with it connections, health of endpoints and the cache.
pub struct Models {
    thread: CallThread,
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
    /// The models registered in this tree. The thread is the one its connection was made on, where it was made on one of these.
    pub fn new(
        thread: CallThread,
        tree: SharedTree,
        roots: Roots,
        settings: &Settings,
        report: Box<dyn Report>,
    ) -> std::io::Result<Self> {
        let resolver = Resolver::new(tree, roots, resolver::Policy::default());
        let caller = Caller::new(resolver, settings.policy())?;
        Ok(Self { thread, caller, report, detail: settings.detail })
    }

    /// The caller behind it, for its counts.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl ModelCaller for Models {
    fn endpoint(&self, name: &str, version: Option<&str>) -> Result<Endpoint, Failure> {
        let failure = |error: Error| Failure {
            outcome: error.outcome(),
            model: Some(name.to_owned()),
            version: version.map(str::to_owned),
            message: error.to_string(),
        };
        let (checked_name, checked_version) = checked(name, version)?;
        let resolver = self.caller.resolver();
        let resolved = match resolver.try_resolve(&checked_name, checked_version.as_ref(), &[]) {
            Some(resolved) => resolved,
            None => {
                let resolver = resolver.clone();
                let wait = async move { resolver.resolve(&checked_name, checked_version.as_ref()).await };
                self.thread.wait(wait).ok_or_else(|| no_thread(name, version))?
            }
        };
        let resolved = resolved.map_err(|error| failure(error.into()))?;
        let endpoint = resolved.slot().endpoint();
        Ok(Endpoint {
            name: endpoint.name.to_string(),
            version: endpoint.version.to_string(),
            url: endpoint.url.to_string(),
            functions: (*endpoint.functions).clone(),
        })
    }

    fn apply(&self, call: ModelCall) -> Result<Answer, Failure> {
        let (name, version) = (call.name, call.version);
        let (checked_name, checked_version) = checked(&name, version.as_deref())?;
        let asked = Call {
            version: checked_version,
            first: call.url,
            function: call.function,
            arguments: Arguments::Named(call.arguments),
            ..Call::new(checked_name)
        };
        let caller = self.caller.clone();
        let answer = self.thread.wait(async move { caller.call(&asked).await });
        match answer.ok_or_else(|| no_thread(&name, version.as_deref()))? {
            Ok(answer) => Ok(Answer {
                value: answer.value,
                size: answer.body.len(),
                model: answer.model.name.to_string(),
                version: answer.model.version.to_string(),
                instance: answer.instance.to_string(),
                url: answer.url.to_string(),
                latency: answer.latency,
                cached: answer.cached,
            }),
            Err(error) => {
                Err(Failure { outcome: error.outcome(), message: error.to_string(), model: Some(name), version })
            }
        }
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

fn no_thread(name: &str, version: Option<&str>) -> Failure {
    Failure {
        outcome: Outcome::Refused,
        model: Some(name.to_owned()),
        version: version.map(str::to_owned),
        message: "the thread that calls models did not finish this call".into(),
    }
}
