//! Whether YARN would grant so many more containers now, as nodes and queue were seen last. Pure.
//!
//! YARN itself says nothing before it is asked, and others ask meanwhile: this is what would become of the asks if nobody else had any.

use super::waits::{Cluster, Kind, has_label, never, scarcer, times_in, to_its_maximum, why_not};
use hadoop_yarn::types::{Resource, Usage};
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
    left.queue = left.queue.as_ref().map(to_its_maximum);
    let granted = grant(needs, count, &mut left);
    if granted == count {
        return None;
    }
    let why = why_not(needs, &left);
    Some(match granted {
        0 => why,
        _ => Reason::new(ReasonCode::WaitingCapacity, format!("{granted} of {count} fit now; {}", why.text)),
    })
}

/// Whether some node has room for it.
fn has_room(needs: &Resources, cluster: &Cluster) -> bool {
    cluster.nodes.iter().any(|node| has_label(node, needs) && cluster.is_room(&node.free(), needs))
}

/// Takes as many containers off the room that is left as there is room for, up to `count`; says how many.
fn grant(needs: &Resources, count: u32, left: &mut Cluster) -> u32 {
    let given = left.given(needs);
    let in_queue = left.queue.as_ref().and_then(|queue| times_in(queue, &given, left.counts_vcores));
    let most = in_queue.unwrap_or(u32::MAX).min(count);
    let takers = left.nodes.iter().enumerate().filter(|(_, node)| has_label(node, needs));
    let mut takers: Vec<(i64, usize, u32)> = takers
        .map(|(at, node)| (node.free(), at))
        .map(|(free, at)| (free.memory_mb, at, left.times(&free, &given)))
        .collect();
    takers.sort_unstable_by_key(|(free, at, _)| (Reverse(*free), *at));
    let mut granted = 0;
    for (_, at, fit) in takers {
        let here = fit.min(most - granted);
        if let Some(node) = left.nodes.get_mut(at) {
            add(&mut node.used, &given, here);
        }
        granted += here;
    }
    if let Some(queue) = &mut left.queue {
        match scarcer(queue, left.counts_vcores) {
            Kind::Vcores => take(&mut queue.vcores, i64::from(given.vcores), granted),
            Kind::Memory => take(&mut queue.memory_mb, given.memory_mb, granted),
        }
    }
    add(&mut left.used, &given, granted);
    granted
}

fn add(to: &mut Resource, given: &Resource, times: u32) {
    to.memory_mb = to.memory_mb.saturating_add(given.memory_mb.saturating_mul(times.into()));
    to.vcores = to.vcores.saturating_add(given.vcores.saturating_mul(i32::try_from(times).unwrap_or(i32::MAX)));
    for (name, amount) in &given.other {
        let sum = to.other.entry(name.clone()).or_default();
        *sum = sum.saturating_add(amount.saturating_mul(times.into()));
    }
}

/// A queue that tells nothing has all zeros, and keeps them.
fn take(of: &mut Usage, given: i64, times: u32) {
    if of.available + of.allocated > 0 {
        let taken = given.saturating_mul(times.into());
        of.available = of.available.saturating_sub(taken);
        of.allocated = of.allocated.saturating_add(taken);
    }
}

#[cfg(test)]
mod tests {
    use super::super::waits::tests::{cluster, needs, node, queue};
    use super::*;
    use hadoop_yarn::types::QueueInfo;
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
    fn a_queue_may_have_more_than_its_own_share() {
        // Half of 8192 MB is its own; it has 1024 MB more already.
        let beyond = QueueInfo { capacity: 0.5, current_capacity: 1.25, ..queue(0, 5120) };
        let nodes = vec![node("a", Resource::new(16_384, 16), 0, "")];
        let cluster = |queue| Cluster { queue: Some(queue), nodes: nodes.clone(), ..cluster() };
        assert_eq!(said(&needs(1024, 1, 0, ""), 3, &cluster(beyond.clone())), None);
        let (_, text) = said(&needs(1024, 1, 0, ""), 4, &cluster(beyond)).unwrap();
        assert!(text.starts_with("3 of 4 fit now; queue root.default full"), "{text}");
        let below = QueueInfo { capacity: 0.5, current_capacity: 0.25, ..queue(3072, 1024) };
        assert_eq!(said(&needs(1024, 1, 0, ""), 7, &cluster(below.clone())), None);
        assert!(said(&needs(1024, 1, 0, ""), 8, &cluster(below)).is_some());
        // As many of its cores are given out as of its memory, nearly: they grow with it.
        let cores = Usage { available: 3, allocated: 1, pending: 0 };
        let both = QueueInfo { vcores: cores, capacity: 0.5, current_capacity: 0.26, ..queue(3030, 1066) };
        assert_eq!(said(&needs(1024, 1, 0, ""), 6, &cluster(both)), None);
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
