//! The pipeline that calls models: source → parse → field transformations → enrichment → threat triage → sink, configured by Metron's own JSON files.
//!
//! # Glossary
//!
//! - A **sensor** is a kind of log and its configuration: how lines are read, transformed, enriched and indexed.
//! - A **line** is what a source gives; a **message** is its fields on their way; a **document** is a message as it is written.
//! - A **stage** is one part of the way. A stage has no I/O but the calls of models that its expressions make.
//! - An **error record** is a message about a line, or a part of it, that failed.
//!
//! Around it, [`run`] moves lines from a [`source`] to a [`sink`]; [`topology`] and [`configs`] know configurations in ZooKeeper. The core is pure: [`config`] compiles files, [`parse`], [`transform`], [`enrich`], [`triage`] and [`validate`] are the stages, [`pipeline`] joins them.
//! The language of expressions is `stellar-fns`', models are `maas-client`'s.

pub mod address;
pub mod apply;
pub mod cli;
pub mod config;
pub mod configs;
pub mod connect;
pub mod enrich;
pub mod error_record;
pub mod event;
pub mod expression;
pub mod grok;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod message;
pub mod parse;
pub mod patterns;
pub mod pipeline;
pub mod run;
pub mod sink;
pub mod source;
pub mod topology;
pub mod transform;
pub mod triage;
pub mod validate;
