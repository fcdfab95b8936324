//! The recorded calls, made from this crate's public types, and the recorded answers as those types.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use prost::Message;

use super::{Vector, named, vectors};
use crate::client::{Allocated, Heartbeat, Registered, Start};
use crate::proto::common::{RequestHeaderProto, RpcRequestHeaderProto, RpcResponseHeaderProto};
use crate::proto::yarn::*;
use crate::rpc::ExceptionKind;
use crate::rpc::frame::take;
use crate::types::*;

fn request<M: Message + Default>(vector: &Vector) -> M {
    let mut bytes = Bytes::copy_from_slice(&vector.bytes);
    bytes.advance(4);
    let _: RpcRequestHeaderProto = take(&mut bytes, "header").expect("a header");
    let _: RequestHeaderProto = take(&mut bytes, "header").expect("a header");
    take(&mut bytes, "request").expect("a request")
}

fn answer<M: Message + Default>(vectors: &[Vector], name: &str) -> M {
    let mut bytes = Bytes::copy_from_slice(&named(vectors, name).bytes);
    bytes.advance(4);
    let _: RpcResponseHeaderProto = take(&mut bytes, "header").expect("a header");
    take(&mut bytes, "answer").expect("an answer")
}

fn application(id: i32) -> ApplicationId {
    ApplicationId { cluster_timestamp: 1_795_236_020_553, id }
}

fn probe() -> (String, LocalResource) {
    let url = "hdfs://127.0.0.1:28020/apps/yarn_probe.py".parse().expect("a place");
    let resource = LocalResource {
        url,
        size: 55831,
        timestamp: 1_795_234_649_879,
        kind: ResourceKind::File,
        visibility: Visibility::Application,
    };
    ("yarn_probe.py".to_owned(), resource)
}

fn sleep(command: &str) -> LaunchContext {
    LaunchContext {
        local_resources: BTreeMap::from([probe()]),
        environment: BTreeMap::from([("FOO".to_owned(), "bar".to_owned())]),
        commands: vec![command.to_owned()],
        ..LaunchContext::default()
    }
}

#[test]
fn a_submission_is_the_recorded_one() {
    let Some(vectors) = vectors("client.json") else { return };
    let mut master = sleep("sleep 20 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr");
    master.access.insert(Access::View, "bob".to_owned());
    let submission = Submission {
        application_type: "PROBE".to_owned(),
        priority: Some(0),
        max_attempts: Some(2),
        keep_containers: true,
        attempt_failures_validity: Some(Duration::from_secs(60)),
        tags: vec!["tag1".to_owned()],
        node_label: Some(String::new()),
        ..Submission::new(application(2), "vector", master, Resource::new(256, 1))
    };
    let recorded: SubmitApplicationRequestProto = request(named(&vectors, "submitApplication"));
    assert_eq!(Some(submission.to_proto()), recorded.application_submission_context);
}

#[test]
fn reports_tell_what_is_known() {
    let Some(vectors) = vectors("client.json") else { return };
    let report = |name: &str| {
        let answer: GetApplicationReportResponseProto = answer(&vectors, name);
        ApplicationReport::from_proto(answer.application_report.expect("a report"))
    };
    let early = report("getApplicationReport-early-response");
    assert_eq!(
        (early.state, early.host.as_deref(), early.rpc_port, early.queue.as_str()),
        (ApplicationState::NewSaving, None, None, "root.default")
    );
    let killed = report("getApplicationReport-killed-response");
    assert_eq!(
        (killed.id, killed.state, killed.final_status),
        (application(2), ApplicationState::Killed, FinalStatus::Killed)
    );
    assert!(killed.state.is_over() && killed.diagnostics.contains("enough"), "{}", killed.diagnostics);
    let list: GetApplicationsResponseProto = answer(&vectors, "getApplications-response");
    assert_eq!(list.applications.len(), 1);
}

#[test]
fn asks_are_the_recorded_ones() {
    let Some(vectors) = vectors("am.json") else { return };
    let ask = |id: i64, priority, resource| Ask { priority, ..Ask::anywhere(id, resource, 1) };
    let recorded: AllocateRequestProto = request(named(&vectors, "allocate-asks"));
    let asks = vec![ask(11, 1, Resource::new(200, 1)), ask(12, 2, Resource::new(300, 2))];
    let heartbeat = Heartbeat { asks, progress: recorded.progress(), ..Heartbeat::default() };
    assert_eq!(heartbeat.to_proto(0), recorded);
}

#[test]
fn grants_endings_and_kept_containers_are_understood() {
    let Some(vectors) = vectors("am.json") else { return };
    let granted = Allocated::from_proto(answer(&vectors, "allocate-response"));
    let ids: Vec<_> =
        granted.containers.iter().map(|container| (container.allocation_request_id, container.id.number())).collect();
    assert_eq!(ids, [(Some(11), 2), (Some(12), 3)]);
    assert_eq!(granted.node_tokens[0].0.to_string(), "localhost:28041");
    assert_eq!(granted.containers[0].resource, Resource::new(256, 1));
    assert_eq!(granted.containers[0].token.as_ref().and_then(Token::container), Some(granted.containers[0].id));

    let ended = Allocated::from_proto(answer(&vectors, "allocate-completed-exit3-response"));
    assert_eq!((ended.completed[0].exit_status, ended.completed[0].state), (ExitStatus(3), ContainerState::Complete));
    assert!(ended.completed[0].diagnostics.contains("Exit code: 3"));

    let registered = Registered::from_proto(answer(&vectors, "register-attempt-2-response"));
    assert_eq!(registered.containers[0].id, granted.containers[0].id);
    assert_eq!(registered.node_tokens[0].1.attempt().expect("an attempt").attempt, 1, "the old attempt's token");
    assert_eq!(registered.resource_types, ["memory-mb", "vcores"]);
    assert!(registered.counts_vcores);
    let stopped = Allocated::from_proto(answer(&vectors, "allocate-completed-stopped-response"));
    assert!(stopped.completed.iter().any(|status| status.exit_status == ExitStatus::KILLED_BY_MASTER));
}

#[test]
fn a_start_with_its_credentials_is_the_recorded_one() {
    let Some(vectors) = vectors("nm.json") else { return };
    let recorded: StartContainersRequestProto = request(named(&vectors, "startContainers"));
    let recorded = &recorded.start_container_request[0];
    let token = Token::from_proto(recorded.container_token.clone().expect("a token"));
    let start = Start { token, context: sleep("sleep 300 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr") };
    assert_eq!(start.to_proto(), *recorded);
}

#[test]
fn failures_of_single_containers_are_understood() {
    let Some(vectors) = vectors("nm.json") else { return };
    let started: StartContainersResponseProto = answer(&vectors, "startContainers-response-3");
    let failed = FailedRequest::from_proto(started.failed_requests.into_iter().next().expect("a failure"));
    assert_eq!(failed.exception.kind(), ExceptionKind::Other);
    assert!(failed.exception.message().contains("Attempt to relaunch the same container"), "{}", failed.exception);
    let running: GetContainerStatusesResponseProto = answer(&vectors, "getContainerStatuses-response");
    let status = ContainerStatus::from_proto(running.status.into_iter().next().expect("a status"));
    assert_eq!((status.state, status.exit_status), (ContainerState::Running, ExitStatus::INVALID));
}
