//! The book against a small honest ResourceManager: absolute asks, kept answers, grants at any time, restarts that forget.

use proptest::prelude::*;

use super::*;
use crate::types::{ApplicationAttemptId, ApplicationId, ContainerState, ExitStatus, NodeId};

fn want(count: i32) -> Want {
    Want { priority: 1, resource: Resource::new(64, 1), node_label: None, count, pin: None }
}

fn id(number: i64) -> ContainerId {
    let application = ApplicationId { cluster_timestamp: 1, id: 1 };
    ContainerId { attempt: ApplicationAttemptId { application, attempt: 1 }, id: number }
}

fn container(number: i64, ask: i64, priority: i32) -> Container {
    Container {
        id: id(number),
        node: NodeId { host: "n".into(), port: 1 },
        node_http_address: String::new(),
        resource: Resource::new(64, 1),
        priority,
        allocation_request_id: Some(ask),
        token: None,
    }
}

fn answer(containers: Vec<Container>, completed: Vec<ContainerStatus>) -> Allocated {
    Allocated {
        containers,
        completed,
        node_tokens: Vec::new(),
        updated_nodes: Vec::new(),
        previous: Vec::new(),
        headroom: Resource::default(),
        nodes: 1,
        pending: None,
        preemption: Default::default(),
    }
}

/// What a ResourceManager keeps for one master.
#[derive(Default)]
struct Server {
    asks: BTreeMap<(i32, i64), i32>,
    /// Granted and not ended; whether it was started, and so survives.
    containers: BTreeMap<ContainerId, (i64, i32, bool)>,
    next: i64,
    response: i32,
    kept: Option<Allocated>,
}

impl Server {
    /// One heartbeat. A repeated id brings the kept answer and nothing else.
    fn allocate(&mut self, response: i32, heartbeat: &Heartbeat, grants: usize) -> Allocated {
        if response + 1 == self.response
            && let Some(kept) = &self.kept
        {
            return kept.clone();
        }
        assert_eq!(response, self.response);
        for ask in &heartbeat.asks {
            self.asks.insert((ask.priority, ask.allocation_request_id.unwrap()), ask.count);
        }
        let mut completed = Vec::new();
        for released in &heartbeat.release {
            if self.containers.remove(released).is_some() {
                completed.push(ended(*released));
            }
        }
        let mut granted = Vec::new();
        for _ in 0..grants {
            let Some((&(priority, ask), count)) = self.asks.iter_mut().find(|(_, count)| **count > 0) else { break };
            *count -= 1;
            self.next += 1;
            self.containers.insert(id(self.next), (ask, priority, false));
            granted.push(container(self.next, ask, priority));
        }
        self.response += 1;
        let answer = answer(granted, completed);
        self.kept = Some(answer.clone());
        answer
    }

    fn restart(&mut self) {
        self.asks.clear();
        self.containers.retain(|_, (_, _, started)| *started);
        self.response = 0;
        self.kept = None;
    }
}

fn ended(id: ContainerId) -> ContainerStatus {
    ContainerStatus {
        id,
        state: ContainerState::Complete,
        exit_status: ExitStatus::ABORTED,
        diagnostics: String::new(),
    }
}

#[test]
fn only_changes_are_sent_and_grants_are_counted_down() {
    let mut asks = Asks::new();
    asks.want(1, want(2));
    assert_eq!(asks.heartbeat(0.0).asks.len(), 1);
    let news = asks.answered(&answer(vec![container(2, 1, 1)], Vec::new()));
    assert_eq!((news.granted.len(), asks.wanted(1)), (1, 1));
    assert_eq!(asks.heartbeat(0.0).asks, []);
    asks.answered(&answer(Vec::new(), Vec::new()));
    asks.want(1, want(0));
    assert_eq!(asks.heartbeat(0.0).asks[0].count, 0);
}

#[test]
fn a_heartbeat_without_answer_is_repeated_unchanged_and_what_is_new_follows_it() {
    let mut asks = Asks::new();
    asks.want(1, want(1));
    let first = asks.heartbeat(0.0);
    asks.want(2, want(1));
    assert_eq!(asks.heartbeat(0.0), first);
    asks.answered(&answer(Vec::new(), Vec::new()));
    assert_eq!(asks.heartbeat(0.0).asks[0].allocation_request_id, Some(2));
}

#[test]
fn a_grant_that_comes_after_its_cancellation_is_given_back() {
    let mut asks = Asks::new();
    asks.want(1, want(1));
    asks.heartbeat(0.0);
    asks.want(1, want(0));
    let news = asks.answered(&answer(vec![container(2, 1, 1)], Vec::new()));
    assert_eq!(news.granted, []);
    let next = asks.heartbeat(0.0);
    assert_eq!((next.release, next.asks[0].count), (vec![id(2)], 0));
}

#[test]
fn the_bad_ask_is_found_and_the_good_ones_are_sent_again() {
    let mut asks = Asks::new();
    for number in 1..=3 {
        asks.want(number, want(1));
    }
    let mut blamed = Vec::new();
    let mut taken = Vec::new();
    for _ in 0..10 {
        let heartbeat = asks.heartbeat(0.0);
        let ids: Vec<_> = heartbeat.asks.iter().filter_map(|ask| ask.allocation_request_id).collect();
        if ids.contains(&2) {
            blamed.extend(asks.refused().and_then(|bad| bad.allocation_request_id));
        } else {
            taken.extend(ids);
            asks.answered(&answer(Vec::new(), Vec::new()));
        }
    }
    assert_eq!((blamed, taken, asks.wanted(2)), (vec![2], vec![1, 3], 0));
}

#[test]
fn another_priority_cancels_the_old_one() {
    let mut asks = Asks::new();
    asks.want(1, want(1));
    asks.heartbeat(0.0);
    asks.answered(&answer(Vec::new(), Vec::new()));
    asks.want(1, Want { priority: 5, ..want(1) });
    let sent: Vec<_> = asks.heartbeat(0.0).asks.iter().map(|ask| (ask.priority, ask.count)).collect();
    assert_eq!(sent, [(1, 0), (5, 1)]);
}

#[test]
fn one_that_is_pinned_is_let_go_by_taking_back_where_it_was() {
    let mut asks = Asks::new();
    let pin = Pin { node: "n1".to_owned(), rack: "/r".to_owned() };
    asks.want(1, Want { pin: Some(pin), node_label: Some(String::new()), ..want(1) });
    let sent = |asks: &mut Asks| -> Vec<(String, i32, bool, bool)> {
        let heartbeat = asks.heartbeat(0.0);
        asks.answered(&answer(Vec::new(), Vec::new()));
        heartbeat
            .asks
            .into_iter()
            .map(|ask| (ask.place, ask.count, ask.relax_locality, ask.node_label.is_some()))
            .collect()
    };
    let line = |place: &str, count, relax, labelled| (place.to_owned(), count, relax, labelled);
    assert_eq!(sent(&mut asks), [line("n1", 1, true, false), line("/r", 1, false, false), line("*", 1, false, true)]);
    asks.want(1, want(1));
    let released = [line("n1", 0, true, false), line("/r", 0, true, false), line("*", 1, true, false)];
    assert_eq!(sent(&mut asks), released);
    asks.registered_again();
    assert_eq!(sent(&mut asks), [line("*", 1, true, false)]);
}

#[test]
fn one_that_is_pinned_is_blamed_as_one_ask() {
    let mut asks = Asks::new();
    asks.want(1, Want { pin: Some(Pin { node: "n1".to_owned(), rack: "/r".to_owned() }), ..want(1) });
    asks.heartbeat(0.0);
    assert_eq!(asks.refused().map(|bad| (bad.place, bad.allocation_request_id)), Some(("*".to_owned(), Some(1))));
    assert_eq!(asks.wanted(1), 0);
}

#[test]
fn a_restart_of_the_resource_manager_loses_what_was_not_started_and_it_is_wanted_again() {
    let mut asks = Asks::new();
    asks.want(1, Want { node_label: Some("gpu".to_owned()), ..want(2) });
    asks.heartbeat(0.0);
    asks.answered(&answer(vec![container(2, 1, 1), container(3, 1, 1)], Vec::new()));
    asks.started(id(2));
    let lost: Vec<_> = asks.registered_again().iter().map(|container| container.id).collect();
    assert_eq!((lost, asks.wanted(1)), (vec![id(3)], 1));
    let again = asks.heartbeat(0.0).asks.remove(0);
    assert_eq!((again.count, again.node_label.as_deref()), (1, Some("gpu")));
    assert_eq!(asks.held().count(), 1);
}

#[derive(Debug, Clone)]
enum Event {
    Want(i64, i32),
    Beat { grants: usize, lost: bool },
    Start,
    Release,
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (1i64..4, 0i32..4).prop_map(|(id, count)| Event::Want(id, count)),
        (0usize..4, any::<bool>()).prop_map(|(grants, lost)| Event::Beat { grants, lost }),
        Just(Event::Start),
        Just(Event::Release),
        Just(Event::Restart),
    ]
}

proptest! {
    /// Whatever happens: once all is quiet, the ResourceManager holds nothing that the book does not know, and owes what is wanted.
    #[test]
    fn book_and_resource_manager_come_to_agree(events in proptest::collection::vec(event(), 0..60)) {
        let (mut asks, mut server, mut response) = (Asks::new(), Server::default(), 0);
        let mut beat = |asks: &mut Asks, server: &mut Server, grants: usize, lost: bool| {
            let heartbeat = asks.heartbeat(0.0);
            if response > server.response {
                // It has restarted: register, and go on from there.
                response = 0;
                asks.registered_again();
                return;
            }
            let answer = server.allocate(response, &heartbeat, grants);
            if !lost {
                response += 1;
                asks.answered(&answer);
            }
        };
        for event in events {
            match event {
                Event::Want(id, count) => asks.want(id, want(count)),
                Event::Beat { grants, lost } => beat(&mut asks, &mut server, grants, lost),
                Event::Start => {
                    let first = asks.held().map(|container| container.id).next();
                    if let Some(id) = first && let Some(container) = server.containers.get_mut(&id) {
                        container.2 = true;
                        asks.started(id);
                    }
                }
                Event::Release => {
                    let first = asks.held().map(|container| container.id).next();
                    first.into_iter().for_each(|id| asks.release(id));
                }
                Event::Restart => {
                    server.restart();
                    // What tells the master is the refusal of its next call; `response` stands for that here.
                    server.response = -1;
                }
            }
            if server.response == -1 {
                beat(&mut asks, &mut server, 0, false);
                server.response = 0;
            }
        }
        for _ in 0..4 {
            beat(&mut asks, &mut server, 0, false);
        }
        let held: Vec<_> = asks.held().map(|container| container.id).collect();
        prop_assert_eq!(held, server.containers.keys().copied().collect::<Vec<_>>());
        for ask in 1..4 {
            prop_assert_eq!(asks.wanted(ask), server.asks.get(&(1, ask)).copied().unwrap_or(0), "ask {}", ask);
        }
    }
}
