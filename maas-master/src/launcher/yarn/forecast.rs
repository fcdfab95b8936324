//! Whether YARN would grant so many more containers now, as nodes and queue were seen last. Pure.
//!
//! YARN itself says nothing before it is asked, and others ask meanwhile: this is what would become of the asks if nobody else had any.

use super::waits::{Cluster, has_label, never, short_in, why_not};
use hadoop_yarn::types::Usage;
use maas_client::reason::{Reason, ReasonCode};
use maas_client::request::Resources;
use std::cmp::Reverse;

/// Why not all of `count` instances would be granted; `None` when they would.
pub(super) fn forecast(needs: &Resources, count: u32, cluster: &Cluster) -> Option<Reason> {
    if let Some(text) = never(needs, cluster) {
        return Some(Reason::new(ReasonCode::NeverFits, text));
    }
    if !cluster.is_seen {
        return Some(Reason::new(ReasonCode::WaitingCapacity, "the cluster's nodes have not been seen yet"));
    }
    let mut left = cluster.clone();
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

/// Takes one container off the room that is left; false, and nothing taken, when there is none.
fn grant(needs: &Resources, left: &mut Cluster) -> bool {
    let given = left.given(needs);
    if left.queue.as_ref().is_some_and(|queue| short_in(queue, &given, left.counts_vcores).is_some()) {
        return false;
    }
    let takers = left.nodes.iter().enumerate();
    let takers = takers.filter(|(_, node)| has_label(node, needs) && left.is_room(&node.free(), needs));
    let Some((at, _)) = takers.min_by_key(|(_, node)| Reverse(node.free().memory_mb)) else { return false };
    if let Some(node) = left.nodes.get_mut(at) {
        node.used.memory_mb += given.memory_mb;
        node.used.vcores = node.used.vcores.saturating_add(given.vcores);
        for (name, amount) in &given.other {
            *node.used.other.entry(name.clone()).or_default() += amount;
        }
    }
    if let Some(queue) = &mut left.queue {
        take(&mut queue.memory_mb, given.memory_mb);
        take(&mut queue.vcores, given.vcores.into());
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

    fn said(needs: &Resources, count: u32, cluster: &Cluster) -> Option<(ReasonCode, String)> {
        forecast(needs, count, cluster).map(|reason| (reason.code, reason.text))
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
