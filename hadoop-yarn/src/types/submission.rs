//! What a client hands over to run an application.

use std::time::Duration;

use super::{ApplicationId, LaunchContext, Resource};
use crate::proto::yarn::{ApplicationSubmissionContextProto, PriorityProto};

/// An application to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The id that the ResourceManager gave out for it. One that was used before is accepted silently and does nothing.
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
    /// What it calls its kind, for those who list applications; 20 characters count.
    pub application_type: String,
    /// Its queue: a leaf's name or full path. An unknown one is **accepted**, and the application fails a moment later.
    pub queue: String,
    /// Its priority within the queue; `None` is the queue's default.
    pub priority: Option<i32>,
    /// How its master is started.
    pub master: LaunchContext,
    /// What its master's container has. Over the cluster's maximum the submission is refused.
    pub resource: Resource,
    /// How many attempts there may be, up to the cluster's own maximum, which is meant by `None`.
    pub max_attempts: Option<i32>,
    /// Whether running containers outlive their master, for the next attempt to take over.
    pub keep_containers: bool,
    /// Failures of attempts that are older than this don't count.
    pub attempt_failures_validity: Option<Duration>,
    /// Tags, by which applications can be listed.
    pub tags: Vec<String>,
    /// The label for all its containers; `None` is the queue's default, an empty text the partition without label.
    pub node_label: Option<String>,
    /// Whether its master is started by somebody else: then the report has its [token](super::ApplicationReport::am_rm_token), and
    /// [`master`](Self::master) has no command.
    pub unmanaged: bool,
}

impl Submission {
    /// An application of one attempt in the queue `default`.
    pub fn new(id: ApplicationId, name: impl Into<String>, master: LaunchContext, resource: Resource) -> Self {
        Self {
            id,
            name: name.into(),
            application_type: "YARN".to_owned(),
            queue: "default".to_owned(),
            priority: None,
            master,
            resource,
            max_attempts: Some(1),
            keep_containers: false,
            attempt_failures_validity: None,
            tags: Vec::new(),
            node_label: None,
            unmanaged: false,
        }
    }

    pub(crate) fn to_proto(&self) -> ApplicationSubmissionContextProto {
        ApplicationSubmissionContextProto {
            application_id: Some(self.id.to_proto()),
            application_name: Some(self.name.clone()),
            queue: Some(self.queue.clone()),
            priority: self.priority.map(|priority| PriorityProto { priority: Some(priority) }),
            am_container_spec: Some(self.master.to_proto()),
            unmanaged_am: self.unmanaged.then_some(true),
            max_app_attempts: self.max_attempts,
            resource: Some(self.resource.to_proto()),
            application_type: Some(self.application_type.clone()),
            keep_containers_across_application_attempts: Some(self.keep_containers),
            application_tags: self.tags.clone(),
            attempt_failures_validity_interval: self
                .attempt_failures_validity
                .map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
            node_label_expression: self.node_label.clone(),
            ..ApplicationSubmissionContextProto::default()
        }
    }
}
