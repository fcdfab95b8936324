//! The library everything else in model-as-a-service stands on.
//!
//! # Glossary
//!
//! - A **model** is a name; a **version** of it is one published directory, immutable once published.
//! - An **instance** is one running copy of a version; its **endpoint** is the url it answers on.
//! - The **queue** carries requests (Curator's `SimpleDistributedQueue`), the **registry** holds live
//!   endpoints (Curator's `ServiceInstance` with Metron's `ModelEndpoint`), the **state** tree is ours:
//!   what is wanted, which instances were asked for, what became of each request.
//! - A **tree** is ZooKeeper's data model behind one trait, with a memory implementation for tests.
//!
//! Neighbours: the master decides and writes state, the runner claims and registers, `maas_deploy`
//! enqueues and reads, pipelines resolve and call. This crate knows none of them.

pub mod api;
pub mod balance;
#[cfg(feature = "cache")]
pub mod cache;
#[cfg(feature = "call")]
pub mod call;
pub mod config;
pub mod discovery;
pub mod event;
pub mod launch;
pub mod model;
pub mod open;
pub mod paths;
pub mod picture;
pub mod place;
pub mod process;
pub mod queue;
pub mod reach;
pub mod reason;
pub mod registry;
pub mod request;
pub mod resolver;
pub mod retry;
pub mod standing;
pub mod state;
pub mod state_store;
pub mod tree;
pub mod zk;

pub use open::open;
