//! Every path of ours in ZooKeeper, made in one place from checked names. Pure.

use crate::config::Roots;
use crate::model::ModelId;

impl Roots {
    /// Prefix of a queue child; the server appends ten digits.
    pub fn queue_prefix(&self) -> String {
        format!("{}/{}", self.queue, crate::queue::PREFIX)
    }
    /// One queue child.
    pub fn queue_child(&self, child: &str) -> String {
        format!("{}/{child}", self.queue)
    }
    /// The node whose data version is the epoch.
    pub fn epoch(&self) -> String {
        format!("{}/epoch", self.state)
    }
    /// The leader's ephemeral node.
    pub fn leader(&self) -> String {
        format!("{}/leader", self.state)
    }
    /// Parent of the ephemeral nodes of masters that stand by.
    pub fn standbys(&self) -> String {
        format!("{}/standbys", self.state)
    }
    /// One standby, `host:pid`; for information.
    pub fn standby(&self, name: &str) -> String {
        format!("{}/standbys/{name}", self.state)
    }
    /// What the leader tells clients about the cluster (store, launcher).
    pub fn cluster(&self) -> String {
        format!("{}/cluster", self.state)
    }
    /// All masters stop when it appears.
    pub fn stop(&self) -> String {
        format!("{}/stop", self.state)
    }
    /// Parent of all models.
    pub fn models(&self) -> String {
        format!("{}/models", self.state)
    }
    /// Parent of a model's versions.
    pub fn model(&self, name: &str) -> String {
        format!("{}/models/{name}", self.state)
    }
    /// The desired state of one version.
    pub fn desired(&self, model: &ModelId) -> String {
        format!("{}/models/{}/{}", self.state, model.name, model.version)
    }
    /// Environment and secrets' paths of one version; not world-readable.
    pub fn spec(&self, model: &ModelId) -> String {
        format!("{}/spec", self.desired(model))
    }
    /// State, failures and events of one version.
    pub fn status(&self, model: &ModelId) -> String {
        format!("{}/status", self.desired(model))
    }
    /// Parent of all instance records.
    pub fn instances(&self) -> String {
        format!("{}/instances", self.state)
    }
    /// One instance record.
    pub fn instance(&self, id: &str) -> String {
        format!("{}/instances/{id}", self.state)
    }
    /// The runner's ephemeral claim on an instance.
    pub fn claim(&self, id: &str) -> String {
        format!("{}/instances/{id}/runner", self.state)
    }
    /// Parent of request outcomes.
    pub fn requests(&self) -> String {
        format!("{}/requests", self.state)
    }
    /// One request's outcome.
    pub fn request(&self, id: &str) -> String {
        format!("{}/requests/{id}", self.state)
    }
    /// Parent of idempotency keys.
    pub fn ids(&self) -> String {
        format!("{}/ids", self.state)
    }
    /// One idempotency key.
    pub fn id(&self, uuid: &str) -> String {
        format!("{}/ids/{uuid}", self.state)
    }
    /// Parent of messages set aside.
    pub fn rejected(&self) -> String {
        format!("{}/rejected", self.state)
    }
    /// One message set aside.
    pub fn rejection(&self, id: &str) -> String {
        format!("{}/rejected/{id}", self.state)
    }
    /// Ended instances and events of no one version (leaders, foreign consumers, rejected messages).
    pub fn journal(&self) -> String {
        format!("{}/journal", self.state)
    }
    /// Parent of a model's registrations.
    pub fn service(&self, name: &str) -> String {
        format!("{}/{name}", self.services)
    }
    /// One registration.
    pub fn registration(&self, name: &str, id: &str) -> String {
        format!("{}/{name}/{id}", self.services)
    }
}

/// Request id from the queue child's name and its creation transaction: names alone repeat when the root is made again.
pub fn request_id(child: &str, czxid: i64) -> String {
    format!("{child}-{czxid:x}")
}
