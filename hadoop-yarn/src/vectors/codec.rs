//! The frames of the vectors through this crate's own codec: preambles, contexts, pings, calls, answers, token files.

use bytes::Bytes;
use serde_json::Value as Json;

use super::{Vector, named, unhex, vectors};
use crate::credentials::Credentials;
use crate::rpc::ExceptionKind;
use crate::rpc::frame::{Decoder, FrameError};
use crate::rpc::header::{self, Answer, ClientId, Protocol, UserInformation};
use crate::types::Token;

const CLIENT: ClientId = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const FILES: [&str; 6] = ["rpc.json", "sasl.json", "sasl-wrap.json", "client.json", "am.json", "nm.json"];

fn protocol(name: &str) -> Protocol {
    let all =
        [crate::client::APPLICATION_CLIENT, crate::client::APPLICATION_MASTER, crate::client::CONTAINER_MANAGEMENT];
    *all.iter().find(|protocol| protocol.name == name).expect("a protocol of ours")
}

fn frame(bytes: &[u8]) -> Bytes {
    let mut decoder = Decoder::new(1 << 20);
    decoder.feed(bytes);
    decoder.next().expect("a frame").expect("a whole frame")
}

#[test]
fn what_a_client_sends_around_its_calls_is_byte_for_byte_the_same() {
    for vector in FILES.into_iter().filter_map(vectors).flatten() {
        let messages = vector.messages();
        let Vector { name, bytes, decoded, direction, .. } = &vector;
        if direction != "client" {
            continue;
        }
        let Some(head) = decoded.get("RpcRequestHeaderProto") else {
            assert_eq!(*bytes, header::preamble(decoded["auth"] == 223), "{name}");
            continue;
        };
        let rest = messages.get(1).copied();
        match (head["callId"].as_i64().expect("an id"), rest) {
            (-4, None) => assert_eq!(header::ping(&CLIENT), *bytes, "{name}"),
            (-3, Some((_, context))) => {
                let user = context["userInfo"]["effectiveUser"]
                    .as_str()
                    .map(|user| UserInformation { effective: user.to_owned(), real: None });
                let named = protocol(context["protocol"].as_str().expect("a protocol"));
                assert_eq!(header::context(&CLIENT, named, user.as_ref()), *bytes, "{name}");
            }
            (-33, Some(_)) => {
                let body = &mut frame(bytes);
                let _: crate::proto::common::RpcRequestHeaderProto =
                    crate::rpc::frame::take(body, "header").expect("a header");
                assert_eq!(
                    header::sasl(&crate::rpc::frame::take(body, "message").expect("a message")),
                    bytes,
                    "{name}"
                );
            }
            (id, Some((_, request))) => {
                let method = request["methodName"].as_str().expect("a method");
                let version = request["clientProtocolVersion"].as_u64().expect("a version");
                let protocol = Protocol {
                    version,
                    ..protocol(request["declaringClassProtocolName"].as_str().expect("a protocol"))
                };
                let length = bytes.len() - {
                    let (message, value) = messages[2];
                    let message = super::from_json(&super::full_name(message), value);
                    prost::Message::encode_length_delimited_to_vec(&message).len()
                };
                let body = &bytes[length..];
                assert_eq!(
                    header::call(i32::try_from(id).expect("small"), &CLIENT, 0, protocol, method, body),
                    bytes,
                    "{name}"
                );
            }
            (id, None) => panic!("{name}: id {id} with nothing after it"),
        }
    }
}

#[test]
fn what_a_server_answers_is_understood() {
    for Vector { name, bytes, decoded, direction, .. } in FILES.into_iter().filter_map(vectors).flatten() {
        if direction != "server" {
            continue;
        }
        let head = &decoded["RpcResponseHeaderProto"];
        let text = |key: &str| head[key].as_str().unwrap_or_default().to_owned();
        match header::answer(frame(&bytes)).unwrap_or_else(|error| panic!("{name}: {error}")) {
            Answer::Success { id, .. } => {
                assert_eq!((Json::from(id), text("status")), (head["callId"].clone(), "SUCCESS".to_owned()), "{name}")
            }
            Answer::Sasl(_) => assert_eq!(head["callId"], -33, "{name}"),
            Answer::Error { id, exception } => {
                assert_eq!((Json::from(id), text("status")), (head["callId"].clone(), "ERROR".to_owned()), "{name}");
                assert_eq!(exception.class(), text("exceptionClassName"), "{name}");
                assert!(
                    text("errorMsg").starts_with(exception.message()) && !exception.message().contains("\n\tat "),
                    "{name}: {exception}"
                );
                assert!(!exception.is_fatal());
            }
            Answer::Fatal(exception) => {
                assert_eq!(text("status"), "FATAL", "{name}");
                assert_eq!(exception.message(), text("errorMsg"), "{name}");
                assert!(exception.is_fatal());
            }
        }
    }
}

#[test]
fn refusals_are_told_apart() {
    let kinds = [
        ("am.json", "allocate-before-register-error", ExceptionKind::NotRegistered),
        ("am.json", "allocate-wrong-response-id-error", ExceptionKind::InvalidMasterRequest),
        ("am.json", "allocate-too-big-error", ExceptionKind::InvalidResourceRequest),
        ("am.json", "allocate-attempt-over-error", ExceptionKind::AttemptNotFound),
        ("rpc.json", "getApplicationReport-unknown-error", ExceptionKind::ApplicationNotFound),
        ("rpc.json", "noSuchMethod-error", ExceptionKind::NoSuchCall),
        ("rpc.json", "getNewApplication-version99-error", ExceptionKind::NoSuchCall),
        ("rpc.json", "allocate-without-sasl-error", ExceptionKind::AccessControl),
        ("sasl.json", "wrong-password-sasl-failure", ExceptionKind::AccessControl),
        ("client.json", "submitApplication-too-big-error", ExceptionKind::InvalidResourceRequest),
    ];
    for (file, name, kind) in kinds {
        let Some(vectors) = vectors(file) else { return };
        match header::answer(frame(&named(&vectors, name).bytes)) {
            Ok(Answer::Error { exception, .. } | Answer::Fatal(exception)) => {
                assert_eq!(exception.kind(), kind, "{name}: {exception}")
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn answers_that_are_no_frames_say_what_they_are() {
    let Some(vectors) = vectors("rpc-misuse.json") else { return };
    let read = |name: &str| {
        let mut decoder = Decoder::new(1 << 20);
        decoder.feed(&named(&vectors, name).bytes);
        decoder.next()
    };
    assert_eq!(read("http-answer"), Err(FrameError::Http));
    let Err(FrameError::OtherVersion { message }) = read("version8-answer") else {
        panic!("a version 8 answer is no frame")
    };
    assert!(message.contains("Server IPC version 9 cannot communicate with client version 8"), "{message}");
    assert!(matches!(
        read("auth7-answer").map(|frame| header::answer(frame.expect("whole"))),
        Ok(Ok(Answer::Fatal(_)))
    ));
}

#[test]
fn token_files_are_read_and_written_to_the_same_bytes() {
    let Some(vectors) = vectors("credentials.json") else { return };
    let file = named(&vectors, "am-token-file");
    let credentials = Credentials::from_bytes(&file.bytes).expect("a token file");
    assert_eq!(credentials.to_bytes(), file.bytes);
    let token = credentials.of_kind(Token::AM_RM).expect("the master's token");
    let recorded = &file.decoded["tokens"][0];
    assert_eq!(format!("hex:{}", super::hex(token.password())), recorded["password"]);
    assert_eq!((token.service(), token.kind()), ("", "YARN_AM_RM_TOKEN"));
    assert_eq!(token.attempt().expect("an attempt").to_string(), "appattempt_1795236020553_0004_000001");

    let empty = &named(&vectors, "empty-token-file").bytes;
    let credentials = Credentials::from_bytes(empty).expect("a token file");
    assert!(credentials.is_empty());
    assert_eq!(credentials.to_bytes(), *empty);
    assert_eq!(*empty, unhex("48445453000000"));
}

#[test]
fn identifiers_say_whose_a_token_is() {
    let Some(vectors) = vectors("credentials.json") else { return };
    let token = |name: &str, kind: &str| Token::new(named(&vectors, name).bytes.clone(), "", kind, "");
    let container = token("container-token-identifier-0", Token::CONTAINER).container().expect("a container");
    assert_eq!(container.to_string(), "container_e08_1795236020553_0004_01_000002");
    let node = token("nm-token-identifier", Token::NODE_MANAGER);
    assert_eq!(node.node().expect("a node").to_string(), "localhost:28041");
    assert_eq!(node.attempt().expect("an attempt").attempt, 1);
}
