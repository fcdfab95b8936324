//! The application master: takes requests from the queue, keeps the wanted number of instances running, and shows it.
//!
//! # Glossary
//!
//! - **Desired** is what requests asked for, **observed** what is there, a **plan** the steps from one to the other.
//! - A **pass** is observe → plan → execute; a wake-up only says "look again".
//! - The **term** of a leader is the time it holds one **epoch**; every write of it carries that epoch's check.
//! - A **launcher** starts and ends runners and proves their death; it decides nothing.

pub mod cli;
pub mod clock;
pub mod config;
pub mod desired;
pub mod error;
pub mod events;
pub mod execute;
pub mod failpoint;
#[cfg(test)]
mod fixture;
pub mod http;
pub mod hypothesis;
pub mod intake;
pub mod launcher;
pub mod leader;
pub mod observe;
pub mod observed;
pub mod outbox;
pub mod payload;
pub mod plan;
pub mod policy;
pub mod reconciler;
pub mod service;
pub mod status;
pub mod status_writer;
pub mod tail;
pub mod view;
