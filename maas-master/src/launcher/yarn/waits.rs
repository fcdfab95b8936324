//! Why YARN does not give a container. It says nothing itself: an ask that can't be served just stays open, and one that is too large fails all asks beside it.

use hadoop_yarn::types::{NodeReport, QueueInfo, Resource, Usage};
use maas_client::reason::{Reason, ReasonCode};
use maas_client::request::Resources;

/// What is known about the cluster that was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// The most that one container may have, as the register call told.
    pub maximum: Resource,
    /// What the cluster counts, as the register call told; empty where the server does not say.
    pub resource_types: Vec<String>,
    /// Whether the scheduler counts virtual cores, as the register call told.
    pub counts_vcores: bool,
    /// What a container gets at least; its memory is a multiple of this.
    pub minimum: Resource,
    /// Whether nodes and queue have been seen.
    pub is_seen: bool,
    /// The nodes that take containers.
    pub nodes: Vec<NodeReport>,
    /// The application's queue.
    pub queue: Option<QueueInfo>,
    /// What the application has of it.
    pub used: Resource,
}

impl Cluster {
    /// What YARN takes off its room for these needs: whole steps, and never more than it gives at most.
    pub(super) fn given(&self, needs: &Resources) -> Resource {
        let asked = resource(needs);
        let memory_mb = in_steps(asked.memory_mb, self.minimum.memory_mb, self.maximum.memory_mb);
        let vcores = in_steps(asked.vcores.into(), self.minimum.vcores.into(), self.maximum.vcores.into());
        Resource { memory_mb, vcores: i32::try_from(vcores).unwrap_or(i32::MAX), ..asked }
    }

    /// How many containers with so much fit into this room, as the scheduler counts.
    pub(super) fn times(&self, room: &Resource, given: &Resource) -> u32 {
        let of = |room: i64, given: i64| if given > 0 { room.max(0) / given } else { i64::MAX };
        let mut times = of(room.memory_mb, given.memory_mb);
        if self.counts_vcores {
            times = times.min(of(room.vcores.into(), given.vcores.into()));
        }
        for (name, amount) in &given.other {
            times = times.min(of(room.other.get(name).copied().unwrap_or(0), *amount));
        }
        u32::try_from(times).unwrap_or(u32::MAX)
    }

    /// Whether so much room is enough for one.
    pub(super) fn is_room(&self, room: &Resource, needs: &Resources) -> bool {
        self.times(room, &self.given(needs)) > 0
    }
}

/// An amount in whole steps, not above the largest.
fn in_steps(asked: i64, step: i64, most: i64) -> i64 {
    let step = step.max(1);
    let up = asked.max(1).checked_add(step - 1).map_or(i64::MAX, |up| up / step * step);
    up.min(most).max(asked)
}

/// What these resources are to YARN.
pub fn resource(needs: &Resources) -> Resource {
    let memory = i64::try_from(needs.memory_mb).unwrap_or(i64::MAX);
    let all = Resource::new(memory, i32::try_from(needs.vcores).unwrap_or(i32::MAX));
    if needs.gpus > 0 { all.with(Resource::GPU, i64::from(needs.gpus)) } else { all }
}

/// The ask's priority; lower ones are served first. Smaller asks go before larger ones, and those with GPUs last: the
/// scheduler looks at nothing behind the first ask of an application that does not fit.
pub(super) fn priority(needs: &Resources, maximum: &Resource) -> i32 {
    let asked = resource(needs);
    let share = |of: i64, all: i64| of.max(0).saturating_mul(1000).checked_div(all.max(1)).unwrap_or(0).min(1000);
    let memory = share(asked.memory_mb, maximum.memory_mb);
    let size = memory.max(share(asked.vcores.into(), maximum.vcores.into()));
    let rank = 1 + size + if needs.gpus > 0 { 1001 } else { 0 };
    i32::try_from(rank).unwrap_or(i32::MAX)
}

/// Why an instance that needs this is not granted its container. An ask that gets [`ReasonCode::NeverFits`] must not be sent.
pub fn why_not(needs: &Resources, cluster: &Cluster) -> Reason {
    never(needs, cluster).map_or_else(
        || {
            Reason::new(
                ReasonCode::WaitingCapacity,
                // What a queue says it has left counts all kinds by the one that is short: nodes are asked first.
                nodes_full(needs, cluster).unwrap_or_else(|| queue_full(needs, cluster)),
            )
        },
        |text| Reason::new(ReasonCode::NeverFits, text),
    )
}

/// What no waiting will change. Before the nodes have been seen nothing is said of them.
pub(super) fn never(needs: &Resources, cluster: &Cluster) -> Option<String> {
    let asked = resource(needs);
    let Cluster { maximum, resource_types, nodes, .. } = cluster;
    if needs.gpus > 0 && !resource_types.is_empty() && !resource_types.iter().any(|name| name == Resource::GPU) {
        return Some(format!(
            "asks {} GPU{}, and this cluster counts none",
            needs.gpus,
            if needs.gpus == 1 { "" } else { "s" }
        ));
    }
    if asked.memory_mb > maximum.memory_mb {
        return Some(format!("asks {} MB, the largest allowed is {} MB", asked.memory_mb, maximum.memory_mb));
    }
    if asked.vcores > maximum.vcores {
        return Some(format!("asks {} vcores, the most allowed are {}", asked.vcores, maximum.vcores));
    }
    if !cluster.is_seen {
        return None;
    }
    if !needs.label.is_empty() && !nodes.iter().any(|node| has_label(node, needs)) {
        return Some(format!("no node with label {}", needs.label));
    }
    let largest = nodes.iter().filter(|node| has_label(node, needs)).max_by_key(|node| node.capability.memory_mb)?;
    // Not by steps: what the configuration here says of them may not be the cluster's.
    if nodes.iter().any(|node| has_label(node, needs) && cluster.times(&node.capability, &asked) > 0) {
        return None;
    }
    Some(format!("asks {asked}, and no node has as much; {} has {}", largest.id.host, largest.capability))
}

/// Whether a node takes what needs this label, or none.
pub(super) fn has_label(node: &NodeReport, needs: &Resources) -> bool {
    let own: Vec<&String> = node.labels.iter().filter(|label| !label.is_empty()).collect();
    if needs.label.is_empty() { own.is_empty() } else { own.contains(&&needs.label) }
}

/// Nodes have room, and the queue may not use it.
fn queue_full(needs: &Resources, cluster: &Cluster) -> String {
    let Some(queue) = &cluster.queue else { return "asked for, and not granted yet".to_string() };
    if times_in(queue, &cluster.given(needs), cluster.counts_vcores) != Some(0) {
        return format!("asked of queue {}, and not granted yet", queue.path);
    }
    let (used, total) = match scarcer(queue, cluster.counts_vcores) {
        Kind::Vcores => {
            let total = queue.vcores.available + queue.vcores.allocated;
            (cluster.used.vcores.to_string(), format!("{total} vcores"))
        }
        Kind::Memory => (size(cluster.used.memory_mb), size(queue.memory_mb.available + queue.memory_mb.allocated)),
    };
    format!("queue {} full: {used} of {total} used by this application", queue.path)
}

/// A kind of which a queue has some left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Vcores,
    Memory,
}

/// The kind of which most of a queue is given out. Only of that does it say how much is left: of the other kind it names the same share (`CSQueueUtils`),
/// however much more there is.
pub(super) fn scarcer(queue: &QueueInfo, counts_vcores: bool) -> Kind {
    let of_all = |of: &Usage| i128::from(of.available) + i128::from(of.allocated);
    let QueueInfo { memory_mb, vcores, .. } = queue;
    let vcores = i128::from(vcores.allocated) * of_all(memory_mb) > i128::from(memory_mb.allocated) * of_all(vcores);
    if counts_vcores && vcores { Kind::Vcores } else { Kind::Memory }
}

/// The queue with what it may have beyond its own share, which is what YARN counts as available. How much of that one user may have is not told.
pub(super) fn to_its_maximum(queue: &QueueInfo) -> QueueInfo {
    let (share, maximum, used) = (queue.capacity, queue.maximum_capacity, queue.current_capacity);
    let mut most = queue.clone();
    if share <= 0.0 || maximum <= share {
        return most;
    }
    // Both kinds, so that the scarcer one stays the scarcer.
    for of in [&mut most.memory_mb, &mut most.vcores] {
        // Above its share nothing is available, and only the ratio tells how large the share is.
        let own = if of.available > 0 || used <= 1.0 {
            (of.available + of.allocated) as f64
        } else {
            of.allocated as f64 / f64::from(used)
        };
        let limit = own * f64::from(maximum) / f64::from(share);
        of.available = (limit.round() as i64 - of.allocated).max(0);
    }
    most
}

/// How many containers with so much the queue has left; `None` where it says nothing.
pub(super) fn times_in(queue: &QueueInfo, given: &Resource, counts_vcores: bool) -> Option<u32> {
    let (of, given) = match scarcer(queue, counts_vcores) {
        Kind::Vcores => (&queue.vcores, i64::from(given.vcores)),
        Kind::Memory => (&queue.memory_mb, given.memory_mb),
    };
    // A queue that tells nothing has all zeros.
    let tells = of.available.saturating_add(of.allocated) > 0 && given > 0;
    tells.then(|| u32::try_from(of.available.max(0) / given).unwrap_or(u32::MAX))
}

/// No node has room for it now; `None` when one has.
fn nodes_full(needs: &Resources, cluster: &Cluster) -> Option<String> {
    let asked = resource(needs);
    let of_label = || cluster.nodes.iter().filter(|node| has_label(node, needs));
    if of_label().any(|node| cluster.is_room(&node.free(), needs)) {
        return None;
    }
    // GPUs are the rarer kind.
    let most = of_label().max_by_key(|node| (node.free().gpus().min(asked.gpus()), node.free().memory_mb));
    Some(match most {
        Some(node) => {
            let given = cluster.given(needs).memory_mb;
            let rounded =
                if given > asked.memory_mb { format!(", of which YARN makes {given} MB") } else { String::new() };
            format!("needs {asked}{rounded}; most free {} on {}", node.free(), node.id.host)
        }
        None => "no node takes containers".to_string(),
    })
}

/// `4096 MB`, or `4 GB` where it comes out even.
fn size(mb: i64) -> String {
    if mb > 0 && mb % 1024 == 0 { format!("{} GB", mb / 1024) } else { format!("{mb} MB") }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use hadoop_yarn::types::{NodeState, QueueState};

    pub(in crate::launcher::yarn) fn node(host: &str, total: Resource, used: i64, label: &str) -> NodeReport {
        NodeReport {
            id: format!("{host}:8041").parse().expect("an id"),
            state: NodeState::Running,
            http_address: String::new(),
            rack: "/default-rack".to_string(),
            capability: total,
            used: Resource::new(used, 0),
            containers: 0,
            health: String::new(),
            labels: if label.is_empty() { Vec::new() } else { vec![label.to_string()] },
        }
    }

    pub(in crate::launcher::yarn) fn cluster() -> Cluster {
        Cluster {
            maximum: Resource::new(4096, 8).with(Resource::GPU, 4),
            resource_types: ["memory-mb", "vcores", Resource::GPU].map(str::to_string).to_vec(),
            counts_vcores: true,
            minimum: Resource::new(1, 1),
            is_seen: true,
            nodes: vec![node("a", Resource::new(8192, 8), 7000, ""), node("b", Resource::new(4096, 4), 4000, "")],
            queue: None,
            used: Resource::new(3072, 3),
        }
    }

    pub(in crate::launcher::yarn) fn queue(available: i64, allocated: i64) -> QueueInfo {
        QueueInfo {
            name: "default".to_string(),
            path: "root.default".to_string(),
            state: QueueState::Running,
            capacity: 1.0,
            maximum_capacity: 1.0,
            current_capacity: 1.0,
            labels: Vec::new(),
            memory_mb: Usage { available, allocated, pending: 0 },
            vcores: Usage::default(),
            children: Vec::new(),
        }
    }

    pub(in crate::launcher::yarn) fn needs(memory_mb: u64, vcores: u32, gpus: u32, label: &str) -> Resources {
        Resources { memory_mb, vcores, gpus, label: label.to_string() }
    }

    #[test]
    fn what_can_never_be_given_is_told_from_what_has_to_wait() {
        let no_gpus = Cluster { resource_types: vec!["memory-mb".to_string()], ..cluster() };
        let full = Cluster { queue: Some(queue(256, 3840)), ..cluster() };
        let vcores = Usage { available: 0, allocated: 8, pending: 0 };
        let no_cores = Cluster { queue: Some(QueueInfo { vcores, ..queue(4096, 4096) }), ..cluster() };
        let cases = [
            (needs(8192, 1, 0, ""), cluster(), ReasonCode::NeverFits, "asks 8192 MB, the largest allowed is 4096 MB"),
            (needs(64, 9, 0, ""), cluster(), ReasonCode::NeverFits, "asks 9 vcores, the most allowed are 8"),
            (needs(64, 1, 0, "gpu"), cluster(), ReasonCode::NeverFits, "no node with label gpu"),
            (needs(64, 1, 1, ""), no_gpus, ReasonCode::NeverFits, "asks 1 GPU, and this cluster counts none"),
            (
                needs(64, 1, 1, ""),
                cluster(),
                ReasonCode::NeverFits,
                "asks 64 MB, 1 vcores, 1 yarn.io/gpu, and no node has as much; a has 8192 MB, 8 vcores",
            ),
            (
                needs(512, 1, 0, ""),
                full,
                ReasonCode::WaitingCapacity,
                "queue root.default full: 3 GB of 4 GB used by this application",
            ),
            (
                needs(512, 1, 0, ""),
                no_cores,
                ReasonCode::WaitingCapacity,
                "queue root.default full: 3 of 8 vcores used by this application",
            ),
            (
                needs(64, 1, 1, ""),
                Cluster {
                    nodes: vec![
                        node("a", Resource::new(8192, 8), 0, ""),
                        node("g", Resource::new(4096, 8).with(Resource::GPU, 1), 4064, ""),
                    ],
                    queue: Some(queue(0, 4096)),
                    ..cluster()
                },
                ReasonCode::WaitingCapacity,
                "needs 64 MB, 1 vcores, 1 yarn.io/gpu; most free 32 MB, 8 vcores, 1 yarn.io/gpu on g",
            ),
            (
                needs(512, 1, 0, ""),
                Cluster { queue: Some(queue(4096, 4096)), ..cluster() },
                ReasonCode::WaitingCapacity,
                "asked of queue root.default, and not granted yet",
            ),
            (
                needs(2048, 1, 0, ""),
                cluster(),
                ReasonCode::WaitingCapacity,
                "needs 2048 MB, 1 vcores; most free 1192 MB, 8 vcores on a",
            ),
            (
                needs(64, 1, 0, ""),
                Cluster { nodes: Vec::new(), ..cluster() },
                ReasonCode::WaitingCapacity,
                "no node takes containers",
            ),
        ];
        for (needs, cluster, code, text) in cases {
            let reason = why_not(&needs, &cluster);
            assert_eq!((reason.code, reason.text.as_str()), (code, text), "{needs:?}");
        }
    }

    #[test]
    fn steps_that_may_not_be_the_clusters_make_nothing_impossible() {
        let small = Cluster {
            minimum: Resource::new(1024, 2),
            nodes: vec![node("a", Resource::new(1500, 4), 0, "")],
            ..cluster()
        };
        assert_eq!(never(&needs(1200, 1, 0, ""), &small), None);
        assert_eq!(small.given(&needs(1200, 3, 0, "")), Resource::new(2048, 4));
        assert_eq!(small.given(&needs(4000, 8, 0, "")), Resource::new(4096, 8), "no more than one may have");
    }

    #[test]
    fn smaller_asks_go_first_and_those_with_gpus_last() {
        let maximum = Resource::new(4096, 8);
        let of = |memory, vcores, gpus| priority(&needs(memory, vcores, gpus, ""), &maximum);
        assert_eq!([of(0, 0, 0), of(4096, 1, 0), of(64, 8, 0), of(9999, 99, 0)], [1, 1001, 1001, 1001]);
        assert!(of(64, 1, 0) < of(512, 2, 0) && of(512, 2, 0) < of(2048, 1, 0));
        assert!(of(4096, 8, 0) < of(64, 1, 1));
    }

    #[test]
    fn a_labelled_node_is_only_for_those_who_ask_for_its_label() {
        let labelled = Cluster { nodes: vec![node("g", Resource::new(8192, 8), 0, "gpu")], ..cluster() };
        assert_eq!(why_not(&needs(64, 1, 0, ""), &labelled).text, "no node takes containers");
        assert_eq!(why_not(&needs(64, 1, 0, "gpu"), &labelled).code, ReasonCode::WaitingCapacity);
    }
}
