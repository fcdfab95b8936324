//! Builders of small pictures, for the tests of this crate.

use jiff::Timestamp;
use maas_client::model::ModelId;
use maas_client::picture::{InstancePicture, VersionPicture};
use maas_client::reason::{InstanceState, Reason, VersionState};
use maas_client::registry::{Endpoint, default_functions};
use maas_client::request::Resources;
use maas_client::state::{Claim, Desired, InstanceRecord, Status, Wanted};
use std::sync::Arc;

/// 2026-01-02T03:04:05Z and so many seconds.
pub(crate) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_323_045 + seconds).unwrap()
}

pub(crate) fn model(name: &str, version: &str) -> ModelId {
    ModelId::new(name, version).unwrap()
}

pub(crate) fn desired(count: u32) -> Desired {
    Desired {
        count,
        digest: Some("sha256:00".into()),
        path: "/models/dga/1.0".into(),
        resources: Resources::default(),
        call: Default::default(),
        generation: 0,
        published: time(0),
        by: Some("alice@here".into()),
        request: "qn-0000000001-a".into(),
        purge: false,
        purged: false,
    }
}

pub(crate) fn version(name: &str, version: &str, count: u32) -> VersionPicture {
    VersionPicture {
        model: model(name, version),
        desired: Some(desired(count)),
        status: None,
        instances: Vec::new(),
        endpoints: Vec::new(),
    }
}

pub(crate) fn instance(id: &str) -> InstancePicture {
    let record = InstanceRecord {
        model: model("dga", "1.0"),
        wanted: Wanted::Run,
        reason: None,
        epoch: 1,
        resources: Resources::default(),
        digest: "sha256:00".into(),
        host: "node7".into(),
        container: None,
        local: None,
        created: time(1),
        stop_bound_s: 10,
    };
    InstancePicture { id: id.into(), record, claim: None, was_claimed: false, registered: None }
}

/// One that is claimed, ready and registered.
pub(crate) fn ready(id: &str) -> InstancePicture {
    let claim = Claim {
        state: InstanceState::Ready,
        reason: None,
        pid: 7,
        host: "node7".into(),
        url: None,
        started: Some(time(1)),
        memory_used_mb: None,
    };
    let url = format!("http://node7/{id}");
    InstancePicture { claim: Some(claim), was_claimed: true, registered: Some(url), ..instance(id) }
}

pub(crate) fn endpoint(name: &str, version: &str, id: &str) -> Endpoint {
    let model = model(name, version);
    Endpoint {
        name: model.name,
        version: model.version,
        id: id.into(),
        url: format!("http://node7:{}", 36160 + id.len()).into(),
        functions: Arc::new(default_functions()),
        registered_ms: time(2).as_millisecond(),
        czxid: 1,
    }
}

pub(crate) fn status(state: VersionState, reason: Option<Reason>, desired: u32) -> Status {
    Status {
        state,
        reason,
        ready: 0,
        desired,
        failures: 0,
        restarts: 0,
        backoff_ms: 0,
        generation: 0,
        ended: Vec::new(),
        events: Vec::new(),
    }
}
