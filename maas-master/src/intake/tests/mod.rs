//! What becomes of messages: decisions against what is wanted, and the transactions made of them.

mod batches;
mod decisions;

use maas_client::model::ModelId;
use maas_client::request::{Action, Extra, ModelRequest, Resources};

/// As Metron's client asks: its six keys.
fn metrons(action: Action, model: &ModelId, count: u32) -> ModelRequest {
    let is_add = action == Action::Add;
    ModelRequest {
        model: model.clone(),
        action,
        num_instances: count,
        resources: Resources { memory_mb: if is_add { 512 } else { 0 }, ..Resources::default() },
        path: is_add.then(|| format!("/models/{}/{}", model.name, model.version)),
        extra: Extra::default(),
    }
}

/// As our client asks: it says who asks, and which content.
fn ours(action: Action, model: &ModelId, count: u32) -> ModelRequest {
    let mut request = metrons(action, model, count);
    request.extra.by = Some("alice@node1".to_string());
    request.extra.digest = (action == Action::Add).then(|| digest("aa"));
    request
}

fn digest(pair: &str) -> String {
    format!("sha256:{}", pair.repeat(32))
}
