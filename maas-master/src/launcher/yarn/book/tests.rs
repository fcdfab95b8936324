//! Tests of the book: what is granted, started, lost and told late, without a cluster.

use super::*;
use crate::fixture;
use crate::launcher::yarn::ends;
use hadoop_yarn::client::Preemption;
use hadoop_yarn::types::{ContainerState, ExitStatus, NodeReport, NodeState};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn registered(containers: Vec<Container>) -> Registered {
    Registered {
        maximum: Resource::new(4096, 8),
        queue: "root.default".to_string(),
        resource_types: vec!["memory-mb".to_string(), "vcores".to_string()],
        counts_vcores: true,
        containers,
        node_tokens: Vec::new(),
        access: BTreeMap::new(),
    }
}

fn attempt(number: i32) -> ApplicationAttemptId {
    ApplicationAttemptId { attempt: number, ..container(1, None).id.attempt }
}

fn container(number: u32, ask: Option<i64>) -> Container {
    Container {
        id: format!("container_1795236020553_0004_01_{number:06}").parse().unwrap(),
        node: "node7:8041".parse().unwrap(),
        node_http_address: "node7:8042".to_string(),
        resource: Resource::new(512, 1),
        priority: 125,
        allocation_request_id: ask,
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
        preemption: Preemption::default(),
    }
}

fn ended(number: u32, code: i32, words: &str) -> ContainerStatus {
    ContainerStatus {
        id: container(number, None).id,
        state: ContainerState::Complete,
        exit_status: ExitStatus(code),
        diagnostics: words.to_string(),
    }
}

fn needs(memory_mb: u64) -> Resources {
    Resources { memory_mb, ..Resources::default() }
}

fn instance(container: Option<&str>) -> Arc<Instance> {
    let mut instance = (*fixture::instance("1-1-aaaa", &fixture::model("dga", "1.0"), false)).clone();
    instance.record.container = container.map(str::to_string);
    Arc::new(instance)
}

impl Book {
    /// Sends a heartbeat and takes this answer to it.
    fn beat(&mut self, containers: Vec<Container>, completed: Vec<ContainerStatus>) -> Heartbeat {
        let sent = self.heartbeat(NOW);
        self.answered(&answer(containers, completed), NOW);
        sent
    }

    fn stands(&mut self, id: &str, container: Option<&str>) -> Process {
        self.process(id, &instance(container), NOW)
    }
}

/// A book with one instance asked for, and the ask's number.
fn waiting() -> (Book, i64) {
    let mut book = Book::new(attempt(1), &registered(Vec::new()), Spread::default(), Resource::new(1, 1));
    book.take("1-1-aaaa", &fixture::model("dga", "1.0"), &needs(512), NOW);
    let sent = book.beat(Vec::new(), Vec::new());
    let ask = sent.asks[0].allocation_request_id.unwrap();
    (book, ask)
}

#[test]
fn an_instance_waits_is_granted_recorded_started_and_ends() {
    let (mut book, ask) = waiting();
    assert_eq!(book.stands("1-1-aaaa", None), Process::Waiting { reason: None });
    book.take("1-1-aaaa", &fixture::model("dga", "1.0"), &needs(512), NOW);
    assert!(book.beat(vec![container(2, Some(ask))], Vec::new()).asks.is_empty(), "it is asked for once");
    let name = container(2, None).id.to_string();
    let granted = Process::Granted { container: name.clone(), host: "node7".to_string() };
    assert_eq!(book.stands("1-1-aaaa", None), granted);
    assert!(book.start("1-1-aaaa", "container_1795236020553_0004_01_000009", NOW).is_none(), "another's place");
    assert_eq!(book.start("1-1-aaaa", &name, NOW).unwrap().id, container(2, None).id);
    assert!(book.start("1-1-aaaa", &name, NOW).is_none(), "it is started once");
    assert_eq!(book.stands("1-1-aaaa", Some(&name)), Process::Alive { pid: None });
    book.beat(Vec::new(), vec![ended(2, -104, "Current usage: 300 MB of 256 MB physical memory used")]);
    let Process::Dead { exit: Some(exit) } = book.stands("1-1-aaaa", Some(&name)) else { panic!("it lives") };
    assert_eq!(
        (exit.reason.code, exit.reason.text.as_str()),
        (ReasonCode::OutOfMemory, "used 300 MB of 256 MB physical memory")
    );
}

#[test]
fn a_runners_own_word_says_how_its_model_failed() {
    let (mut book, ask) = waiting();
    let name = container(2, None).id.to_string();
    book.beat(vec![container(2, Some(ask))], Vec::new());
    book.start("1-1-aaaa", &name, NOW).unwrap();
    let own = Exit {
        reason: Reason::new(ReasonCode::ScriptExited, "script ended with exit code 3"),
        exit_code: Some(3),
        ran_ms: 70_000,
        ..exits::exit_of("1-1-aaaa", ends::end(&ended(2, 7, "")), "", NOW, NOW)
    };
    let words = format!("Exit code: 7\n{}\n", own.to_line().unwrap());
    book.beat(Vec::new(), vec![ended(2, 7, &words)]);
    let Process::Dead { exit: Some(exit) } = book.stands("1-1-aaaa", Some(&name)) else { panic!("it lives") };
    assert_eq!(
        (exit.reason.text.as_str(), exit.exit_code, exit.ran_ms),
        ("script ended with exit code 3", Some(3), 70_000)
    );
}

#[test]
fn a_runner_that_ends_in_time_on_yarns_kill_for_memory_ended_for_memory() {
    let (mut book, ask) = waiting();
    let name = container(2, None).id.to_string();
    book.beat(vec![container(2, Some(ask))], Vec::new());
    book.start("1-1-aaaa", &name, NOW).unwrap();
    let own = Exit {
        reason: Reason::new(ReasonCode::Killed, "its runner was asked to end (SIGTERM)"),
        exit_code: Some(143),
        ..exits::exit_of("1-1-aaaa", ends::end(&ended(2, 7, "")), "", NOW, NOW)
    };
    let yarns = "[2026-11-22 02:47:26.062]Container [pid=7,containerID=c] is running 2B beyond the 'PHYSICAL' memory limit. Current usage: 339.9 MB of 128 MB physical memory used; 831.7 MB of 268.8 MB virtual memory used. Killing container.";
    let words = format!("{yarns}\nExit code: 7\n{}\n", own.to_line().unwrap());
    book.beat(Vec::new(), vec![ended(2, 7, &words)]);
    let Process::Dead { exit: Some(exit) } = book.stands("1-1-aaaa", Some(&name)) else { panic!("it lives") };
    assert_eq!(
        (exit.reason.code, exit.reason.text.as_str()),
        (ReasonCode::OutOfMemory, "used 339.9 MB of 128 MB physical memory")
    );
}

#[test]
fn what_is_wanted_no_more_is_cancelled_or_given_back() {
    let (mut book, ask) = waiting();
    book.forget("1-1-aaaa");
    let sent = book.beat(vec![container(2, Some(ask))], Vec::new());
    assert_eq!((sent.asks[0].allocation_request_id, sent.asks[0].count), (Some(ask), 0));
    assert_eq!(book.heartbeat(NOW).release, [container(2, None).id], "what was granted meanwhile goes back");

    let (mut book, ask) = waiting();
    book.beat(vec![container(2, Some(ask))], Vec::new());
    book.forget("1-1-aaaa");
    assert_eq!(book.heartbeat(NOW).release, [container(2, None).id]);
}

#[test]
fn a_grant_that_a_restart_forgets_is_asked_for_again_and_what_runs_is_kept() {
    let (mut book, ask) = waiting();
    book.take("1-2-bbbb", &fixture::model("dga", "1.0"), &needs(64), NOW);
    let second = book.beat(vec![container(2, Some(ask))], Vec::new()).asks[0].allocation_request_id;
    book.start("1-1-aaaa", &container(2, None).id.to_string(), NOW).unwrap();
    book.beat(vec![container(3, second)], Vec::new());
    assert!(matches!(book.stands("1-2-bbbb", None), Process::Granted { .. }));
    book.registered_again(&registered(vec![container(2, None)]));
    assert_eq!(book.stands("1-2-bbbb", None), Process::Waiting { reason: None });
    assert_eq!(book.stands("1-1-aaaa", Some(&container(2, None).id.to_string())), Process::Alive { pid: None });
    let sent = book.beat(vec![container(4, second)], Vec::new());
    assert_eq!((sent.asks.len(), sent.asks[0].allocation_request_id), (1, second));
    assert!(matches!(book.stands("1-2-bbbb", None), Process::Granted { .. }));
}

#[test]
fn a_later_attempt_finds_what_runs_by_its_record_and_what_ended_by_what_it_is_told() {
    let mut book = Book::new(attempt(2), &registered(vec![container(2, None)]), Spread::default(), Resource::new(1, 1));
    let name = |number| container(number, None).id.to_string();
    assert_eq!(book.stands("1-1-aaaa", Some(&name(2))), Process::Alive { pid: None });
    assert_eq!(book.stands("1-2-bbbb", Some(&name(3))), Process::Alive { pid: None }, "not told of yet");
    assert_eq!(book.stands("1-3-cccc", None), Process::Absent);
    book.beat(Vec::new(), vec![ended(3, 3, "")]);
    assert!(
        matches!(book.stands("1-2-bbbb", Some(&name(3))), Process::Dead { exit: Some(exit) } if exit.exit_code == Some(3))
    );
    assert_eq!(book.stands("1-4-dddd", Some(&name(4))), Process::Alive { pid: None });
    book.settle();
    assert!(matches!(
        book.stands("1-4-dddd", Some(&name(4))),
        Process::Dead { exit: Some(exit) } if exit.reason.code == ReasonCode::NodeLost
    ));
    assert_eq!(book.stands("1-1-aaaa", Some(&name(2))), Process::Alive { pid: None });
}

#[test]
fn what_another_application_started_is_gone_with_it() {
    let mut book = Book::new(attempt(1), &registered(Vec::new()), Spread::default(), Resource::new(1, 1));
    let others = "container_1795236020553_0003_01_000002";
    assert!(matches!(book.stands("1-1-aaaa", Some(others)), Process::Dead { .. }));
}

#[test]
fn what_can_never_be_given_is_not_asked_for_and_may_fit_later() {
    let mut book = Book::new(attempt(1), &registered(Vec::new()), Spread::default(), Resource::new(1, 1));
    book.take("1-1-aaaa", &fixture::model("dga", "1.0"), &needs(8192), NOW);
    book.take("1-2-bbbb", &fixture::model("dga", "1.0"), &Resources { label: "gpu".to_string(), ..needs(64) }, NOW);
    assert_eq!(book.heartbeat(NOW).asks.len(), 1, "of labels nothing is known before the nodes were seen");
    let Process::Waiting { reason: Some(reason) } = book.stands("1-1-aaaa", None) else { panic!("it is asked for") };
    assert_eq!(reason.code, ReasonCode::NeverFits);
    let node = |label: &str| NodeReport {
        id: "node7:8041".parse().unwrap(),
        state: NodeState::Running,
        http_address: String::new(),
        rack: String::new(),
        capability: Resource::new(8192, 8),
        used: Resource::default(),
        containers: 0,
        health: String::new(),
        labels: vec![label.to_string()],
    };
    let cluster = book.cluster().clone();
    book.answered(&answer(Vec::new(), Vec::new()), NOW);
    book.see(Cluster { nodes: vec![node("")], ..cluster.clone() });
    let cancelled = book.beat(Vec::new(), Vec::new());
    assert_eq!(cancelled.asks.iter().map(|ask| ask.count).collect::<Vec<_>>(), [0], "no node has the label");
    book.see(Cluster { nodes: vec![node("gpu")], ..cluster });
    assert_eq!(book.heartbeat(NOW).asks.iter().map(|ask| ask.count).collect::<Vec<_>>(), [1]);
}

#[test]
fn what_was_given_back_and_is_never_told_to_have_ended_is_gone_in_the_end() {
    let (mut book, ask) = waiting();
    let name = container(2, None).id.to_string();
    book.beat(vec![container(2, Some(ask))], Vec::new());
    book.start("1-1-aaaa", &name, NOW).unwrap();
    // No node ever heard of the start, and the ResourceManager is away.
    book.kill(container(2, None).id);
    let record = instance(Some(&name));
    let stands = |book: &mut Book, seconds| book.process("1-1-aaaa", &record, NOW + SignedDuration::from_secs(seconds));
    assert_eq!(stands(&mut book, 3600), Process::Alive { pid: None }, "it was not told that it is given back");
    book.registered_again(&registered(Vec::new()));
    assert_eq!(book.beat(Vec::new(), Vec::new()).release, [container(2, None).id]);
    assert_eq!(stands(&mut book, 3600), Process::Alive { pid: None }, "a node may still tell of it");
    book.settle();
    assert_eq!(stands(&mut book, 30), Process::Alive { pid: None });
    // Another restart: it is given back once more, and the time counts anew.
    book.registered_again(&registered(Vec::new()));
    book.settle();
    assert_eq!(stands(&mut book, 31), Process::Alive { pid: None });
    assert_eq!(book.beat(Vec::new(), Vec::new()).release, [container(2, None).id]);
    assert!(matches!(
        stands(&mut book, 31),
        Process::Dead { exit: Some(exit) } if exit.reason.code == ReasonCode::NodeLost
    ));
}

#[test]
fn a_runner_out_of_sight_is_lost_once_its_node_is_so_too() {
    let (mut book, ask) = waiting();
    let name = container(2, None).id.to_string();
    book.beat(vec![container(2, Some(ask))], Vec::new());
    book.start("1-1-aaaa", &name, NOW).unwrap();
    let claimed = |is_claimed: bool| {
        let mut instance = (*instance(Some(&name))).clone();
        instance.was_claimed = true;
        instance.unclaimed_since = (!is_claimed).then(crate::clock::Moment::default);
        BTreeMap::from([("1-1-aaaa".to_string(), Arc::new(instance))])
    };
    assert_eq!(book.out_of_sight(&claimed(true)), []);
    let out = book.out_of_sight(&claimed(false));
    assert_eq!(out, [(container(2, None).id, "node7:8041".parse().unwrap())]);
    assert_eq!(book.stands("1-1-aaaa", Some(&name)), Process::Alive { pid: None }, "its node has not been asked");
    book.beat(Vec::new(), Vec::new());
    book.lost_sight(&[container(2, None).id], NOW);
    let Process::Dead { exit: Some(exit) } = book.stands("1-1-aaaa", Some(&name)) else { panic!("it lives") };
    assert_eq!(exit.reason.code, ReasonCode::NodeLost);
    assert_eq!(book.beat(Vec::new(), Vec::new()).release, [container(2, None).id], "should it come back it ends");
    book.beat(Vec::new(), vec![ended(2, -100, "Container released on a *lost* node")]);
    assert!(matches!(book.stands("1-1-aaaa", Some(&name)), Process::Dead { .. }));
}

#[test]
fn one_node_may_be_lost_but_all_of_several_at_once_are_not() {
    let node = |name: &str| name.parse::<NodeId>().unwrap();
    let out = [(container(2, None).id, node("a:1")), (container(3, None).id, node("b:1"))];
    assert!(all_at_once(&out, [node("a:1"), node("b:1")]));
    assert!(!all_at_once(&out, [node("a:1"), node("b:1"), node("c:1")]));
    assert!(!all_at_once(&out[..1], [node("a:1")]));
}

#[test]
fn instances_of_a_version_are_pinned_to_different_nodes_and_let_go_when_those_give_nothing() {
    let mut book = Book::new(attempt(1), &registered(Vec::new()), Spread::default(), Resource::new(1, 1));
    let node = |host: &str| NodeReport {
        id: format!("{host}:8041").parse().unwrap(),
        state: NodeState::Running,
        http_address: String::new(),
        rack: "/rack".to_string(),
        capability: Resource::new(8192, 8),
        used: Resource::default(),
        containers: 0,
        health: String::new(),
        labels: Vec::new(),
    };
    let cluster = book.cluster().clone();
    book.see(Cluster { nodes: vec![node("node7"), node("node8")], ..cluster });
    let dga = fixture::model("dga", "1.0");
    let places = |sent: &Heartbeat| -> Vec<(String, i32)> {
        sent.asks.iter().map(|ask| (ask.place.clone(), ask.count)).collect()
    };
    let line = |place: &str, count| (place.to_string(), count);
    book.take("1-1-aaaa", &dga, &needs(512), NOW);
    book.take("1-2-bbbb", &dga, &needs(512), NOW);
    book.take("1-3-cccc", &dga, &needs(512), NOW);
    book.take("1-4-dddd", &fixture::model("scan", "1.0"), &needs(512), NOW);
    let sent = book.heartbeat(NOW);
    let pinned = |node| [line(node, 1), line("/rack", 1), line("*", 1)];
    let all = [&pinned("node7")[..], &pinned("node8"), &[line("*", 1)], &pinned("node7")].concat();
    assert_eq!(places(&sent), all);
    let first = sent.asks[0].allocation_request_id;
    book.answered(&answer(vec![container(2, first)], Vec::new()), NOW);
    assert_eq!(places(&book.heartbeat(NOW + SignedDuration::from_secs(2))), []);
    book.answered(&answer(Vec::new(), Vec::new()), NOW);
    let let_go = book.heartbeat(NOW + SignedDuration::from_secs(3));
    let anywhere = |node| [line(node, 0), line("/rack", 0), line("*", 1)];
    assert_eq!(places(&let_go), [anywhere("node8"), anywhere("node7")].concat());
    book.answered(&answer(Vec::new(), Vec::new()), NOW);
    // Where the first is nothing more is put, and nobody waits for the other any more.
    book.take("1-5-eeee", &dga, &needs(512), NOW);
    assert_eq!(places(&book.heartbeat(NOW)), pinned("node8"));
    book.answered(&answer(Vec::new(), Vec::new()), NOW);
    let put_back = NOW - SignedDuration::from_hours(1);
    assert_eq!(places(&book.heartbeat(put_back)), anywhere("node8"), "a clock that was put back");
}
