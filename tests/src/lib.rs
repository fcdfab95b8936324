//! Harness of the system tests: a place of its own for each test, and handles on the real programs.
//!
//! A [`Site`] is one test's world: a temporary directory, a root of its own in ZooKeeper and a client there. It starts
//! masters ([`Master`]), runs commands ([`Output`]) and makes model directories ([`ModelDir`]), and when it is dropped no
//! process of the test is left. What a scenario asserts stands in `tests/system/`.

mod clients;
mod command;
mod http;
mod master;
mod model_dir;
mod processes;
mod programs;
mod registrations;
mod services;
mod site;
mod wait;
mod zookeeper;

pub use clients::{curator, kazoo, script};
pub use command::Output;
pub use http::get;
pub use master::{Master, MasterOptions};
pub use model_dir::ModelDir;
pub use processes::{Process, of_site};
pub use programs::{program, repository};
pub use registrations::Registered;
pub use services::Service;
pub use site::Site;
pub use wait::until;
pub use zookeeper::{ZooKeeper, shared_zookeeper};
