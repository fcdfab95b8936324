//! The built program where no server is needed: usage, refusals, exit codes, help. Verbs at work are tested beside
//! their code on a memory tree, and end to end in the workspace's system tests.

mod help;
mod program;
mod refusals;
mod usage;
