//! What the runner has in ZooKeeper: its claim and its registration, kept as they are wanted, and its record; all three
//! are watched.
//!
//! Level-triggered: every pass reads record, claim and registration and makes one transaction of the difference, so a
//! lost answer, a lost connection or a replaced session needs no code of its own. [`plan_pass`] decides and is pure;
//! [`Ledger`] reads and writes. It decides nothing about the instance: it tells [`crate::lifecycle`] what it found.

use crate::lifecycle::Event;
use maas_client::config::Roots;
use maas_client::reason::{Reason, ReasonCode};
use maas_client::registry::Registration;
use maas_client::state::{Claim, InstanceRecord, Wanted};
use maas_client::tree::{self, Access, Node, Op, SharedTree, TreeExt};
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Pause after an error that may go away by itself.
const PAUSE: Duration = Duration::from_millis(200);
/// Pause after the first lost race.
const AGAIN: Duration = Duration::from_millis(5);

/// What shall stand in ZooKeeper.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    /// The claim.
    pub(crate) claim: Claim,
    /// The registration; `None` for none.
    pub(crate) registration: Option<Registration>,
}

/// What the ledger tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    /// Something the life of the instance depends on.
    Event(Event),
    /// Another runner has the claim, or there is no way to ZooKeeper: nothing may be started.
    Refused(String),
}

/// What the record asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Record {
    /// There is none (or none that can be read).
    Gone,
    /// Run, at this version of the record.
    Run { version: i32 },
    /// Stop, for this reason.
    Stop(Reason),
}

impl Record {
    fn read(node: Option<&Node>) -> Record {
        let parsed = node.map(|node| (node.stat.version, serde_json::from_slice::<InstanceRecord>(&node.data)));
        match parsed {
            Some((version, Ok(record))) => match record.wanted {
                Wanted::Run => Record::Run { version },
                Wanted::Stop => Record::Stop(
                    record.reason.unwrap_or_else(|| Reason::new(ReasonCode::Removed, "it is not wanted any more")),
                ),
            },
            Some((_, Err(error))) => {
                tracing::warn!(%error, "the record can't be read");
                Record::Gone
            }
            None => Record::Gone,
        }
    }
}

/// Paths of one instance.
#[derive(Debug, Clone)]
struct Paths {
    record: String,
    claim: String,
    registration: String,
    service: String,
}

/// What one pass does.
#[derive(Debug, Clone, PartialEq)]
enum Pass {
    /// Everything is as wanted.
    Settled,
    /// These make it so.
    Write(Vec<Op>),
    /// The claim is another runner's.
    ClaimedByAnother { host: String, pid: u32 },
}

/// Compares what is there with what shall be. `claimed`: whether the claim was ever ours.
fn plan_pass(
    paths: &Paths,
    record: &Record,
    found: (Option<&Node>, Option<&Node>),
    target: (&[u8], Option<&[u8]>, &Claim),
    session: i64,
    claimed: bool,
) -> Pass {
    let (claim, registration) = found;
    let (claim_bytes, registration_bytes, own) = target;
    let run = matches!(record, Record::Run { .. });
    let mut ops = Vec::new();
    let create = |path: &str, bytes: &[u8]| Op::create_ephemeral(path, bytes);
    match claim {
        Some(node) if node.stat.ephemeral_owner != session => {
            // Another session's: ours from before, or another runner's. Once it was ours nobody else may take it.
            let theirs = serde_json::from_slice::<Claim>(&node.data).ok();
            let ours = claimed || theirs.as_ref().is_some_and(|c| c.pid == own.pid && c.host == own.host);
            match theirs {
                _ if ours && run => {
                    ops.push(Op::delete(&paths.claim, Some(node.stat.version)));
                    ops.push(create(&paths.claim, claim_bytes));
                }
                _ if ours => {}
                theirs => {
                    let (host, pid) = theirs.map_or((String::from("?"), 0), |claim| (claim.host, claim.pid));
                    return Pass::ClaimedByAnother { host, pid };
                }
            }
        }
        Some(node) if node.data != claim_bytes => ops.push(Op::set(&paths.claim, claim_bytes, Some(node.stat.version))),
        Some(_) => {}
        None if run => ops.push(create(&paths.claim, claim_bytes)),
        None => {}
    }
    match (registration, registration_bytes) {
        (Some(node), Some(bytes)) if run && (node.stat.ephemeral_owner != session || node.data != bytes) => {
            ops.push(Op::delete(&paths.registration, Some(node.stat.version)));
            ops.push(create(&paths.registration, bytes));
        }
        (None, Some(bytes)) if run => ops.push(create(&paths.registration, bytes)),
        (Some(node), None) => ops.push(Op::delete(&paths.registration, Some(node.stat.version))),
        _ => {}
    }
    if ops.is_empty() {
        return Pass::Settled;
    }
    // Nothing new appears under a record that was changed meanwhile.
    if let Record::Run { version } = record {
        ops.insert(0, Op::check(&paths.record, *version));
    }
    Pass::Write(ops)
}

/// A watch that is set once and kept until it fires: one per pass would pile up in the client.
#[derive(Default)]
struct Standing(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Standing {
    /// Reads the node, and watches it from then on unless it is watched already.
    async fn read(&mut self, tree: &SharedTree, path: &str) -> Result<Option<Node>, tree::Error> {
        if self.0.is_some() {
            return tree.get(path).await;
        }
        let (node, watch) = tree.get_and_watch(path).await?;
        self.0 = Some(Box::pin(watch.changed()));
        Ok(node)
    }

    /// Returns once it fires; may be dropped and asked again.
    async fn fired(&mut self) {
        match &mut self.0 {
            Some(watch) => watch.await,
            None => std::future::pending().await,
        }
        self.0 = None;
    }
}

/// The nodes of one instance as they are watched: what somebody else does to ours is put right too.
#[derive(Default)]
struct Watches {
    record: Standing,
    claim: Standing,
    registration: Standing,
}

/// Keeps one instance's nodes as they are wanted.
pub(crate) struct Ledger {
    tree: SharedTree,
    paths: Paths,
    target: watch::Receiver<Target>,
    told: mpsc::UnboundedSender<Told>,
    claimed: bool,
    registered: bool,
    last_record: Option<Record>,
    last_error: Option<String>,
    service_is_there: bool,
    watches: Watches,
}

impl Ledger {
    /// A ledger for the instance `id` of the model `name`.
    pub(crate) fn new(
        tree: SharedTree,
        roots: &Roots,
        (name, id): (&str, &str),
        target: watch::Receiver<Target>,
        told: mpsc::UnboundedSender<Told>,
    ) -> Ledger {
        let paths = Paths {
            record: roots.instance(id),
            claim: roots.claim(id),
            registration: roots.registration(name, id),
            service: roots.service(name),
        };
        Ledger {
            tree,
            paths,
            target,
            told,
            claimed: false,
            registered: false,
            last_record: None,
            last_error: None,
            service_is_there: false,
            watches: Watches::default(),
        }
    }

    /// Works until the target's other end is dropped, or until the claim turns out to be another's.
    pub(crate) async fn run(mut self) {
        let mut session = self.tree.session();
        // After a lost race it looks again at once, after several more and more slowly.
        let mut again = AGAIN;
        loop {
            session.borrow_and_update();
            let passed = self.pass().await;
            again = if passed.is_ok() { AGAIN } else { (again * 2).min(PAUSE * 5) };
            let pause = match passed {
                Ok(true) => None,
                Ok(false) => return,
                Err(error) if error.is_retryable() => Some(PAUSE),
                Err(tree::Error::BadVersion { .. } | tree::Error::NodeExists { .. } | tree::Error::NoNode { .. }) => {
                    // Somebody was quicker: look again.
                    Some(again)
                }
                Err(error) => {
                    // Said once: the log is not rotated.
                    let said = error.to_string();
                    if self.last_error.as_ref() != Some(&said) {
                        tracing::warn!(error = said, "claim and registration can't be written");
                        self.last_error = Some(said);
                    }
                    Some(PAUSE * 5)
                }
            };
            let timer = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            // Each only says "look again".
            let over = tokio::select! {
                () = self.watches.record.fired() => false,
                () = self.watches.claim.fired() => false,
                () = self.watches.registration.fired() => false,
                () = timer => false,
                changed = self.target.changed() => changed.is_err(),
                changed = session.changed() => changed.is_err(),
            };
            if over {
                return;
            }
        }
    }

    /// Reads, compares, writes; `false` when there is nothing more to do here, ever.
    async fn pass(&mut self) -> Result<bool, tree::Error> {
        let (tree, paths, watches) = (&self.tree, &self.paths, &mut self.watches);
        let (node, claim, registration) = tokio::join!(
            watches.record.read(tree, &paths.record),
            watches.claim.read(tree, &paths.claim),
            watches.registration.read(tree, &paths.registration),
        );
        let node = node?;
        let (claim, registration) = (claim?, registration?);
        let record = Record::read(node.as_ref());
        let Some(session) = self.tree.session().borrow().connected() else { return Err(tree::Error::ConnectionLoss) };
        self.tell_record(&record);
        let target = self.target.borrow_and_update().clone();
        let claim_bytes = serde_json::to_vec(&target.claim).map_err(unwritable)?;
        let registration_bytes = target.registration.as_ref().map(Registration::encode);
        let pass = plan_pass(
            &self.paths,
            &record,
            (claim.as_ref(), registration.as_ref()),
            (&claim_bytes, registration_bytes.as_deref(), &target.claim),
            session,
            self.claimed,
        );
        match pass {
            Pass::ClaimedByAnother { host, pid } => {
                self.tell(Told::Refused(format!("another runner has claimed it: pid {pid} on {host}")));
                return Ok(false);
            }
            Pass::Settled => {}
            Pass::Write(ops) => {
                if registration_bytes.is_some() && registration.is_none() {
                    self.ensure_service().await?;
                }
                let written = self.tree.multi(ops).await;
                self.service_is_there &= written.is_ok();
                written?;
            }
        }
        if matches!(record, Record::Run { .. }) && !self.claimed {
            self.claimed = true;
            self.tell(Told::Event(Event::Claimed));
            // While the model starts there is time for it; if it fails, it is tried again when it is needed.
            let _later = self.ensure_service().await;
        }
        let registered =
            target.registration.is_some() && (registration.is_some() || matches!(record, Record::Run { .. }));
        if target.registration.is_none() {
            self.tell(Told::Event(Event::Unregistered));
        } else if registered && !self.registered {
            tracing::info!(url = target.claim.url, "registered");
        }
        self.registered = registered;
        Ok(true)
    }

    /// The node of the model's name, which stays when its registrations go.
    async fn ensure_service(&mut self) -> Result<(), tree::Error> {
        if !self.service_is_there {
            self.tree.ensure_path(&self.paths.service, Access::RunnerCreates).await?;
            self.service_is_there = true;
        }
        Ok(())
    }

    fn tell_record(&mut self, record: &Record) {
        if self.last_record.as_ref() == Some(record) {
            return;
        }
        match record {
            Record::Gone => self.tell(Told::Event(Event::RecordGone)),
            Record::Stop(reason) => self.tell(Told::Event(Event::StopWanted(reason.clone()))),
            Record::Run { .. } => {}
        }
        self.last_record = Some(record.clone());
    }

    fn tell(&self, told: Told) {
        // Nobody listens any more when the runner is at its end.
        let _ended = self.told.send(told);
    }
}

fn unwritable(error: impl std::fmt::Display) -> tree::Error {
    tree::Error::Invalid { message: error.to_string() }
}

#[cfg(test)]
mod tests;
