//! Which node an instance should go to: one that has none of its version yet. Pure.
//!
//! YARN's scheduler fills the node that it hears of first. An ask that is pinned holds up none behind it, so the
//! [book](super::book) pins each for a short time, and lets it go anywhere when its node gave nothing by then.

use super::waits::{has_label, resource};
use hadoop_yarn::client::Pin;
use hadoop_yarn::types::{NodeId, NodeReport};
use maas_client::model::ModelId;
use maas_client::request::Resources;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Which node each instance is on, or is pinned to.
#[derive(Debug, Default)]
pub(super) struct Spread {
    ports_in_names: bool,
    /// By the instance's id.
    spots: BTreeMap<String, (ModelId, Option<String>)>,
}

impl Spread {
    /// Nothing is anywhere yet. `ports_in_names`: whether asks name nodes with their ports.
    pub(super) fn new(ports_in_names: bool) -> Spread {
        Spread { ports_in_names, spots: BTreeMap::new() }
    }

    /// Where a new instance should go, which it is then taken to do.
    pub(super) fn choose(
        &mut self,
        id: &str,
        model: &ModelId,
        needs: &Resources,
        nodes: &[NodeReport],
        is_there: impl Fn(&str) -> bool,
    ) -> Option<Pin> {
        let others = self.spots.iter().filter(|(other, (of, _))| of == model && is_there(other));
        let taken: BTreeSet<&str> = others.filter_map(|(_, (_, node))| node.as_deref()).collect();
        let pin = place(needs, nodes, &taken, self.ports_in_names);
        self.spots.insert(id.to_string(), (model.clone(), pin.as_ref().map(|pin| pin.node.clone())));
        pin
    }

    /// It has a container there.
    pub(super) fn put(&mut self, id: &str, node: &NodeId) {
        let name = name_of(node, self.ports_in_names);
        if let Some((_, spot)) = self.spots.get_mut(id) {
            *spot = Some(name);
        }
    }

    /// An earlier attempt's, found there.
    pub(super) fn adopt(&mut self, id: &str, model: &ModelId, node: &NodeId) {
        let name = name_of(node, self.ports_in_names);
        self.spots.insert(id.to_string(), (model.clone(), Some(name)));
    }

    /// It may go anywhere.
    pub(super) fn let_go(&mut self, id: &str) {
        if let Some((_, spot)) = self.spots.get_mut(id) {
            *spot = None;
        }
    }

    /// It is no more.
    pub(super) fn forget(&mut self, id: &str) {
        self.spots.remove(id);
    }
}

/// What asks call a node.
fn name_of(node: &NodeId, with_port: bool) -> String {
    if with_port { node.to_string() } else { node.host.clone() }
}

/// Of the nodes that have none of the version (`taken` has one), the one with the most memory free. `None` where there is
/// nothing to choose: with a single node, or where each that has room has one already. Asks with a label go where the
/// scheduler likes.
fn place(needs: &Resources, nodes: &[NodeReport], taken: &BTreeSet<&str>, ports_in_names: bool) -> Option<Pin> {
    if !needs.label.is_empty() {
        return None;
    }
    let usable = nodes.iter().filter(|node| has_label(node, needs));
    // Nodes that asks can't tell apart are one to them.
    let by_name: BTreeMap<String, &NodeReport> = usable.map(|node| (name_of(&node.id, ports_in_names), node)).collect();
    if by_name.len() < 2 {
        return None;
    }
    let asked = resource(needs);
    let has_room = |node: &NodeReport| asked.fits_in(&node.free()) && !node.rack.is_empty();
    by_name
        .into_iter()
        .filter(|(name, node)| !taken.contains(name.as_str()) && has_room(node))
        .min_by_key(|(name, node)| (Reverse(node.free().memory_mb), name.clone()))
        .map(|(name, node)| Pin { node: name, rack: node.rack.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hadoop_yarn::types::{NodeState, Resource};

    fn node(id: &str, used: i64, labels: &[&str]) -> NodeReport {
        NodeReport {
            id: id.parse().expect("an id"),
            state: NodeState::Running,
            http_address: String::new(),
            rack: "/default-rack".to_string(),
            capability: Resource::new(4096, 8),
            used: Resource::new(used, 0),
            containers: 0,
            health: String::new(),
            labels: labels.iter().map(|label| (*label).to_string()).collect(),
        }
    }

    fn chosen(nodes: &[NodeReport], taken: &[&str], memory_mb: u64, ports: bool) -> Option<String> {
        let needs = Resources { memory_mb, ..Resources::default() };
        place(&needs, nodes, &taken.iter().copied().collect(), ports).map(|pin| pin.node)
    }

    #[test]
    fn the_emptiest_node_without_one_is_chosen_until_each_has_one() {
        let nodes = [node("a:1", 1024, &[]), node("b:1", 512, &[]), node("c:1", 512, &[])];
        let choice = |taken: &[&str]| chosen(&nodes, taken, 256, false);
        assert_eq!(choice(&[]).as_deref(), Some("b"));
        assert_eq!(choice(&["b"]).as_deref(), Some("c"));
        assert_eq!(choice(&["b", "c"]).as_deref(), Some("a"));
        assert_eq!(choice(&["a", "b", "c"]), None);
    }

    #[test]
    fn a_node_without_room_or_with_a_label_of_its_own_is_not_chosen() {
        let nodes = [node("a:1", 4000, &[]), node("b:1", 512, &[]), node("c:1", 0, &["gpu"])];
        assert_eq!(chosen(&nodes, &[], 256, false).as_deref(), Some("b"));
        assert_eq!(chosen(&nodes, &["b"], 256, false), None);
        let labelled = Resources { memory_mb: 256, label: "gpu".to_string(), ..Resources::default() };
        assert_eq!(place(&labelled, &nodes, &BTreeSet::new(), false), None);
    }

    #[test]
    fn where_there_is_one_node_or_several_of_one_name_the_scheduler_chooses() {
        assert_eq!(chosen(&[node("a:1", 0, &[])], &[], 256, false), None);
        let nodes = [node("a:1", 1024, &[]), node("a:2", 512, &[])];
        assert_eq!(chosen(&nodes, &[], 256, false), None);
        assert_eq!(chosen(&nodes, &["a:2"], 256, true).as_deref(), Some("a:1"));
    }
}
