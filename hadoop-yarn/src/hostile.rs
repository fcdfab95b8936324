//! What a hostile or broken server, file or network can hand to the decoders: arbitrary bytes, and recorded bytes that were changed ([`edits`]).
//!
//! Each test runs once more in a process of its own that may take 64 MiB more than it has ([`memory`]): bytes that lie about a length end in an error there,
//! and not in the memory that they announce.

mod edits;
mod memory;

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;

pub(crate) use edits::{any_edits, edited};
pub(crate) use memory::within_bounds;

use crate::client::{Allocated, Registered};
use crate::credentials::Credentials;
use crate::proto::common::{GetDelegationTokenResponseProto, RpcSaslProto};
use crate::proto::yarn::*;
use crate::rpc::Protection;
use crate::rpc::frame::{Decoder, take};
use crate::rpc::header::{self, Answer};
use crate::rpc::sasl::{Credential, Negotiation, Security, Step};
use crate::types::*;
use crate::vectors::{recorded, sealed_again};

/// The limit that clients set.
const LIMIT: usize = 128 << 20;
const ALL: [Protection; 3] = [Protection::Authentication, Protection::Integrity, Protection::Privacy];

fn token() -> Token {
    Token::new(&b"who"[..], &b"secret"[..], Token::AM_RM, "")
}

/// Every answer that a call may have, as the types that users see.
fn read_as_every_answer(body: &Bytes) {
    fn read<M: Message + Default>(body: &Bytes, convert: impl FnOnce(M)) {
        if let Ok(message) = take::<M>(&mut body.clone(), "answer") {
            convert(message);
        }
    }
    fn each<T, U>(list: Vec<T>, convert: impl Fn(T) -> U) {
        list.into_iter().for_each(|entry| drop(convert(entry)));
    }
    read(body, |answer: GetNewApplicationResponseProto| {
        answer.application_id.as_ref().map(|id| ApplicationId::from_proto(id).to_string());
        answer.maximum_capability.as_ref().map(|most| Resource::from_proto(most).to_string());
    });
    read(body, |answer: GetApplicationReportResponseProto| {
        answer.application_report.map(|report| format!("{:?}", ApplicationReport::from_proto(report)));
    });
    read(body, |answer: GetApplicationsResponseProto| each(answer.applications, ApplicationReport::from_proto));
    read(body, |answer: GetApplicationAttemptsResponseProto| {
        each(answer.application_attempts, AttemptReport::from_proto)
    });
    read(body, |answer: GetContainersResponseProto| each(answer.containers, ContainerReport::from_proto));
    read(body, |_: KillApplicationResponseProto| {});
    read(body, |answer: GetClusterNodesResponseProto| each(answer.node_reports, NodeReport::from_proto));
    read(body, |answer: GetQueueInfoResponseProto| drop(answer.queue_info.map(QueueInfo::from_proto)));
    read(body, |answer: GetClusterMetricsResponseProto| {
        answer.cluster_metrics.as_ref().map(ClusterMetrics::from_proto);
    });
    read(body, |answer: GetDelegationTokenResponseProto| {
        answer.token.map(Token::from_proto).map(|token| (token.attempt(), token.node(), token.container()));
    });
    read(body, |answer: RegisterApplicationMasterResponseProto| {
        let registered = Registered::from_proto(answer);
        each(registered.containers, |container| (container.id.to_string(), container.id.number()));
    });
    read(body, |answer: AllocateResponseProto| {
        let allocated = Allocated::from_proto(answer);
        each(allocated.completed, |status| (status.id.to_string(), status.exit_status.to_string()));
        each(allocated.node_tokens, |(node, token)| (node.to_string(), token.node()));
    });
    read(body, |_: FinishApplicationMasterResponseProto| {});
    read(body, |answer: StartContainersResponseProto| each(answer.failed_requests, FailedRequest::from_proto));
    read(body, |answer: GetContainerStatusesResponseProto| {
        each(answer.status, ContainerStatus::from_proto);
        each(answer.failed_requests, FailedRequest::from_proto);
    });
}

/// A negotiation in which the server sends these messages, one after another. What it comes to must not be success: the server knows no secret.
fn negotiate(messages: &[RpcSaslProto]) {
    let credential = Credential::Token { token: token(), nonce: "nonce".to_owned() };
    let mut negotiation = Negotiation::new(credential, &ALL);
    negotiation.start();
    for message in messages {
        match negotiation.advance(message.clone()) {
            Ok(Step::Send(answer)) => drop(header::sasl(&answer)),
            Ok(Step::Done(_)) => panic!("a server without the secret was believed: {messages:?}"),
            Err(error) => drop(error.to_string()),
        }
    }
}

/// Everything that may be done with bytes from a connection.
fn read_as_stream(bytes: &[u8]) {
    let mut decoder = Decoder::new(LIMIT);
    decoder.feed(bytes);
    while let Ok(Some(frame)) = decoder.next() {
        match header::answer(frame) {
            Ok(Answer::Success { body, .. }) => read_as_every_answer(&body),
            Ok(Answer::Error { exception, .. } | Answer::Fatal(exception)) => {
                drop((exception.to_string(), exception.kind()))
            }
            Ok(Answer::Sasl(message)) => negotiate(&[message.clone(), message]),
            Err(error) => drop(error.to_string()),
        }
    }
}

#[test]
fn changed_recordings_of_every_exchange_are_read_without_a_panic_and_in_little_memory() {
    within_bounds(
        "hostile::changed_recordings_of_every_exchange_are_read_without_a_panic_and_in_little_memory",
        || {
            let recorded = recorded();
            proptest!(ProptestConfig::with_cases(4000), |(at in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), edits in any_edits())| {
                if !recorded.is_empty() {
                    let bytes = edited(&at.get(&recorded).1, &other.get(&recorded).1, &edits);
                    read_as_stream(&bytes);
                    // The same without the length in front, which is seldom right after a change.
                    if let Some(frame) = bytes.get(4..) {
                        let whole = [&u32::try_from(frame.len()).unwrap_or(0).to_be_bytes()[..], frame].concat();
                        read_as_stream(&whole);
                    }
                    let _ = Credentials::from_bytes(&bytes);
                }
            });
        },
    );
}

#[test]
fn arbitrary_bytes_as_any_answer_are_no_panic_and_take_little_memory() {
    within_bounds("hostile::arbitrary_bytes_as_any_answer_are_no_panic_and_take_little_memory", || {
        proptest!(ProptestConfig::with_cases(2000), |(bytes in prop::collection::vec(any::<u8>(), 0..400))| {
            read_as_stream(&bytes);
            let mut delimited = Vec::new();
            prost::encode_length_delimiter(bytes.len(), &mut delimited).unwrap();
            delimited.extend(&bytes);
            read_as_every_answer(&Bytes::from(delimited));
        });
    });
}

#[test]
fn a_length_that_lies_is_an_error_before_it_is_memory() {
    within_bounds("hostile::a_length_that_lies_is_an_error_before_it_is_memory", || {
        // Just below the limit, in each place where a length stands: the frame, a message, a field, a count of a token file.
        let lie = u32::try_from(LIMIT).unwrap() - 1;
        let mut varint = Vec::new();
        prost::encode_length_delimiter(LIMIT - 1, &mut varint).unwrap();
        let mut decoder = Decoder::new(LIMIT);
        decoder.feed(&lie.to_be_bytes());
        assert_eq!(decoder.next(), Ok(None));
        let _space = decoder.space();
        read_as_every_answer(&Bytes::from(varint.clone()));
        for field in 1u8..16 {
            let inner = [&[field << 3 | 2][..], &varint].concat();
            let whole = [&[u8::try_from(inner.len()).unwrap()][..], &inner].concat();
            read_as_every_answer(&Bytes::from(whole.clone()));
            assert!(RpcSaslProto::decode(&inner[..]).is_err());
            assert!(header::answer(Bytes::from(whole)).is_err());
        }
        for form in [0u8, 1] {
            // Five bytes of a Hadoop number: 127 MiB; and as a protobuf length.
            for number in [&[0x8c_u8, 0x07, 0xff, 0xff, 0xff][..], &varint] {
                assert!(Credentials::from_bytes(&[b"HDTS", &[form][..], number].concat()).is_err());
            }
        }
    });
}

#[test]
fn messages_that_stand_in_one_another_without_end_are_refused() {
    within_bounds("hostile::messages_that_stand_in_one_another_without_end_are_refused", || {
        // A queue in a queue in a queue, by field 6; and an exception's cause, by field 4.
        for field in [6u8, 4] {
            let mut bytes = Vec::new();
            while bytes.len() < 20_000 {
                let mut outer = vec![field << 3 | 2];
                prost::encode_length_delimiter(bytes.len(), &mut outer).unwrap();
                outer.extend(&bytes);
                bytes = outer;
            }
            assert!(QueueInfoProto::decode(&bytes[..]).is_err() || field == 4);
            assert!(SerializedExceptionProto::decode(&bytes[..]).is_err() || field == 6);
        }
    });
}

#[test]
fn sealed_frames_that_were_changed_are_refused_whatever_the_change() {
    within_bounds("hostile::sealed_frames_that_were_changed_are_refused_whatever_the_change", || {
        let recorded = recorded();
        for prefix in ["auth-int", "rc4", "3des"] {
            let Some((_, wrapped)) = recorded.iter().find(|(name, _)| *name == format!("{prefix}-wrapped")) else {
                return;
            };
            let Ok(Answer::Sasl(message)) = header::answer(Bytes::copy_from_slice(&wrapped[4..])) else {
                panic!("a sealed frame")
            };
            let sealed = message.token().to_vec();
            proptest!(ProptestConfig::with_cases(300), |(edits in any_edits())| {
                let Security::Sealed(_, mut opener) = sealed_again(prefix) else { panic!("{prefix} is sealed") };
                let changed = edited(&sealed, &sealed, &edits);
                if changed == sealed {
                    prop_assert!(opener.open(&changed).is_ok());
                } else {
                    prop_assert!(opener.open(&changed).is_err());
                }
            });
        }
    });
}

#[test]
fn negotiations_with_messages_in_any_order_are_never_believed() {
    within_bounds("hostile::negotiations_with_messages_in_any_order_are_never_believed", || {
        let offers: Vec<RpcSaslProto> = recorded()
            .iter()
            .filter_map(|(_, bytes)| match header::answer(Bytes::copy_from_slice(bytes.get(4..)?)) {
                Ok(Answer::Sasl(message)) => Some(message),
                _ => None,
            })
            .collect();
        proptest!(ProptestConfig::with_cases(2000), |(order in prop::collection::vec(any::<prop::sample::Index>(), 1..5), edits in any_edits())| {
            if !offers.is_empty() {
                let messages: Vec<_> = order.iter().map(|at| {
                    let mut message = at.get(&offers).clone();
                    for auth in &mut message.auths {
                        auth.challenge = auth.challenge.take().map(|challenge| edited(&challenge, &challenge, &edits));
                    }
                    message
                }).collect();
                negotiate(&messages);
            }
        });
    });
}
