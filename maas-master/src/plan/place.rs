//! Where instances fit: what each node has left, and in words why something does not fit. Pure.

use crate::observed::{Instance, Node, Process};
use maas_client::api::{Amounts, NodeView, WaitingView};
use maas_client::model::ModelId;
use maas_client::reason::{Reason, ReasonCode, plural};
use maas_client::request::Resources;
use std::collections::{BTreeSet, HashMap};

/// What is left on each node while a plan is being made.
pub(super) struct Room<'a> {
    /// Whether the launcher finds places: then there is always room, and what there is too little of is its word.
    found: bool,
    nodes: Vec<(&'a Node, Amounts)>,
    by_host: HashMap<&'a str, usize>,
    /// Free memory and place in `nodes` of each, so that a launch need not look at all of them. Made for the first one.
    by_free: Option<BTreeSet<(u64, usize)>>,
}

impl<'a> Room<'a> {
    /// All there is, with nothing on it yet.
    pub(super) fn new(nodes: &'a [Node], found: bool) -> Room<'a> {
        let by_host = nodes.iter().enumerate().map(|(at, node)| (node.host.as_str(), at)).collect();
        Room { found, nodes: nodes.iter().map(|node| (node, Amounts::default())).collect(), by_host, by_free: None }
    }

    /// Counts what an instance holds, which it does until its death is proved. Before the first [`Room::take`].
    pub(super) fn hold(&mut self, instance: &Instance) {
        if matches!(instance.process, Process::Dead { .. }) {
            return;
        }
        let at = self.by_host.get(instance.record.host.as_str());
        if let Some((_, used)) = at.and_then(|at| self.nodes.get_mut(*at)) {
            take(used, &instance.record.resources);
        }
    }

    /// Takes room for one instance on the node with most memory free; `None` when it fits nowhere now, and no name where
    /// the launcher finds places.
    pub(super) fn take(&mut self, needs: &Resources) -> Option<&'a str> {
        if self.found {
            return Some("");
        }
        let by_free = self.by_free.get_or_insert_with(|| {
            self.nodes.iter().enumerate().map(|(at, (node, used))| (free(node, used).memory_mb, at)).collect()
        });
        let large_enough = by_free.range((needs.memory_mb, 0)..).rev().copied();
        let mut nodes = large_enough.filter_map(|place| Some((place, self.nodes.get(place.1)?)));
        let (place, _) =
            nodes.find(|(_, (node, used))| node_takes(node, needs) && holds(&available(node, used), needs))?;
        let (node, used) = self.nodes.get_mut(place.1)?;
        take(used, needs);
        by_free.remove(&place);
        by_free.insert((free(node, used).memory_mb, place.1));
        Some(node.host.as_str())
    }

    /// Why no node could ever hold it, even when empty; `None` when one could.
    pub(super) fn never(&self, needs: &Resources) -> Option<String> {
        if self.found || self.nodes.is_empty() {
            return None;
        }
        let labelled = self.labelled(needs, |node, _| node.total);
        if labelled.is_empty() {
            return Some(format!("can never fit: no node has the label {:?}", needs.label));
        }
        if labelled.iter().any(|(_, total)| holds(total, needs)) {
            return None;
        }
        Some(format!("can never fit: {}", shortage(&labelled, needs, "largest is", " in all")))
    }

    /// Why it does not fit now, and how many others wait before it.
    pub(super) fn why_not(&self, needs: &Resources, others: usize) -> String {
        let labelled = self.labelled(needs, available);
        if labelled.is_empty() {
            return "no node is known yet".to_string();
        }
        let mut text = shortage(&labelled, needs, "most free", "");
        match others {
            0 => {}
            1 => text.push_str("; 1 other waits before it"),
            more => text.push_str(&format!("; {more} others wait before it")),
        }
        text
    }

    /// The nodes it may run on, each with some amounts of it.
    fn labelled(&self, needs: &Resources, amounts: impl Fn(&Node, &Amounts) -> Amounts) -> Vec<(&'a Node, Amounts)> {
        let takers = self.nodes.iter().filter(|(node, _)| node_takes(node, needs));
        takers.map(|(node, used)| (*node, amounts(node, used))).collect()
    }

    /// As HTTP shows it.
    pub(super) fn view(&self) -> Vec<NodeView> {
        self.nodes
            .iter()
            .map(|(node, used)| NodeView {
                host: node.host.clone(),
                total: node.total,
                used: *used,
                free: free(node, used),
                shares_vcores: !node.limits_vcores,
            })
            .collect()
    }
}

fn node_takes(node: &Node, needs: &Resources) -> bool {
    needs.label.is_empty() || node.label == needs.label
}

fn take(used: &mut Amounts, needs: &Resources) {
    used.memory_mb = used.memory_mb.saturating_add(needs.memory_mb);
    used.vcores = used.vcores.saturating_add(needs.vcores);
    used.gpus = used.gpus.saturating_add(needs.gpus);
}

fn free(node: &Node, used: &Amounts) -> Amounts {
    Amounts {
        memory_mb: node.total.memory_mb.saturating_sub(used.memory_mb),
        vcores: node.total.vcores.saturating_sub(used.vcores),
        gpus: node.total.gpus.saturating_sub(used.gpus),
    }
}

/// What one more instance could get: all virtual cores where their sum is not limited, else what is free.
fn available(node: &Node, used: &Amounts) -> Amounts {
    let free = free(node, used);
    let vcores = if node.limits_vcores { free.vcores } else { node.total.vcores };
    Amounts { vcores, ..free }
}

fn holds(amounts: &Amounts, needs: &Resources) -> bool {
    amounts.memory_mb >= needs.memory_mb && amounts.vcores >= needs.vcores && amounts.gpus >= needs.gpus
}

/// Names the first kind of which no node has enough, with the node that has most of it.
fn shortage(nodes: &[(&Node, Amounts)], needs: &Resources, most: &str, tail: &str) -> String {
    type Kind = (u64, fn(&Amounts) -> u64, fn(u64) -> String);
    let kinds: [Kind; 3] = [
        (needs.memory_mb, |amounts| amounts.memory_mb, |count| format!("{count} MB")),
        (u64::from(needs.vcores), |amounts| u64::from(amounts.vcores), |count| plural(count, "vcore")),
        (u64::from(needs.gpus), |amounts| u64::from(amounts.gpus), |count| plural(count, "GPU")),
    ];
    for (need, of, words) in kinds {
        let best = nodes.iter().max_by_key(|(node, amounts)| (of(amounts), std::cmp::Reverse(&node.host)));
        if let Some((node, amounts)) = best.filter(|(_, amounts)| of(amounts) < need) {
            return format!("needs {}; {most} {}{tail} on host {}", words(need), words(of(amounts)), node.host);
        }
    }
    format!(
        "needs {} MB, {} and {} on one node",
        needs.memory_mb,
        plural(needs.vcores.into(), "vcore"),
        plural(needs.gpus.into(), "GPU")
    )
}

/// Versions that wait for room, first come first.
#[derive(Default)]
pub(super) struct Queue {
    views: Vec<WaitingView>,
}

impl Queue {
    /// How many versions wait for room that may come.
    pub(super) fn ahead(&self) -> usize {
        self.views.iter().filter(|view| view.reason.code == ReasonCode::WaitingCapacity).count()
    }

    /// One more.
    pub(super) fn push(&mut self, model: &ModelId, count: u32, reason: Reason) {
        self.views.push(WaitingView { name: model.name.clone(), version: model.version.clone(), count, reason });
    }

    /// As HTTP shows it.
    pub(super) fn into_views(self) -> Vec<WaitingView> {
        self.views
    }
}
