//! What became of a request, as ADD, REMOVE and SCALE print it. Pure; fields are part of the interface.

use maas_client::model::{ModelId, ModelName, ModelVersion};
use maas_client::picture::{InstancePicture, VersionPicture};
use maas_client::reason::InstanceState;
use maas_client::registry::Endpoint;
use maas_client::standing;
use maas_client::state::Ended;
use serde::Serialize;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// No master has read it.
    Queued,
    /// Another program's master has taken it; only its registrations tell more.
    Taken,
    /// The wanted number is changed.
    Accepted,
    /// All ready, or all gone.
    Done,
    /// A master read it and said no.
    Refused,
    /// Accepted, and the model failed.
    Failed,
}

/// The document of ADD, REMOVE and SCALE.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Report {
    /// The queue's child.
    pub(crate) request: String,
    /// The request's id.
    pub(crate) id: String,
    /// The model.
    pub(crate) model: ModelName,
    /// Its version.
    pub(crate) version: ModelVersion,
    /// What became of it.
    pub(crate) outcome: Outcome,
    /// Why, from the lists of reasons and of errors.
    pub(crate) reason_code: Option<String>,
    /// Why, for a person.
    pub(crate) reason: Option<String>,
    /// How many are wanted now, once that is known.
    pub(crate) wanted: Option<u32>,
    /// Whether what it added was taken back (`--atomic`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) withdrawn: bool,
    /// The version's instances.
    pub(crate) instances: Vec<ReportInstance>,
}

/// One instance in a [`Report`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ReportInstance {
    /// The instance.
    pub(crate) id: String,
    /// Its url, once known.
    pub(crate) url: Option<String>,
    /// Its state.
    pub(crate) state: InstanceState,
    /// Why, from the fixed list.
    pub(crate) reason_code: Option<String>,
    /// Why, for a person.
    pub(crate) reason: Option<String>,
    /// Where it runs or ran.
    pub(crate) host: String,
    /// Exit code of its process, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<i32>,
}

impl Report {
    /// A report of a request no master has read.
    pub(crate) fn queued(request: &str, id: &str, model: &ModelId) -> Report {
        Report {
            request: request.to_string(),
            id: id.to_string(),
            model: model.name.clone(),
            version: model.version.clone(),
            outcome: Outcome::Queued,
            reason_code: None,
            reason: None,
            wanted: None,
            withdrawn: false,
            instances: Vec::new(),
        }
    }

    /// Sets the reason.
    pub(crate) fn because(&mut self, code: impl Into<String>, reason: impl Into<String>) {
        self.reason_code = Some(code.into());
        self.reason = Some(reason.into());
    }

    /// Takes in the version as it is now; a failed one with its newest failed instance.
    pub(crate) fn look_at(&mut self, version: Option<&VersionPicture>) {
        let Some(version) = version else {
            self.instances.clear();
            return;
        };
        self.wanted = version.desired.as_ref().map(|desired| desired.count);
        self.instances = version.instances.iter().map(ReportInstance::live).collect();
        if self.outcome == Outcome::Failed {
            self.instances.extend(newest_failed(version).map(ReportInstance::ended));
        }
    }

    /// Takes in what another program's master registers.
    pub(crate) fn look_at_registered(&mut self, version: Option<&VersionPicture>) {
        let endpoints = version.iter().flat_map(|version| &version.endpoints);
        self.instances = endpoints.map(ReportInstance::registered).collect();
    }

    /// One line for a person.
    pub(crate) fn line(&self) -> String {
        let model = format!("{} {}", self.model, self.version);
        let ready = self.instances.iter().filter(|instance| instance.state == InstanceState::Ready).count();
        let why = self.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        match (self.outcome, self.wanted) {
            (_, wanted) if self.withdrawn => {
                let left = wanted.map(|wanted| format!(", {wanted} wanted now")).unwrap_or_default();
                format!("{model}: withdrawn{left}{why}")
            }
            (Outcome::Queued, _) => format!("{model}: queued as {}{why}", self.id),
            (Outcome::Taken, _) => format!("{model}: taken by another program's master{why} ({})", self.id),
            (Outcome::Refused, _) => format!("{model}: refused{why} ({})", self.id),
            (Outcome::Failed, wanted) => format!("{model}: failed, {ready} of {} ready{why}", wanted.unwrap_or(0)),
            (Outcome::Done, None | Some(0)) if self.instances.is_empty() => format!("{model}: gone"),
            (Outcome::Done, None) => format!("{model}: {ready} ready"),
            (Outcome::Done, Some(wanted)) => format!("{model}: {ready} of {wanted} ready"),
            (Outcome::Accepted, None) => format!("{model}: accepted{why}"),
            (Outcome::Accepted, Some(wanted)) => {
                format!("{model}: accepted, {wanted} wanted, {ready} ready{why}")
            }
        }
    }

    /// The urls of the ready instances.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        let ready = self.instances.iter().filter(|instance| instance.state == InstanceState::Ready);
        ready.filter_map(|instance| instance.url.as_deref())
    }
}

impl ReportInstance {
    fn live(instance: &InstancePicture) -> ReportInstance {
        let reason = instance.reason();
        ReportInstance {
            id: instance.id.clone(),
            url: instance.url().map(str::to_string),
            state: instance.state(),
            reason_code: reason.as_ref().map(|reason| reason.code.to_string()),
            reason: reason.map(|reason| reason.text),
            host: instance.host().to_string(),
            exit_code: None,
        }
    }

    fn registered(endpoint: &Endpoint) -> ReportInstance {
        let view = standing::stranger_view(endpoint);
        ReportInstance {
            id: view.id,
            url: view.url,
            state: view.state,
            reason_code: None,
            reason: None,
            host: view.host,
            exit_code: None,
        }
    }

    fn ended(ended: &Ended) -> ReportInstance {
        ReportInstance {
            id: ended.id.clone(),
            url: None,
            state: ended.state,
            reason_code: ended.reason.as_ref().map(|reason| reason.code.to_string()),
            reason: ended.reason.as_ref().map(|reason| reason.text.clone()),
            host: ended.host.clone(),
            exit_code: ended.exit_code,
        }
    }
}

/// The instance of a version that failed last.
pub(crate) fn newest_failed(version: &VersionPicture) -> Option<&Ended> {
    let ended = &version.status.as_ref()?.ended;
    ended.iter().rev().find(|ended| ended.state == InstanceState::Failed)
}
