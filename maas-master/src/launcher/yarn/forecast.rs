//! Whether YARN would grant so many more containers now, as nodes and queue were seen last. Pure.
//!
//! YARN itself says nothing before it is asked, and others ask meanwhile: this is what would become of the asks if nobody else had any.

use super::waits::{Cluster, Kind, has_label, never, scarcer, short_in, why_not};
use hadoop_yarn::types::{NodeReport, Usage};
use maas_client::reason::{Reason, ReasonCode};
use maas_client::request::Resources;
use std::cmp::Reverse;

/// Why not all of `count` instances would be granted; `None` when they would. `waiting` is what others of ours need that have been asked for and not granted.
pub(super) fn forecast<'a>(
    needs: &Resources,
    count: u32,
    cluster: &Cluster,
    mut waiting: impl Iterator<Item = &'a Resources>,
) -> Option<Reason> {
    if let Some(text) = never(needs, cluster) {
        return Some(Reason::new(ReasonCode::NeverFits, text));
    }
    if !cluster.is_seen {
        return Some(Reason::new(ReasonCode::WaitingCapacity, "the cluster's nodes have not been seen yet"));
    }
    let mut left = cluster.clone();
    // For an ask that waits for room on a node the scheduler reserves some, which its queue counts as used and gives to smaller asks nevertheless.
    if waiting.any(|needs| !has_room(needs, cluster)) {
        left.queue = None;
    }
    for granted in 0..count {
        if !grant(needs, &mut left) {
            let why = why_not(needs, &left);
            return Some(match granted {
                0 => why,
                _ => Reason::new(ReasonCode::WaitingCapacity, format!("{granted} of {count} fit now; {}", why.text)),
            });
        }
    }
    None
}

/// Whether some node has room for it.
fn has_room(needs: &Resources, cluster: &Cluster) -> bool {
    cluster.nodes.iter().any(|node| takes(node, needs, cluster))
}

fn takes(node: &NodeReport, needs: &Resources, cluster: &Cluster) -> bool {
    has_label(node, needs) && cluster.is_room(&node.free(), needs)
}

/// Takes one container off the room that is left; false, and nothing taken, when there is none.
fn grant(needs: &Resources, left: &mut Cluster) -> bool {
    let given = left.given(needs);
    if left.queue.as_ref().is_some_and(|queue| short_in(queue, &given, left.counts_vcores).is_some()) {
        return false;
    }
    let takers = left.nodes.iter().enumerate().filter(|(_, node)| takes(node, needs, left));
    let Some((at, _)) = takers.min_by_key(|(_, node)| Reverse(node.free().memory_mb)) else { return false };
    if let Some(node) = left.nodes.get_mut(at) {
        node.used.memory_mb += given.memory_mb;
        node.used.vcores = node.used.vcores.saturating_add(given.vcores);
        for (name, amount) in &given.other {
            *node.used.other.entry(name.clone()).or_default() += amount;
        }
    }
    if let Some(queue) = &mut left.queue {
        match scarcer(queue, left.counts_vcores) {
            Kind::Vcores => take(&mut queue.vcores, given.vcores.into()),
            Kind::Memory => take(&mut queue.memory_mb, given.memory_mb),
        }
    }
    left.used.memory_mb += given.memory_mb;
    left.used.vcores = left.used.vcores.saturating_add(given.vcores);
    true
}

/// A queue that tells nothing has all zeros, and keeps them.
fn take(of: &mut Usage, given: i64) {
    if of.available + of.allocated > 0 {
        of.available -= given;
        of.allocated += given;
    }
}

#[cfg(test)]
mod tests {
    use super::super::waits::tests::{cluster, needs, node, queue};
    use super::*;
    use hadoop_yarn::types::{QueueInfo, Resource};
    use std::iter;

    fn said(needs: &Resources, count: u32, cluster: &Cluster) -> Option<(ReasonCode, String)> {
        forecast(needs, count, cluster, iter::empty()).map(|reason| (reason.code, reason.text))
    }

    #[test]
    fn what_fits_on_the_nodes_one_after_another_is_granted() {
        // 1192 MB are free on a, 96 on b.
        assert_eq!(said(&needs(512, 1, 0, ""), 2, &cluster()), None);
        let (code, text) = said(&needs(512, 1, 0, ""), 3, &cluster()).unwrap();
        assert_eq!(code, ReasonCode::WaitingCapacity);
        assert_eq!(text, "2 of 3 fit now; needs 512 MB, 1 vcores; most free 168 MB, 6 vcores on a");
        let (_, text) = said(&needs(2048, 1, 0, ""), 4, &cluster()).unwrap();
        assert!(text.starts_with("needs 2048 MB"), "none fits: {text}");
    }

    #[test]
    fn memory_is_counted_in_the_steps_that_yarn_gives() {
        let coarse = Cluster { minimum: Resource::new(1024, 1), ..cluster() };
        let (_, text) = said(&needs(512, 1, 0, ""), 2, &coarse).unwrap();
        assert_eq!(
            text,
            "1 of 2 fit now; needs 512 MB, 1 vcores, of which YARN makes 1024 MB; most free 168 MB, 7 vcores on a"
        );
    }

    #[test]
    fn a_queue_may_be_the_narrower_of_the_two() {
        let narrow = Cluster { queue: Some(queue(600, 3496)), ..cluster() };
        let (_, text) = said(&needs(512, 1, 0, ""), 2, &narrow).unwrap();
        assert_eq!(text, "1 of 2 fit now; queue root.default full: 3584 MB of 4 GB used by this application");
    }

    #[test]
    fn what_a_queue_says_of_the_kind_that_is_not_short_is_no_reason_to_wait() {
        // As said by a queue with 8192 MB and 16 cores, of which 7552 MB and 11 cores are given out.
        let said_by_yarn = QueueInfo { vcores: Usage { available: 1, allocated: 11, pending: 0 }, ..queue(640, 7552) };
        let busy = Cluster { queue: Some(said_by_yarn), ..cluster() };
        assert_eq!(said(&needs(64, 2, 0, ""), 2, &busy), None);
        let (_, text) = said(&needs(512, 1, 0, ""), 2, &busy).unwrap();
        assert!(text.starts_with("1 of 2 fit now; queue root.default full"), "{text}");
    }

    #[test]
    fn what_is_reserved_for_one_that_waits_for_a_node_is_left_to_smaller_ones() {
        let reserved = Cluster { queue: Some(queue(0, 3840)), ..cluster() };
        let after = |waits: &Resources| forecast(&needs(64, 1, 0, ""), 1, &reserved, iter::once(waits));
        assert!(after(&needs(512, 1, 0, "")).is_some(), "it would fit on a node: the queue is the limit");
        assert!(after(&needs(2048, 1, 0, "")).is_none());
    }

    #[test]
    fn cores_count_only_where_the_scheduler_counts_them() {
        let busy = Cluster { nodes: vec![node("a", Resource::new(8192, 2), 0, "")], ..cluster() };
        assert!(said(&needs(512, 1, 0, ""), 3, &busy).is_some());
        assert_eq!(said(&needs(512, 1, 0, ""), 3, &Cluster { counts_vcores: false, ..busy }), None);
    }

    #[test]
    fn what_can_never_be_given_and_what_is_not_seen_yet_are_told_apart() {
        assert_eq!(said(&needs(8192, 1, 0, ""), 1, &cluster()).unwrap().0, ReasonCode::NeverFits);
        let unseen = Cluster { is_seen: false, nodes: Vec::new(), queue: None::<QueueInfo>, ..cluster() };
        assert_eq!(said(&needs(8192, 1, 0, ""), 1, &unseen).unwrap().0, ReasonCode::NeverFits);
        let (code, text) = said(&needs(64, 1, 0, ""), 1, &unseen).unwrap();
        assert_eq!((code, text.as_str()), (ReasonCode::WaitingCapacity, "the cluster's nodes have not been seen yet"));
    }
}
