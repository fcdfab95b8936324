//! Every message of every vector, by the definitions in `proto/`: decoded as recorded, and encoded to the recorded bytes.

use bytes::{Buf as _, Bytes};
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde_json::Value as Json;

use super::{POOL, Vector, from_json, full_name, named, to_json, vectors};

/// The same with every fraction as near as the protocol's floats come to it: the recorded texts have fewer digits.
fn single_precision(json: &Json) -> Json {
    match json {
        Json::Number(number) if number.is_f64() => Json::from(f64::from(number.as_f64().expect("a float") as f32)),
        Json::Array(list) => list.iter().map(single_precision).collect(),
        Json::Object(object) => object.iter().map(|(key, value)| (key.clone(), single_precision(value))).collect(),
        other => other.clone(),
    }
}

/// Checks a frame's messages one after another, in the order in which they were recorded.
fn check_frame(vector: &Vector) {
    let Vector { name, bytes, .. } = vector;
    let mut rest = Bytes::copy_from_slice(bytes);
    assert_eq!(rest.get_u32() as usize, rest.len(), "{name}: the length");
    let mut again = Vec::new();
    for (message, expected) in vector.messages() {
        let message = full_name(message);
        let length = prost::decode_length_delimiter(&mut rest).expect("a length");
        let body = rest.split_to(length);
        let descriptor = POOL.get_message_by_name(&message).expect("the name is known");
        let read =
            DynamicMessage::decode(descriptor, body).unwrap_or_else(|error| panic!("{name}: {message}: {error}"));
        assert_eq!(to_json(&read), single_precision(expected), "{name}: {message} decoded");
        again.extend(from_json(&message, expected).encode_length_delimited_to_vec());
    }
    assert!(rest.is_empty(), "{name}: {} bytes are left", rest.len());
    assert_eq!(bytes[4..], again, "{name}: encoded again");
}

#[test]
fn every_frame_is_decoded_as_recorded_and_encoded_to_the_same_bytes() {
    let mut checked = 0;
    for file in ["rpc.json", "sasl.json", "sasl-wrap.json", "client.json", "am.json", "nm.json"] {
        for vector in vectors(file).unwrap_or_default() {
            // A preamble is no frame; `codec` checks it.
            if !vector.decoded.keys().all(|key| key.ends_with("Proto")) {
                continue;
            }
            check_frame(&vector);
            checked += 1;
        }
    }
    println!("{checked} frames");
}

#[test]
fn the_identifiers_of_tokens_are_decoded_as_recorded_and_encoded_to_the_same_bytes() {
    for Vector { name, bytes, decoded, direction, .. } in vectors("credentials.json").unwrap_or_default() {
        if direction != "token" {
            continue;
        }
        let (message, expected) = decoded.iter().next().expect("one message");
        let message = full_name(message);
        let read =
            DynamicMessage::decode(POOL.get_message_by_name(&message).expect("known"), &bytes[..]).expect("decoded");
        assert_eq!(to_json(&read), *expected, "{name}");
        assert_eq!(from_json(&message, expected).encode_to_vec(), bytes, "{name}");
    }
}

#[test]
fn an_identifier_in_a_token_file_is_what_it_says() {
    let Some(vectors) = vectors("credentials.json") else { return };
    let file = named(&vectors, "am-token-file");
    let token = &file.decoded["tokens"][0];
    let expected = &token["parsed_identifier"];
    let identifier =
        super::unhex(token["identifier"].as_str().and_then(|text| text.strip_prefix("hex:")).expect("bytes"));
    let read = DynamicMessage::decode(
        POOL.get_message_by_name("hadoop.yarn.AMRMTokenIdentifierProto").expect("known"),
        &identifier[..],
    )
    .expect("decoded");
    assert_eq!(to_json(&read), *expected);
    assert_ne!(*expected, Json::Null);
}
