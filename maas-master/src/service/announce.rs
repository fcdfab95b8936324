//! What a master says of itself: JSON lines on stdout with `--json`, else sentences on stderr.

use crate::view::{Role, View};
use maas_cli::output::Out;
use maas_client::api::Amounts;
use maas_client::state::Leader;
use serde::{Deserialize, Serialize};
use std::io::Write;

/// A line of `--json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Line {
    /// This master leads.
    Ready {
        /// Its HTTP.
        http: String,
        /// Its epoch.
        epoch: i32,
        /// Its process.
        pid: u32,
        /// What models may use.
        capacity: Amounts,
        /// Where it keeps its state.
        state_dir: String,
        /// The model store.
        store: String,
    },
    /// Another master leads.
    Standby {
        /// Who leads.
        leader: Option<Leader>,
        /// This one's HTTP.
        http: String,
        /// This one's process.
        pid: u32,
    },
    /// The master ends.
    Stopped {
        /// Why.
        reason: String,
        /// How many instances run on.
        instances: u64,
    },
}

impl Line {
    /// The line as a sentence.
    pub(super) fn sentence(&self) -> String {
        match self {
            Line::Ready { http, epoch, pid, capacity, store, .. } => format!(
                "ready: leads with epoch {epoch}, pid {pid}, {http}; models may use {} MB, {} cores, {} GPUs; store {store}",
                capacity.memory_mb, capacity.vcores, capacity.gpus
            ),
            Line::Standby { leader: Some(leader), http, pid } => format!(
                "standing by, pid {pid}, {http}; {} with pid {} leads with epoch {}",
                leader.host, leader.pid, leader.epoch
            ),
            Line::Standby { leader: None, http, pid } => format!("standing by, pid {pid}, {http}; none leads yet"),
            Line::Stopped { reason, instances: 0 } => format!("stopped: {reason}"),
            Line::Stopped { reason, instances } => {
                format!("stopped: {reason}; {instances} instances run on, the next master adopts them")
            }
        }
    }
}

/// Says each thing once.
pub(super) struct Announcer {
    json: bool,
    http: String,
    capacity: Amounts,
    state_dir: String,
    store: String,
    /// The epoch it leads with, or the leader it stands by for.
    last: Option<Said>,
}

#[derive(PartialEq, Eq)]
enum Said {
    Leads(i32),
    StandsBy(Option<i32>),
}

impl Announcer {
    pub(super) fn new(config: &crate::config::Config, http: String) -> Announcer {
        Announcer {
            json: config.json,
            http,
            capacity: config.capacity,
            state_dir: config.state_dir.display().to_string(),
            store: config.store.clone(),
            last: None,
        }
    }

    /// Says it when leading or standing by is news.
    pub(super) fn role(&mut self, view: &View) {
        let pid = std::process::id();
        let (said, line) = match &view.role {
            Role::Connecting => return,
            // Ready means that requests are taken: the first pass is over.
            Role::Leading(_) if view.passes == 0 => return,
            Role::Leading(leader) => (
                Said::Leads(leader.epoch),
                Line::Ready {
                    http: self.http.clone(),
                    epoch: leader.epoch,
                    pid,
                    capacity: self.capacity,
                    state_dir: self.state_dir.clone(),
                    store: self.store.clone(),
                },
            ),
            // Between two leaders: the next one is about to show.
            Role::Standby { leader: None } if self.last.is_some() => return,
            Role::Standby { leader } => (
                Said::StandsBy(leader.as_ref().map(|leader| leader.epoch)),
                Line::Standby { leader: leader.clone(), http: self.http.clone(), pid },
            ),
        };
        if self.last.as_ref() != Some(&said) {
            self.last = Some(said);
            self.say(&line);
        }
    }

    /// Says it now.
    pub(super) fn say(&self, line: &Line) {
        if self.json {
            // Whoever listened may have gone: a detached master's starter does.
            let _ = Out::stdout().json(line);
        } else {
            note(&line.sentence());
        }
    }
}

/// One line on stderr. A stderr that can't be written to leaves nobody to tell.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
