//! Bytes recorded between a raw client and real daemons (Hadoop 3.5.0): decoded, encoded again to the same bytes, proofs and seals recomputed.
//!
//! They lie beside the repository, in `../shared/hadoop/vectors`, or where `MAAS_SHARED` says. Where they are absent the tests say so and
//! end; in CI they fail.

#![expect(clippy::print_stdout, reason = "says how many vectors were checked, or why none")]

mod codec;
mod messages;
mod sealed;
mod typed;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, ReflectMessage as _, Value};
use serde_json::{Map, Value as Json, json};

/// The descriptors that this crate's messages were made from.
static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(&include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"))[..])
        .expect("the build wrote descriptors")
});

/// One recorded piece of bytes.
#[derive(Debug, Clone)]
struct Vector {
    name: String,
    direction: String,
    bytes: Vec<u8>,
    /// The messages by their names; headers come first.
    decoded: Map<String, Json>,
    digest: Option<Json>,
}

/// The vectors of a file, or `None` when there are none on this machine.
fn vectors(file: &str) -> Option<Vec<Vector>> {
    let shared = std::env::var_os("MAAS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = shared.join("hadoop/vectors").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no vectors at {}; set MAAS_SHARED", path.display());
        println!("no vectors at {}: nothing to check; set MAAS_SHARED", path.display());
        return None;
    };
    let list: Vec<Json> = serde_json::from_str(&text).expect("a file of vectors is a list");
    let text = |vector: &Json, key: &str| vector[key].as_str().expect("vectors have texts").to_owned();
    let vectors = list.iter().map(|vector| Vector {
        name: text(vector, "name"),
        direction: text(vector, "direction"),
        bytes: unhex(&text(vector, "hex")),
        decoded: vector["decoded"].as_object().expect("decoded is an object").clone(),
        digest: vector.get("digest").filter(|digest| !digest.is_null()).cloned(),
    });
    Some(vectors.collect())
}

/// All recorded bytes, by name; empty where there are none on this machine.
pub(crate) fn recorded() -> Vec<(String, Vec<u8>)> {
    let files = [
        "rpc.json",
        "rpc-misuse.json",
        "sasl.json",
        "sasl-wrap.json",
        "credentials.json",
        "client.json",
        "am.json",
        "nm.json",
    ];
    files.into_iter().filter_map(vectors).flatten().map(|vector| (vector.name, vector.bytes)).collect()
}

/// A recorded exchange played up to its end, so that what its server sealed can be opened.
pub(crate) fn sealed_again(prefix: &str) -> crate::rpc::sasl::Security {
    static WRAPPED: LazyLock<Vec<Vector>> = LazyLock::new(|| vectors("sasl-wrap.json").unwrap_or_default());
    sealed::play(&WRAPPED, prefix, Some(prefix).filter(|name| *name != "auth-int"))
}

impl Vector {
    /// The messages in the order in which they stand in the frame, which a JSON object does not keep.
    fn messages(&self) -> Vec<(&str, &Json)> {
        let mut messages: Vec<_> = self.decoded.iter().map(|(name, value)| (name.as_str(), value)).collect();
        messages.sort_by_key(|(name, _)| match *name {
            "RpcRequestHeaderProto" | "RpcResponseHeaderProto" => 0,
            "RequestHeaderProto" => 1,
            _ => 2,
        });
        messages
    }
}

fn named<'a>(vectors: &'a [Vector], name: &str) -> &'a Vector {
    vectors.iter().find(|vector| vector.name == name).unwrap_or_else(|| panic!("no vector {name}"))
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("hex digits") as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A message's full name: the recorded ones are short.
fn full_name(short: &str) -> String {
    let found = POOL.all_messages().find(|message| message.name() == short);
    found.unwrap_or_else(|| panic!("no message {short}")).full_name().to_owned()
}

/// A message as the vectors write it: bytes as `hex:…`, enums by name, call ids of answers as signed numbers.
fn to_json(message: &DynamicMessage) -> Json {
    let mut object = Map::new();
    let signed_id = message.descriptor().name() == "RpcResponseHeaderProto";
    for (field, value) in message.fields() {
        let kind = field.kind();
        let value = match value {
            Value::List(list) => list.iter().map(|value| value_to_json(value, &kind)).collect(),
            Value::U32(id) if signed_id && field.name() == "callId" => json!(id.cast_signed()),
            value => value_to_json(value, &kind),
        };
        object.insert(field.name().to_owned(), value);
    }
    Json::Object(object)
}

fn value_to_json(value: &Value, kind: &Kind) -> Json {
    match (value, kind) {
        (Value::Bool(value), _) => json!(value),
        (Value::I32(value), _) => json!(value),
        (Value::I64(value), _) => json!(value),
        (Value::U32(value), _) => json!(value),
        (Value::U64(value), _) => json!(value),
        (Value::F32(value), _) => json!(f64::from(*value)),
        (Value::F64(value), _) => json!(value),
        (Value::String(value), _) => json!(value),
        (Value::Bytes(value), _) => json!(format!("hex:{}", hex(value))),
        (Value::EnumNumber(value), Kind::Enum(names)) => json!(names.get_value(*value).expect("a known value").name()),
        (Value::Message(value), _) => to_json(value),
        (value, _) => panic!("unexpected {value:?}"),
    }
}

/// The opposite of [`to_json`].
fn from_json(name: &str, json: &Json) -> DynamicMessage {
    let descriptor = POOL.get_message_by_name(name).unwrap_or_else(|| panic!("no message {name}"));
    let mut message = DynamicMessage::new(descriptor.clone());
    for (key, value) in json.as_object().expect("a message is an object") {
        let field = descriptor.get_field_by_name(key).unwrap_or_else(|| panic!("{name} has no field {key}"));
        let kind = field.kind();
        let value = match value {
            Json::Array(list) => Value::List(list.iter().map(|value| value_from_json(value, &kind)).collect()),
            value => value_from_json(value, &kind),
        };
        message.set_field(&field, value);
    }
    message
}

fn value_from_json(json: &Json, kind: &Kind) -> Value {
    let number = || json.as_i64().expect("a number");
    match kind {
        Kind::Bool => Value::Bool(json.as_bool().expect("a flag")),
        Kind::Int32 | Kind::Sint32 => Value::I32(i32::try_from(number()).expect("32 bits")),
        Kind::Int64 => Value::I64(number()),
        Kind::Uint32 => Value::U32(number() as u32),
        Kind::Uint64 => Value::U64(json.as_u64().expect("a number")),
        Kind::Float => Value::F32(json.as_f64().expect("a number") as f32),
        Kind::String => Value::String(json.as_str().expect("a text").to_owned()),
        Kind::Bytes => {
            Value::Bytes(unhex(json.as_str().and_then(|text| text.strip_prefix("hex:")).expect("bytes")).into())
        }
        Kind::Enum(names) => {
            Value::EnumNumber(names.get_value_by_name(json.as_str().expect("a name")).expect("a known name").number())
        }
        Kind::Message(message) => Value::Message(from_json(message.full_name(), json)),
        kind => panic!("unexpected {kind:?}"),
    }
}
