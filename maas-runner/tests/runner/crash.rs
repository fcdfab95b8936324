//! `kill -9` of anything: no process stays, and what is said of it is true.

use crate::bed::{Bed, send, until};
use crate::model::Model;
use maas_client::reason::{InstanceState, ReasonCode};
use rustix::process::Signal;

/// A script that stays itself, with a server in a session of its own and another helper below that.
const SCATTERED: &str = "#!/bin/sh\n\
    setsid sh -c 'setsid sleep 1000 & exec setsid python3 server.py' &\n\
    (sleep 1000 &)\n\
    sleep 1000\n";

async fn scattered() -> Bed {
    let bed = Bed::ready(&Model::new(SCATTERED)).await;
    until("all processes", async || (bed.processes_with("sleep 1000").len() >= 3).then_some(())).await;
    bed
}

#[tokio::test]
async fn a_killed_runner_leaves_no_process() {
    let mut bed = scattered().await;
    send(bed.runner_pid(), Signal::KILL);
    assert_eq!(bed.ended().await, (None, None));
    bed.nothing_left().await;
}

#[tokio::test]
async fn a_killed_guard_leaves_no_process_and_is_named() {
    let mut bed = scattered().await;
    let guard = bed.processes_with("maas_runner guard");
    assert_eq!(guard.len(), 1);
    send(guard[0], Signal::KILL);
    let (code, exit) = bed.ended().await;
    let exit = exit.unwrap();
    assert_eq!((code, exit.reason.code), (Some(7), ReasonCode::Killed));
    assert_eq!(exit.reason.text, "its guard process was killed");
    bed.nothing_left().await;
    assert!(bed.registration().await.is_none());
}

#[tokio::test]
async fn a_killed_script_takes_everything_with_it_and_is_told() {
    let mut bed = scattered().await;
    let script = bed.processes_with("./start.sh");
    assert_eq!(script.iter().filter(|pid| !bed.processes_with("guard").contains(pid)).count(), 1);
    let script = *script.iter().find(|pid| !bed.processes_with("guard").contains(pid)).unwrap();
    send(script, Signal::KILL);
    let (code, exit) = bed.ended().await;
    let exit = exit.unwrap();
    assert_eq!((code, exit.state, exit.exit_code), (Some(7), InstanceState::Failed, Some(137)));
    assert_eq!((exit.reason.code, exit.reason.text.as_str()), (ReasonCode::Killed, "its script was killed by SIGKILL"));
    assert!(exit.was_ready);
    bed.nothing_left().await;
}

#[tokio::test]
async fn what_outlives_runner_and_guard_carries_the_instances_id() {
    let mut bed = scattered().await;
    let guard = bed.processes_with("maas_runner guard");
    // Both are stopped first, so that neither sees the other go.
    send(bed.runner_pid(), Signal::STOP);
    send(guard[0], Signal::STOP);
    send(bed.runner_pid(), Signal::KILL);
    send(guard[0], Signal::KILL);
    assert_eq!(bed.ended().await, (None, None));
    // What is left to the master's sweep: all of it can be found.
    assert!(bed.processes_with("sleep 1000").len() >= 3);
    assert_eq!(bed.processes_with("server.py").len(), 1);
}

#[tokio::test]
async fn a_script_that_ends_early_is_told_at_once_with_its_last_words() {
    let mut bed = Bed::make(&Model::new("#!/bin/sh\necho no such weights >&2\nexit 3\n")).await;
    bed.start();
    let (code, exit) = bed.ended().await;
    let exit = exit.unwrap();
    assert_eq!((code, exit.exit_code), (Some(7), Some(3)));
    assert_eq!((exit.reason.code, exit.reason.text.as_str()), (ReasonCode::ScriptExited, "its script ended with 3"));
    assert_eq!(exit.stderr_tail, ["no such weights"]);
    assert!(!exit.was_ready);
}

#[tokio::test]
async fn a_script_that_leaves_its_server_behind_has_ended() {
    let script = "#!/bin/sh\nsetsid python3 server.py &\nexit 0\n";
    let mut bed = Bed::make(&Model::new(script)).await;
    bed.start();
    let (_, exit) = bed.ended().await;
    assert_eq!(exit.unwrap().reason.text, "its script ended with 0");
    bed.nothing_left().await;
}

#[tokio::test]
async fn a_script_that_cannot_be_executed_is_told() {
    let mut bed = Bed::make(&Model::new("#!/no/such/interpreter\n")).await;
    bed.start();
    let exit = bed.ended().await.1.unwrap();
    assert_eq!((exit.reason.code, exit.exit_code), (ReasonCode::ScriptNotStarted, None));
    assert!(exit.reason.text.contains("No such file"), "{}", exit.reason.text);
}

#[tokio::test]
async fn a_script_that_dies_under_a_stopped_guard_is_noticed() {
    let mut bed = scattered().await;
    let guard = bed.processes_with("maas_runner guard");
    let script = *bed.processes_with("./start.sh").iter().find(|pid| !guard.contains(pid)).unwrap();
    send(guard[0], Signal::STOP);
    send(script, Signal::KILL);
    let exit = bed.ended().await.1.unwrap();
    assert_eq!((exit.state, exit.reason.code), (InstanceState::Failed, ReasonCode::Killed));
    bed.nothing_left().await;
}
