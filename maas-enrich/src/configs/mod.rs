//! `zk_load_configs`: configurations to, from and in ZooKeeper.
//!
//! `check` says what is wrong with files, `plan` what a push changes, `commands` does it, `cli` takes the options; `patch` is RFC 6902 on `ordered` JSON.

mod check;
pub mod cli;
mod commands;
mod ordered;
mod patch;
mod plan;
