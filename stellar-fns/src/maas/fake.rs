//! A small world with one model, dga 1.0, in which the examples of the reference run.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::{Answer, Endpoint, Failure, ModelCall, ModelCaller, Outcome};

/// Knows dga 1.0, whose functions are `apply` and `explain`.
#[derive(Debug)]
pub(crate) struct OneModel;

fn is_known(name: &str, version: Option<&str>) -> Result<(), Failure> {
    if name == "dga" && version.is_none_or(|version| version == "1.0") {
        return Ok(());
    }
    Err(Failure {
        outcome: Outcome::NoEndpoint,
        model: Some(name.into()),
        version: version.map(str::to_owned),
        message: "there is dga 1.0 only".into(),
    })
}

#[async_trait]
impl ModelCaller for OneModel {
    async fn endpoint(&self, name: &str, version: Option<&str>) -> Result<Endpoint, Failure> {
        is_known(name, version)?;
        Ok(Endpoint {
            name: "dga".into(),
            version: "1.0".into(),
            url: "http://node7:36161".into(),
            functions: Arc::new(
                [("apply", "apply"), ("explain", "why")].map(|(name, path)| (name.into(), path.into())).into(),
            ),
        })
    }

    async fn apply(&self, call: ModelCall) -> Result<Answer, Failure> {
        is_known(&call.name, call.version.as_deref())?;
        let value = match call.function.as_deref() {
            None | Some("apply") => json!({"is_malicious": "legit"}),
            _ => json!({"why": "known"}),
        };
        Ok(Answer {
            size: value.to_string().len(),
            value: Arc::new(value.as_object().cloned().unwrap_or_default()),
            model: "dga".into(),
            version: "1.0".into(),
            instance: "1".into(),
            url: "http://node7:36161".into(),
            latency: Duration::ZERO,
            cached: false,
        })
    }

    fn report(&self, _: &'static str, _: &Failure) {}
}
