//! A web service for the examples of the reference.

use async_trait::async_trait;

use super::{Exchange, Method, RestCaller, RestSettings};
use crate::services::{Failure, Outcome};

/// Tells what it was asked; under `/missing` there is nothing.
#[derive(Debug)]
pub(crate) struct Echo(pub(crate) RestSettings);

#[async_trait]
impl RestCaller for Echo {
    fn settings(&self) -> &RestSettings {
        &self.0
    }

    async fn call(&self, exchange: Exchange) -> Result<Vec<u8>, Failure> {
        if exchange.url.path() == "/missing" {
            let about = exchange.url.host_str().unwrap_or_default().to_owned();
            return Err(Failure { outcome: Outcome::Status, about, message: "status 404".into() });
        }
        let query = exchange.url.query().unwrap_or_default();
        let posted = match exchange.method {
            Method::Get => serde_json::Value::Null,
            Method::Post => serde_json::from_str(&exchange.body).unwrap_or_default(),
        };
        Ok(serde_json::json!({"query": query, "posted": posted}).to_string().into_bytes())
    }
}
