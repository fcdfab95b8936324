//! Asking for containers, and what becomes of them.

use std::fmt;

use super::{ContainerId, NodeId, Resource, Token, WireEnum as _, wire_enum};
use crate::proto::yarn::{
    ContainerExceptionMapProto, ContainerProto, ContainerReportProto, ContainerStateProto, ContainerStatusProto,
    PriorityProto, ResourceBlacklistRequestProto, ResourceRequestProto,
};
use crate::rpc::Exception;

/// How many containers of one size are wanted. The number is absolute: the ResourceManager replaces what it knew under the same key.
///
/// The key is priority, allocation request id and place. Size is **not** part of it: give every size an id of its own. The ResourceManager counts down by
/// itself as it grants, so that only changes need to be sent; 0 cancels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Lower numbers are served first.
    pub priority: i32,
    /// Comes back with each container that is granted for this ask. `None` is the protocol's -1.
    pub allocation_request_id: Option<i64>,
    /// `*`, a rack, or a host. An ask for a host alone is never served: ask for host, rack and `*` together.
    pub place: String,
    /// The size of each.
    pub resource: Resource,
    /// How many.
    pub count: i32,
    /// Whether another place will do. False on rack and `*` pins the ask to its host.
    pub relax_locality: bool,
    /// The one node label; only where the place is `*`. `None` is the application's own, an empty text the partition without label.
    pub node_label: Option<String>,
}

impl Ask {
    /// Any place.
    pub const ANYWHERE: &str = "*";

    /// `count` containers of this size anywhere, at priority 1.
    pub fn anywhere(allocation_request_id: i64, resource: Resource, count: i32) -> Self {
        Self {
            priority: 1,
            allocation_request_id: Some(allocation_request_id),
            place: Self::ANYWHERE.to_owned(),
            resource,
            count,
            relax_locality: true,
            node_label: None,
        }
    }

    pub(crate) fn to_proto(&self) -> ResourceRequestProto {
        ResourceRequestProto {
            priority: Some(PriorityProto { priority: Some(self.priority) }),
            resource_name: Some(self.place.clone()),
            capability: Some(self.resource.to_proto()),
            num_containers: Some(self.count),
            relax_locality: Some(self.relax_locality),
            node_label_expression: self.node_label.clone(),
            execution_type_request: None,
            allocation_request_id: self.allocation_request_id,
        }
    }
}

/// Hosts that are to give nothing, and hosts that may again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blacklist {
    /// Hosts from which nothing more is wanted.
    pub add: Vec<String>,
    /// Hosts that are taken off the list.
    pub remove: Vec<String>,
}

impl Blacklist {
    pub(crate) fn to_proto(&self) -> Option<ResourceBlacklistRequestProto> {
        let empty = self.add.is_empty() && self.remove.is_empty();
        (!empty).then(|| ResourceBlacklistRequestProto {
            blacklist_additions: self.add.clone(),
            blacklist_removals: self.remove.clone(),
        })
    }
}

/// A container that was granted, or taken over from an earlier attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its whole id, the only thing that names it.
    pub id: ContainerId,
    /// The NodeManager that runs it.
    pub node: NodeId,
    /// Host and port of that NodeManager's web pages.
    pub node_http_address: String,
    /// What it has: what was asked, rounded up.
    pub resource: Resource,
    /// The priority of the ask.
    pub priority: i32,
    /// The id of the ask; `None` where it had none.
    pub allocation_request_id: Option<i64>,
    /// What the NodeManager wants to see when it is started.
    pub token: Option<Token>,
}

impl Container {
    pub(crate) fn from_proto(container: ContainerProto) -> Self {
        let granted_for = container.allocation_request_id();
        Self {
            id: ContainerId::from_proto(&container.id.unwrap_or_default()),
            node: NodeId::from_proto(&container.node_id.unwrap_or_default()),
            node_http_address: container.node_http_address.unwrap_or_default(),
            resource: Resource::from_proto(&container.resource.unwrap_or_default()),
            priority: container.priority.unwrap_or_default().priority(),
            allocation_request_id: Some(granted_for).filter(|&id| id != -1),
            token: container.container_token.map(Token::from_proto),
        }
    }
}

wire_enum! {
    /// Where a container is in its life.
    ContainerState from ContainerStateProto {
        /// Not started.
        New = CNew => "NEW",
        /// Runs, or is about to.
        Running = CRunning => "RUNNING",
        /// Has ended.
        Complete = CComplete => "COMPLETE",
    }
}

/// How a container is, or how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerStatus {
    /// The container. May belong to an earlier attempt.
    pub id: ContainerId,
    /// Its state.
    pub state: ContainerState,
    /// How it ended; [`ExitStatus::INVALID`] while it runs.
    pub exit_status: ExitStatus,
    /// What YARN says about the end, often with the last lines of its standard error. Long texts are cut off at the **front**.
    pub diagnostics: String,
}

impl ContainerStatus {
    pub(crate) fn from_proto(status: ContainerStatusProto) -> Self {
        Self {
            id: ContainerId::from_proto(&status.container_id.unwrap_or_default()),
            state: status.state.map_or(ContainerState::Unknown, ContainerState::from_proto),
            exit_status: ExitStatus(status.exit_status()),
            diagnostics: status.diagnostics.unwrap_or_default().trim().to_owned(),
        }
    }
}

/// A container as the ResourceManager sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerReport {
    /// The container.
    pub id: ContainerId,
    /// Where it runs.
    pub node: NodeId,
    /// What it has.
    pub resource: Resource,
    /// Its state.
    pub state: ContainerState,
    /// How it ended; [`ExitStatus::INVALID`] while it runs.
    pub exit_status: ExitStatus,
    /// What YARN says about its end.
    pub diagnostics: String,
    /// Where its logs can be read.
    pub log_url: String,
}

impl ContainerReport {
    pub(crate) fn from_proto(report: ContainerReportProto) -> Self {
        Self {
            state: report.container_state.map_or(ContainerState::Unknown, ContainerState::from_proto),
            exit_status: report.container_exit_status.map_or(ExitStatus::INVALID, ExitStatus),
            id: ContainerId::from_proto(&report.container_id.unwrap_or_default()),
            node: NodeId::from_proto(&report.node_id.unwrap_or_default()),
            resource: Resource::from_proto(&report.resource.unwrap_or_default()),
            diagnostics: report.diagnostics_info.unwrap_or_default(),
            log_url: report.log_url.unwrap_or_default(),
        }
    }
}

/// How a container ended: the exit code of its command, or a negative number of YARN's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExitStatus(pub i32);

impl ExitStatus {
    /// Ended with 0.
    pub const SUCCESS: Self = Self(0);
    /// Runs still, or was never started: its files could not be fetched, or its launch could not be set up.
    pub const INVALID: Self = Self(-1000);
    /// Released by the application, lost with its node, or expired before it was started.
    pub const ABORTED: Self = Self(-100);
    /// Too many of the node's disks are bad.
    pub const DISKS_FAILED: Self = Self(-101);
    /// Taken back by the scheduler.
    pub const PREEMPTED: Self = Self(-102);
    /// Used more virtual memory than allowed.
    pub const VIRTUAL_MEMORY: Self = Self(-103);
    /// Used more memory than it has.
    pub const MEMORY: Self = Self(-104);
    /// Stopped by the application master.
    pub const KILLED_BY_MASTER: Self = Self(-105);
    /// Killed by the ResourceManager, as when a node resynchronises or the attempt is over.
    pub const KILLED_BY_RESOURCE_MANAGER: Self = Self(-106);
    /// Killed because its application had ended.
    pub const KILLED_AFTER_APPLICATION: Self = Self(-107);
    /// An opportunistic container pushed out by a guaranteed one.
    pub const KILLED_BY_SCHEDULER: Self = Self(-108);
    /// The NodeManager restarted and could not read the exit code.
    pub const LOST: Self = Self(154);

    /// Whether neither the command nor its size is to blame: it was released, lost, preempted or killed from outside.
    pub fn is_from_outside(self) -> bool {
        (Self::KILLED_BY_SCHEDULER.0..=Self::KILLED_BY_MASTER.0).contains(&self.0)
            || (Self::PREEMPTED.0..=Self::ABORTED.0).contains(&self.0)
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::SUCCESS => "ended with 0",
            Self::INVALID => "could not be started (-1000)",
            Self::ABORTED => "released, lost with its node, or expired unused (-100)",
            Self::DISKS_FAILED => "lost to bad disks of its node (-101)",
            Self::PREEMPTED => "preempted by the scheduler (-102)",
            Self::VIRTUAL_MEMORY => "used more virtual memory than allowed (-103)",
            Self::MEMORY => "used more memory than it has (-104)",
            Self::KILLED_BY_MASTER => "stopped by its application master (-105)",
            Self::KILLED_BY_RESOURCE_MANAGER => "killed by the ResourceManager (-106)",
            Self::KILLED_AFTER_APPLICATION => "killed after its application had ended (-107)",
            Self::KILLED_BY_SCHEDULER => "pushed out by the node's scheduler (-108)",
            Self::LOST => "exit code lost when its NodeManager restarted (154)",
            Self(126) => "its command is not executable (126)",
            Self(127) => "its command was not found (127)",
            Self(137) => "killed (137, SIGKILL)",
            Self(143) => "terminated (143, SIGTERM)",
            Self(code) => return write!(f, "ended with {code}"),
        })
    }
}

/// A container for which a NodeManager could not do what was asked, while the call as a whole succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRequest {
    /// The container.
    pub id: ContainerId,
    /// Why.
    pub exception: Exception,
}

impl FailedRequest {
    pub(crate) fn from_proto(failed: ContainerExceptionMapProto) -> Self {
        let exception = failed.exception.unwrap_or_default();
        Self {
            id: ContainerId::from_proto(&failed.container_id.unwrap_or_default()),
            exception: Exception::from_wire(exception.class_name(), exception.message(), false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_from_outside_is_told_from_what_the_command_did() {
        for outside in [-100, -101, -102, -105, -106, -107, -108] {
            assert!(ExitStatus(outside).is_from_outside(), "{outside}");
        }
        for own in [0, 1, 137, 154, -103, -104, -1000] {
            assert!(!ExitStatus(own).is_from_outside(), "{own}");
        }
    }

    #[test]
    fn an_exit_status_is_a_sentence_s_end() {
        assert_eq!(ExitStatus::MEMORY.to_string(), "used more memory than it has (-104)");
        assert_eq!(ExitStatus(3).to_string(), "ended with 3");
    }
}
