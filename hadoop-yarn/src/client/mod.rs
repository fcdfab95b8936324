//! The typed protocols: a client's calls to the ResourceManager, an application master's calls to it, and its calls to NodeManagers.
//!
//! Each stands on [`crate::rpc`], which connects, authenticates, tries again and fails over, and turns messages into [`crate::types`].

mod application_master;
mod asks;
mod name_node;
mod node_manager;
mod resource_manager;

pub use application_master::{Allocated, ApplicationMaster, Heartbeat, Preemption, Registered};
pub use asks::{Asks, News, Pin, Want};
pub use name_node::NameNode;
pub use node_manager::{NodeManager, NodeManagers, Outcome, Signal, Start, Statuses};
pub use resource_manager::{NewApplication, ResourceManager};

#[cfg(test)]
pub(crate) use {
    application_master::PROTOCOL as APPLICATION_MASTER, node_manager::PROTOCOL as CONTAINER_MANAGEMENT,
    resource_manager::PROTOCOL as APPLICATION_CLIENT,
};
