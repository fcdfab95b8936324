//! What the ResourceManager says about a node.

use super::{NodeId, Resource, WireEnum as _, wire_enum};
use crate::proto::yarn::{NodeReportProto, NodeStateProto};

wire_enum! {
    /// Where a node is in its life.
    NodeState from NodeStateProto {
        /// Known, not yet in use.
        New = NsNew => "NEW",
        /// Takes containers.
        Running = NsRunning => "RUNNING",
        /// Its own checks failed, such as those of its disks.
        Unhealthy = NsUnhealthy => "UNHEALTHY",
        /// Taken out of service.
        Decommissioned = NsDecommissioned => "DECOMMISSIONED",
        /// Has not been heard of for too long. Its containers count as gone, though their processes may still run.
        Lost = NsLost => "LOST",
        /// Registered again under the same name.
        Rebooted = NsRebooted => "REBOOTED",
        /// About to be taken out of service: takes nothing new.
        Decommissioning = NsDecommissioning => "DECOMMISSIONING",
        /// Stopped in order.
        Shutdown = NsShutdown => "SHUTDOWN",
    }
}

impl NodeState {
    /// Whether containers run there, or may.
    pub fn is_usable(self) -> bool {
        matches!(self, Self::New | Self::Running | Self::Rebooted | Self::Decommissioning)
    }
}

/// A node as the ResourceManager sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeReport {
    /// The NodeManager.
    pub id: NodeId,
    /// Its state.
    pub state: NodeState,
    /// Host and port of its web pages.
    pub http_address: String,
    /// Its rack, such as `/default-rack`.
    pub rack: String,
    /// What it has.
    pub capability: Resource,
    /// What is given out.
    pub used: Resource,
    /// How many containers it runs.
    pub containers: i32,
    /// What it says about its health; empty when it is well.
    pub health: String,
    /// Its labels.
    pub labels: Vec<String>,
}

impl NodeReport {
    /// What is not given out.
    pub fn free(&self) -> Resource {
        let other = self.capability.other.iter();
        Resource {
            memory_mb: self.capability.memory_mb - self.used.memory_mb,
            vcores: self.capability.vcores - self.used.vcores,
            other: other
                .map(|(name, amount)| (name.clone(), amount - self.used.other.get(name).copied().unwrap_or(0)))
                .collect(),
        }
    }

    pub(crate) fn from_proto(node: NodeReportProto) -> Self {
        Self {
            state: node.node_state.map_or(NodeState::Unknown, NodeState::from_proto),
            containers: node.num_containers(),
            id: NodeId::from_proto(&node.node_id.unwrap_or_default()),
            http_address: node.http_address.unwrap_or_default(),
            rack: node.rack_name.unwrap_or_default(),
            capability: Resource::from_proto(&node.capability.unwrap_or_default()),
            used: Resource::from_proto(&node.used.unwrap_or_default()),
            health: node.health_report.unwrap_or_default(),
            labels: node.node_labels,
        }
    }
}
