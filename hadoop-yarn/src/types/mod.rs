//! What users of this crate see: ids, resources, containers, launch contexts, applications, nodes, queues.
//!
//! Plain data with conversions from and to the protocol's messages, which stay inside the crate. Fields that a server leaves out take the protocol's
//! default; values of an enum that this crate does not know become its `Unknown`.

mod application;
mod container;
mod ids;
mod launch;
mod node;
mod queue;
mod resource;
mod submission;
mod token;
mod wire;

pub use application::{
    ApplicationFilter, ApplicationReport, ApplicationState, AttemptReport, AttemptState, ClusterMetrics, FinalStatus,
    LogAggregation, ResourceUsage,
};
pub use container::{
    Ask, Blacklist, Container, ContainerReport, ContainerState, ContainerStatus, ExitStatus, FailedRequest,
};
pub use ids::{ApplicationAttemptId, ApplicationId, ContainerId, NodeId, ParseIdError};
pub use launch::{Access, LaunchContext, LocalResource, ParseUrlError, ResourceKind, ResourceUrl, Visibility};
pub use node::{NodeReport, NodeState};
pub use queue::{QueueInfo, QueueState, Usage};
pub use resource::Resource;
pub use submission::Submission;
pub use token::Token;
pub(crate) use wire::WireEnum;
use wire::wire_enum;
