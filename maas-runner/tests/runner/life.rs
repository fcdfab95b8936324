//! The usual life: claim, start, register, drain, end.

use crate::bed::{Bed, get, send, until};
use crate::model::Model;
use maas_client::launch::LockFile;
use maas_client::reason::{InstanceState, ReasonCode};
use maas_client::zk::Credential;
use rustix::process::Signal;
use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_model_is_claimed_started_registered_and_stopped_in_order() {
    let mut bed = Bed::ready(&Model::server()).await;
    let claim = bed.claim_that("Ready", |claim| claim.state == InstanceState::Ready).await;
    assert_eq!(claim.pid, bed.runner_pid() as u32);
    assert_eq!(claim.url, bed.registration().await);
    assert!(claim.started.is_some() && claim.reason.is_none());
    let lock: LockFile = serde_json::from_str(&bed.read("lock")).unwrap();
    assert_eq!(lock.pid, claim.pid);
    assert!(lock.start_ticks > 0 && !lock.boot_id.is_empty());
    let url = bed.registration().await.unwrap();
    assert_eq!(get(&format!("{url}/apply?host=x")).await.unwrap()["path"], "/apply?host=x");

    bed.want_stop().await;
    let (code, exit) = bed.ended().await;
    let exit = exit.unwrap();
    assert_eq!((code, exit.state), (Some(0), InstanceState::Stopped), "{}", bed.read("runner.log"));
    assert_eq!((exit.reason.code, exit.reason.text.as_str()), (ReasonCode::Removed, "asked by a test"));
    assert_eq!((exit.exit_code, exit.was_ready), (Some(0), true));
    assert!(exit.started.unwrap() <= exit.ended);
    bed.nothing_left().await;
    // The session was closed, not left to expire.
    assert!(bed.claim().await.is_none() && bed.registration().await.is_none());
}

#[tokio::test]
async fn draining_waits_for_callers_and_not_longer_than_it_must() {
    let mut bed = Bed::ready(&Model::server().settings(r#"{"drain_s":20}"#)).await;
    let address = bed.registration().await.unwrap().replace("http://", "");
    let caller = TcpStream::connect(&address).unwrap();
    bed.want_stop().await;
    bed.unregistered().await;
    let claim = bed.claim_that("Draining", |claim| claim.state == InstanceState::Draining).await;
    assert_eq!(claim.reason.unwrap().text, "asked by a test");
    assert!(TcpStream::connect(&address).is_ok(), "it serves on while a caller is connected");
    let gone = Instant::now();
    drop(caller);
    assert_eq!(bed.ended().await.0, Some(0));
    assert!(gone.elapsed() < Duration::from_secs(10), "it ends soon after the last caller");
}

#[tokio::test]
async fn draining_lasts_as_long_as_it_may_while_a_caller_stays() {
    let mut bed = Bed::ready(&Model::server().settings(r#"{"drain_s":2}"#)).await;
    let _caller = TcpStream::connect(bed.registration().await.unwrap().replace("http://", "")).unwrap();
    let asked = Instant::now();
    bed.want_stop().await;
    assert_eq!(bed.ended().await.0, Some(0));
    assert!(asked.elapsed() >= Duration::from_secs(2), "it ended after {:?}", asked.elapsed());
}

#[tokio::test]
async fn a_script_that_ignores_the_request_to_end_is_killed() {
    let script = "#!/bin/sh\ntrap '' TERM\npython3 -c \"import signal;signal.signal(15,signal.SIG_IGN);\
                  exec(open('server.py').read().replace('signal.signal(signal.SIGTERM', '(lambda *_: 0)(signal.SIGTERM'))\"\n\
                  while :; do sleep 1; done\n";
    let mut bed = Bed::ready(&Model::new(script).settings(r#"{"drain_s":0,"stop_s":1}"#)).await;
    bed.want_stop().await;
    let (code, exit) = bed.ended().await;
    let exit = exit.unwrap();
    assert_eq!((code, exit.state, exit.exit_code), (Some(0), InstanceState::Stopped, Some(137)));
    bed.nothing_left().await;
}

#[tokio::test]
async fn sigterm_to_the_runner_drains_too() {
    let mut bed = Bed::ready(&Model::server()).await;
    send(bed.runner_pid(), Signal::TERM);
    bed.unregistered().await;
    let (code, exit) = bed.ended().await;
    assert_eq!((code, exit.unwrap().reason.code), (Some(7), ReasonCode::Killed));
    bed.nothing_left().await;
}

#[tokio::test]
async fn nothing_is_started_without_a_record_or_when_stop_is_wanted() {
    let mut bed = Bed::make(&Model::new("#!/bin/sh\ntouch ../was-started\n")).await;
    bed.want_stop().await;
    bed.start();
    let (code, exit) = bed.ended().await;
    assert_eq!((code, exit.unwrap().state), (Some(0), InstanceState::Stopped));
    assert!(!bed.directory.join("work").exists() && bed.claim().await.is_none());

    let mut bed = Bed::make(&Model::server()).await;
    bed.tree.multi(vec![maas_client::tree::Op::delete(bed.roots.instance(&bed.spec.id), None)]).await.unwrap();
    bed.start();
    let (code, exit) = bed.ended().await;
    assert_eq!((code, exit.unwrap().started), (Some(0), None));
    assert!(!bed.directory.join("work").exists());
}

#[tokio::test]
async fn a_second_runner_for_the_same_instance_starts_nothing() {
    let mut bed = Bed::ready(&Model::server()).await;
    let first = bed.runner.take();
    bed.start();
    assert_eq!(bed.ended().await.0, Some(8));
    // The same instance in another directory: there the claim says so.
    let elsewhere = bed.directory.with_file_name("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let home = std::mem::replace(&mut bed.directory, elsewhere);
    bed.start();
    let (code, exit) = bed.ended().await;
    let exit = exit.unwrap();
    assert_eq!((code, exit.id, exit.state), (Some(8), bed.spec.id.clone(), InstanceState::Failed));
    assert_eq!((exit.reason.code, exit.started), (ReasonCode::ScriptNotStarted, None));
    assert!(exit.reason.text.contains("another runner has claimed it"), "{}", exit.reason.text);
    assert!(!bed.directory.join("work").exists());
    bed.directory = home;
    bed.runner = first;
    assert!(bed.registration().await.is_some());
}

#[tokio::test]
async fn a_record_that_goes_after_ready_does_not_end_the_model() {
    let mut bed = Bed::ready(&Model::server()).await;
    let url = bed.registration().await.unwrap();
    let before = bed.claim().await.unwrap();
    bed.tree
        .multi(vec![
            maas_client::tree::Op::delete(bed.roots.claim(&bed.spec.id), None),
            maas_client::tree::Op::delete(bed.roots.instance(&bed.spec.id), None),
        ])
        .await
        .unwrap();
    assert!(get(&url).await.is_ok());
    // The record comes back: the claim does too.
    bed.put_record().await;
    let after = bed.claim_that("Ready again", |claim| claim.state == InstanceState::Ready).await;
    assert_eq!(after.pid, before.pid);
    assert_eq!(bed.registered().await, url);
}

#[tokio::test]
async fn the_model_sees_the_environment_it_was_promised_and_nothing_else() {
    let model = Model::server().settings(r#"{"env":{"A":"settings","B":"settings","C":"settings","D":"settings"}}"#);
    let mut bed = Bed::make(&model).await;
    let secret = bed.directory.with_file_name("token");
    fs::write(&secret, "s3cret\n").unwrap();
    let one = |name: &str, value: &str| (name.to_string(), value.to_string());
    bed.spec.service_env.extend([one("A", "service"), one("S", "service")]);
    bed.spec.env.extend([one("B", "request"), one("C", "request"), one("MAAS_MODEL_NAME", "forged")]);
    bed.spec.secrets.extend([one("C", secret.to_str().unwrap())]);
    bed.spec.resources.gpus = 2;
    bed.spec.gpu_indices = vec![1, 3];
    bed.start();
    let url = bed.registered().await;
    let answer = get(&url).await.unwrap();
    let environment = answer["env"].as_object().unwrap();
    for (name, value) in [
        ("A", "settings"),
        ("B", "request"),
        ("C", "s3cret"),
        ("D", "settings"),
        ("S", "service"),
        ("MAAS_MODEL_NAME", "dga"),
        ("MAAS_MODEL_VERSION", "1.0"),
        ("MAAS_INSTANCE_ID", &bed.spec.id),
        ("MAAS_MEMORY_MB", "512"),
        ("MAAS_GPUS", "2"),
        ("CUDA_VISIBLE_DEVICES", "1,3"),
    ] {
        assert_eq!(environment.get(name).and_then(|value| value.as_str()), Some(value), "{name}");
    }
    // A wrapper around python may have put something before it.
    assert!(environment["PATH"].as_str().unwrap().ends_with(&std::env::var("PATH").unwrap()));
    assert!(!environment.contains_key("SECRET_OF_THE_MASTER"));
    assert!(environment["TMPDIR"].as_str().unwrap().ends_with("/tmp"));
    assert!(answer["cwd"].as_str().unwrap().ends_with("/work"));
    assert!(!bed.read("runner.log").contains("s3cret"));
}

#[tokio::test]
async fn a_script_without_a_first_line_for_it_is_run_by_the_shell() {
    let mut bed = Bed::ready(&Model::new("echo from the shell >&2\nexec python3 server.py\n")).await;
    until("its output", async || (bed.read("logs/stderr") == "from the shell\n").then_some(())).await;
    bed.want_stop().await;
    assert_eq!(bed.ended().await.1.unwrap().stderr_tail, ["from the shell"]);
}

#[tokio::test]
async fn a_credential_of_its_own_is_enough_for_claim_and_registration_and_stays_with_the_runner() {
    let master = Credential::parse("maas:secret").unwrap();
    let mut bed = Bed::make_as(&Model::server(), Some(master)).await;
    bed.start();
    let url = bed.registered().await;
    let claim = bed.claim_that("Ready", |claim| claim.state == InstanceState::Ready).await;
    assert_eq!(claim.url.as_deref(), Some(url.as_str()));
    let line = bed.credential.clone().unwrap();
    let password = line.split_once(':').unwrap().1;
    assert!(!get(&url).await.unwrap().to_string().contains(password));
    assert!(!bed.read("runner.log").contains(password));
    bed.want_stop().await;
    assert_eq!(bed.ended().await.0, Some(0));
}

#[tokio::test]
async fn an_order_that_cannot_be_used_and_an_instance_that_has_ended_start_nothing() {
    let mut bed = Bed::make(&Model::server()).await;
    let whole = bed.spec.id.clone();
    for id in ["../escape", "", "a b"] {
        bed.spec.id = id.to_string();
        bed.start();
        let (code, exit) = bed.ended().await;
        let exit = exit.unwrap();
        // By the directory's name the master knows it for its own.
        assert_eq!((code, &exit.id), (Some(3), &whole), "{id}");
        assert!(exit.reason.text.contains("which is no instance id"), "{}", exit.reason.text);
        fs::remove_file(bed.directory.join("exit.json")).unwrap();
    }
    bed.spec.id = whole;
    fs::write(bed.directory.join("exit.json"), "{}").unwrap();
    bed.start();
    let status = until("the end", async || bed.runner.as_mut().unwrap().try_wait().unwrap()).await;
    assert_eq!(status.code(), Some(8));
    assert!(!bed.directory.join("work").exists());
}
