//! A master's own book of what it wants, has asked for and holds. Pure: it makes heartbeats and reads their answers, and sends nothing.
//!
//! It keeps the rules that cost containers when they are forgotten, all seen on Hadoop 3.5.0:
//!
//! - Asks are absolute, and only changes are sent; the ResourceManager counts down by itself as it grants, and so does this book.
//! - A heartbeat whose answer was lost must be repeated **unchanged**: the ResourceManager gives the answer that it kept, and does not look at what else
//!   the repetition asks for.
//! - What is granted beyond what is still wanted is given back.
//! - One bad ask fails the whole heartbeat, so after a refusal asks go one by one until the bad one is found.
//! - A ResourceManager that restarts forgets every ask, and every grant that was not started, without a word.

use std::collections::{BTreeMap, BTreeSet};

use super::{Allocated, Heartbeat};
use crate::types::{Ask, Container, ContainerId, ContainerStatus, Resource};

/// Containers of one size that are wanted and not yet granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Lower numbers are served first.
    pub priority: i32,
    /// The size of each.
    pub resource: Resource,
    /// The node label; `None` is the application's own.
    pub node_label: Option<String>,
    /// How many more.
    pub count: i32,
    /// Only there; `None` for anywhere. What is asked for behind it is not held up, as it would be if another place were to do after some time.
    pub pin: Option<Pin>,
}

/// The one node where a container is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The node's name: its host, with the port where [`YarnConfig::ports_in_node_names`](crate::config::YarnConfig::ports_in_node_names) says so.
    pub node: String,
    /// Its rack.
    pub rack: String,
}

/// What an answer brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// Containers that were wanted: start them, and say so with [`Asks::started`].
    pub granted: Vec<Container>,
    /// Containers that have ended, those included that were given back.
    pub ended: Vec<ContainerStatus>,
}

/// The book. Wants are kept by allocation request id: give every size an id of its own, or every container.
#[derive(Debug, Clone, Default)]
pub struct Asks {
    wants: BTreeMap<i64, Want>,
    /// Ids whose want has changed since it was sent.
    changed: BTreeSet<i64>,
    /// Priorities under which an id was asked for before, to be cancelled.
    stale: BTreeSet<(i64, i32)>,
    /// Where an id was pinned to before: as long as that is asked for, too, no other place will do.
    unpinned: BTreeMap<i64, Pin>,
    release: BTreeSet<ContainerId>,
    /// What was sent to be given back, and has not been told to have ended: a restart may forget that, too.
    releasing: BTreeSet<ContainerId>,
    /// What was sent and not answered yet.
    in_flight: Option<Sent>,
    held: BTreeMap<ContainerId, Held>,
    one_by_one: bool,
}

#[derive(Debug, Clone)]
struct Sent {
    asks: Vec<Ask>,
    release: Vec<ContainerId>,
}

#[derive(Debug, Clone)]
struct Held {
    container: Container,
    started: bool,
    /// The label that it was asked with.
    node_label: Option<String>,
}

impl Asks {
    /// Nothing wanted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many more containers are wanted under an id; a count of 0 cancels.
    pub fn want(&mut self, id: i64, want: Want) {
        let known = self.wants.get(&id);
        if known == Some(&want) || (known.is_none() && want.count <= 0) {
            return;
        }
        if let Some(known) = known
            && known.priority != want.priority
        {
            self.stale.insert((id, known.priority));
        }
        if let Some(known) = known
            && known.pin != want.pin
            && let Some(pin) = &known.pin
        {
            self.unpinned.insert(id, pin.clone());
        }
        self.changed.insert(id);
        self.wants.insert(id, want);
    }

    /// How many more containers are wanted under an id.
    pub fn wanted(&self, id: i64) -> i32 {
        self.wants.get(&id).map_or(0, |want| want.count.max(0))
    }

    /// Gives a container back, or ends it.
    pub fn release(&mut self, id: ContainerId) {
        if self.held.remove(&id).is_some() {
            self.release.insert(id);
        }
    }

    /// The containers that the ResourceManager has been told are given back, and whose end it has not told yet. It does so at once where it knows of
    /// them; one that has restarted may never.
    pub fn given_back(&self) -> impl Iterator<Item = ContainerId> {
        self.releasing.iter().copied()
    }

    /// A container was started: it outlives the ResourceManager from now on.
    pub fn started(&mut self, id: ContainerId) {
        if let Some(held) = self.held.get_mut(&id) {
            held.started = true;
        }
    }

    /// A container that an earlier attempt started is ours now.
    pub fn adopt(&mut self, container: Container) {
        self.held.insert(container.id, Held { container, started: true, node_label: None });
    }

    /// The containers that are held, started or not.
    pub fn held(&self) -> impl Iterator<Item = &Container> {
        self.held.values().map(|held| &held.container)
    }

    /// The next heartbeat: what has changed, or what the last one said when that was not answered.
    pub fn heartbeat(&mut self, progress: f32) -> Heartbeat {
        let sent = self.in_flight.take().unwrap_or_else(|| self.changes());
        let heartbeat =
            Heartbeat { asks: sent.asks.clone(), release: sent.release.clone(), progress, ..Heartbeat::default() };
        self.in_flight = Some(sent);
        heartbeat
    }

    fn changes(&mut self) -> Sent {
        let mut asks: Vec<Ask> = Vec::new();
        let room = |asks: &Vec<Ask>, one_by_one: bool| !one_by_one || asks.is_empty();
        while room(&asks, self.one_by_one)
            && let Some((id, priority)) = self.stale.pop_first()
        {
            asks.push(Ask { priority, ..Ask::anywhere(id, Resource::default(), 0) });
        }
        while room(&asks, self.one_by_one)
            && let Some(id) = self.changed.pop_first()
        {
            if let Some(want) = self.wants.get(&id) {
                asks.extend(self.unpinned.get(&id).into_iter().flat_map(|pin| want.without(id, pin)));
                asks.extend(want.to_asks(id));
            }
        }
        if self.changed.is_empty() {
            self.one_by_one = false;
        }
        Sent { asks, release: std::mem::take(&mut self.release).into_iter().collect() }
    }

    /// Takes in the answer to the last heartbeat.
    pub fn answered(&mut self, answer: &Allocated) -> News {
        if let Some(sent) = self.in_flight.take() {
            self.releasing.extend(sent.release);
        }
        let mut granted = Vec::new();
        for container in &answer.containers {
            // A repeated answer repeats its grants.
            let given_back = self.release.contains(&container.id) || self.releasing.contains(&container.id);
            if given_back || self.held.contains_key(&container.id) {
                continue;
            }
            let want =
                container.allocation_request_id.and_then(|id| self.wants.get_mut(&id)).filter(|want| want.count > 0);
            match want {
                Some(want) => {
                    want.count -= 1;
                    self.held.insert(
                        container.id,
                        Held { container: container.clone(), started: false, node_label: want.node_label.clone() },
                    );
                    granted.push(container.clone());
                }
                None => {
                    self.release.insert(container.id);
                }
            }
        }
        for container in &answer.previous {
            self.held.entry(container.id).or_insert_with(|| Held {
                container: container.clone(),
                started: true,
                node_label: None,
            });
        }
        for status in &answer.completed {
            self.held.remove(&status.id);
            self.release.remove(&status.id);
            self.releasing.remove(&status.id);
        }
        granted.retain(|container| self.held.contains_key(&container.id));
        self.forget_what_is_satisfied();
        News { granted, ended: answer.completed.clone() }
    }

    /// The heartbeat was refused for what it asked. Returns the ask that is to blame, which is wanted no more, or `None` while that is not known yet: then
    /// the next heartbeats find out.
    pub fn refused(&mut self) -> Option<Ask> {
        let sent = self.in_flight.take()?;
        self.release.extend(sent.release);
        if let Some((bad, others)) = sent.asks.split_last()
            && others.iter().all(|ask| ask.allocation_request_id == bad.allocation_request_id)
        {
            if let Some(id) = bad.allocation_request_id {
                self.wants.remove(&id);
                self.unpinned.remove(&id);
                self.changed.remove(&id);
            }
            return Some(bad.clone());
        }
        for ask in sent.asks {
            let Some(id) = ask.allocation_request_id else { continue };
            match self.wants.get(&id) {
                Some(want) if want.priority == ask.priority => drop(self.changed.insert(id)),
                _ => drop(self.stale.insert((id, ask.priority))),
            }
        }
        self.one_by_one = true;
        None
    }

    /// The ResourceManager has restarted and this master has registered again: everything is asked for once more. Returns the containers that were granted
    /// and not started: they are gone, and wanted again.
    pub fn registered_again(&mut self) -> Vec<Container> {
        if let Some(sent) = self.in_flight.take() {
            self.release.extend(sent.release);
        }
        self.release.append(&mut self.releasing);
        self.stale.clear();
        self.unpinned.clear();
        let (started, lost): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.held).into_iter().partition(|(_, held)| held.started);
        self.held = started;
        for Held { container, node_label, .. } in lost.values() {
            let Some(id) = container.allocation_request_id else { continue };
            let again = Want {
                priority: container.priority,
                resource: container.resource.clone(),
                node_label: node_label.clone(),
                count: 0,
                pin: None,
            };
            self.wants.entry(id).or_insert(again).count += 1;
        }
        self.changed = self.wants.keys().copied().collect();
        lost.into_values().map(|held| held.container).collect()
    }

    /// A want that is satisfied is kept only while a change of it has still to be sent.
    fn forget_what_is_satisfied(&mut self) {
        let Self { wants, changed, unpinned, .. } = self;
        wants.retain(|id, want| want.count > 0 || changed.contains(id));
        unpinned.retain(|id, _| wants.contains_key(id));
    }
}

impl Want {
    /// A pinned one is asked for at its node, and everywhere else it is said that no other place will do.
    fn to_asks(&self, id: i64) -> Vec<Ask> {
        let anywhere = Ask {
            priority: self.priority,
            node_label: self.node_label.clone(),
            relax_locality: self.pin.is_none(),
            ..Ask::anywhere(id, self.resource.clone(), self.count.max(0))
        };
        // A label stands at the widest place only.
        let at = |place: &String, relax_locality| Ask {
            place: place.clone(),
            relax_locality,
            node_label: None,
            ..anywhere.clone()
        };
        let pinned = self.pin.iter().flat_map(|pin| [at(&pin.node, true), at(&pin.rack, false)]);
        let mut asks: Vec<Ask> = pinned.collect();
        asks.push(anywhere);
        asks
    }

    /// What takes back that it was pinned there.
    fn without(&self, id: i64, pin: &Pin) -> [Ask; 2] {
        [&pin.node, &pin.rack].map(|place| Ask {
            priority: self.priority,
            place: place.clone(),
            ..Ask::anywhere(id, self.resource.clone(), 0)
        })
    }
}

#[cfg(test)]
mod tests;
