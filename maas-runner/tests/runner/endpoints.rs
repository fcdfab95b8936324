//! `endpoint.dat`, probes, and what happens when they change.

use crate::bed::{Bed, send, until};
use crate::model::Model;
use maas_client::reason::{InstanceState, Reason, ReasonCode};
use rustix::process::Signal;
use std::fs;

async fn reason_of(script: &str, settings: &str) -> (ReasonCode, String) {
    let mut bed = Bed::make(&Model::new(script).settings(settings)).await;
    bed.start();
    let (code, exit) = bed.ended().await;
    bed.nothing_left().await;
    let exit = exit.unwrap();
    assert_eq!((code, exit.state, exit.was_ready), (Some(7), InstanceState::Failed, false));
    (exit.reason.code, exit.reason.text)
}

#[tokio::test]
async fn a_model_that_writes_no_endpoint_is_given_up_in_time() {
    let (code, text) = reason_of("#!/bin/sh\nexec sleep 1000\n", r#"{"start_timeout_s":1}"#).await;
    assert_eq!((code, text.as_str()), (ReasonCode::NoEndpoint, "no endpoint.dat within 1 s"));
}

#[tokio::test]
async fn a_url_that_nobody_answers_is_no_start() {
    let script = "#!/bin/sh\necho '{\"url\":\"http://localhost:1\"}' > endpoint.dat\nexec sleep 1000\n";
    let (code, text) = reason_of(script, r#"{"start_timeout_s":3}"#).await;
    assert_eq!(code, ReasonCode::ProbeFailed);
    assert!(text.contains("http://127.0.0.1:1: no connection"), "{text}");
}

#[tokio::test]
async fn an_endpoint_on_another_host_is_refused_with_its_name() {
    let script = "#!/bin/sh\necho '{\"url\":\"http://192.0.2.7:80\"}' > endpoint.dat\nexec sleep 1000\n";
    let (code, text) = reason_of(script, "{}").await;
    assert_eq!(code, ReasonCode::BadEndpoint);
    assert!(text.contains("names host 192.0.2.7"), "{text}");
}

#[tokio::test]
async fn https_that_would_have_to_be_asked_by_http_is_refused_with_what_to_do() {
    let script = "#!/bin/sh\necho '{\"url\":\"https://localhost:80\"}' > endpoint.dat\nexec sleep 1000\n";
    let (code, text) = reason_of(script, r#"{"ready":{"http":"/ping"}}"#).await;
    assert_eq!(code, ReasonCode::BadEndpoint);
    assert!(text.contains("take ready.http out of maas.json"), "{text}");
}

#[tokio::test]
async fn a_script_that_writes_its_endpoint_slowly_in_place_is_waited_for() {
    let script = "#!/bin/sh\n\
        python3 - <<'END' &\n\
        import time, os\n\
        while not os.path.exists('real/endpoint.dat'): time.sleep(0.01)\n\
        text = open('real/endpoint.dat').read()\n\
        with open('endpoint.dat', 'w') as file:\n\
        \x20   for letter in text:\n\
        \x20       file.write(letter); file.flush(); time.sleep(0.05)\n\
        END\n\
        mkdir real && cd real && exec python3 ../server.py\n";
    let bed = Bed::ready(&Model::new(script)).await;
    assert!(bed.registration().await.is_some());
}

#[tokio::test]
async fn an_endpoint_that_comes_with_the_payload_says_nothing() {
    let script = "#!/bin/sh\ntest ! -e endpoint.dat || exit 9\nexec python3 server.py\n";
    let model = Model::new(script).file("endpoint.dat", r#"{"url":"http://localhost:1"}"#);
    let bed = Bed::ready(&model).await;
    assert_ne!(bed.registration().await.unwrap(), "http://127.0.0.1:1");
}

#[tokio::test]
async fn a_withdrawn_endpoint_is_unregistered_and_comes_back() {
    let bed = Bed::ready(&Model::server()).await;
    let url = bed.registration().await.unwrap();
    let file = bed.directory.join("work/endpoint.dat");
    let content = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let claim = bed.claim_that("Unready", |claim| claim.state == InstanceState::Unready).await;
    assert_eq!(claim.reason.unwrap().code, ReasonCode::NoEndpoint);
    bed.unregistered().await;
    fs::write(&file, content).unwrap();
    assert_eq!(bed.registered().await, url);
    let claim = bed.claim_that("Ready", |claim| claim.state == InstanceState::Ready).await;
    assert_eq!(claim.reason, None);
}

#[tokio::test]
async fn a_sick_model_is_unregistered_and_comes_back_when_it_is_well() {
    let settings = r#"{"ready":{"http":"/ping"},"live":{"http":"/ping","every_s":1,"failures":2}}"#;
    let bed = Bed::ready(&Model::server().settings(settings)).await;
    fs::write(bed.directory.join("work/sick"), "").unwrap();
    let claim = bed.claim_that("Unready", |claim| claim.state == InstanceState::Unready).await;
    let reason = claim.reason.unwrap();
    assert_eq!(reason.code, ReasonCode::ProbeFailed);
    assert!(reason.text.ends_with("/ping: status 503"), "{}", reason.text);
    bed.unregistered().await;
    fs::remove_file(bed.directory.join("work/sick")).unwrap();
    bed.registered().await;
}

#[tokio::test]
async fn a_stopped_model_is_noticed() {
    let bed = Bed::ready(&Model::server().settings(r#"{"live":{"every_s":1,"timeout_s":1,"failures":1}}"#)).await;
    let model = bed.processes_with("server.py");
    let model = *model.iter().find(|pid| !bed.processes_with("guard").contains(pid)).unwrap();
    send(model, Signal::STOP);
    let claim = bed.claim_that("Unready", |claim| claim.state == InstanceState::Unready).await;
    assert!(claim.reason.unwrap().text.contains("no answer in 1000 ms"));
    send(model, Signal::CONT);
    bed.registered().await;
}

#[tokio::test]
async fn warm_up_calls_come_before_the_registration() {
    let script = "#!/bin/sh\nsed -i 's/body = /open(\"calls\", \"a\").write(self.path + \"\\\\n\"); body = /' server.py\n\
                  exec python3 server.py\n";
    let settings = r#"{"ready":{"tcp":true},"warm_up":[{"function":"apply","args":{"host":"a b"}}]}"#;
    let bed = Bed::ready(&Model::new(script).settings(settings)).await;
    until("the call", async || (bed.read("work/calls") == "/apply?host=a+b\n").then_some(())).await;
}

#[tokio::test]
async fn a_model_that_listens_on_loopback_only_is_told_so() {
    let mut bed = Bed::make(&Model::server()).await;
    // Another address of this machine, on which the model does not listen.
    bed.spec.advertise = "127.0.0.2".to_string();
    bed.start();
    let told = |reason: &Reason| reason.text.contains("it listens on 127.0.0.1 only");
    let claim = bed.claim_that("the reason", |claim| claim.reason.as_ref().is_some_and(told)).await;
    assert_eq!((claim.state, claim.reason.unwrap().code), (InstanceState::Starting, ReasonCode::ProbeFailed));
}
