//! What the ResourceManager says about a queue.

use super::{WireEnum as _, wire_enum};
use crate::proto::yarn::{QueueInfoProto, QueueStateProto};

wire_enum! {
    /// Whether a queue takes applications.
    QueueState from QueueStateProto {
        /// Takes none.
        Stopped = QStopped => "STOPPED",
        /// Takes them.
        Running = QRunning => "RUNNING",
        /// Takes none, and waits for those it has.
        Draining = QDraining => "DRAINING",
    }
}

/// A queue. Shares are fractions: 0.5 is half.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueInfo {
    /// Its own name.
    pub name: String,
    /// Its full name, such as `root.default`; the own name where the server does not say (before 3.3).
    pub path: String,
    /// Its state.
    pub state: QueueState,
    /// The share of its parent that it is promised.
    pub capacity: f32,
    /// The share of its parent that it can grow to.
    pub maximum_capacity: f32,
    /// How much of what it is promised is in use; more than 1 when it has grown.
    pub current_capacity: f32,
    /// Labels that its applications may ask for; `*` for all.
    pub labels: Vec<String>,
    /// Memory in MiB that can still be given, is given, and is waited for; where the server says.
    pub memory_mb: Usage,
    /// The same for virtual cores.
    pub vcores: Usage,
    /// Queues below it, when they were asked for.
    pub children: Vec<QueueInfo>,
}

/// How much of something a queue still has, has given, and has been asked for beyond that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Can still be given.
    pub available: i64,
    /// Is given.
    pub allocated: i64,
    /// Is waited for.
    pub pending: i64,
}

impl QueueInfo {
    /// The queues nest as deep as the message does, which its decoder bounds.
    pub(crate) fn from_proto(queue: QueueInfoProto) -> Self {
        let statistics = queue.queue_statistics.unwrap_or_default();
        let name = queue.queue_name.clone().unwrap_or_default();
        Self {
            path: queue.queue_path.clone().filter(|path| !path.is_empty()).unwrap_or_else(|| name.clone()),
            state: queue.state.map_or(QueueState::Unknown, QueueState::from_proto),
            capacity: queue.capacity(),
            maximum_capacity: queue.maximum_capacity(),
            current_capacity: queue.current_capacity(),
            memory_mb: Usage {
                available: statistics.available_memory_mb(),
                allocated: statistics.allocated_memory_mb(),
                pending: statistics.pending_memory_mb(),
            },
            vcores: Usage {
                available: statistics.available_v_cores(),
                allocated: statistics.allocated_v_cores(),
                pending: statistics.pending_v_cores(),
            },
            name,
            labels: queue.accessible_node_labels,
            children: queue.child_queues.into_iter().map(Self::from_proto).collect(),
        }
    }
}
