//! Writes small databases in MaxMind's format (version 2.0) for tests: a binary tree over the bits of addresses, then data, then metadata.
//!
//! As in the real ones, IPv4 addresses are the last 32 bits of an otherwise empty IPv6 prefix, and records have 28 bits.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
const SEPARATOR: usize = 16;

#[derive(Clone, Copy)]
enum Record {
    Empty,
    Node(usize),
    Data(usize),
}

/// A database of this kind: networks as `ADDRESS/PREFIX` with what is known of them.
pub(crate) fn database(kind: &str, networks: &[(&str, Value)]) -> Vec<u8> {
    let mut nodes = vec![[Record::Empty; 2]];
    let mut data = Vec::new();
    for (network, known) in networks {
        let offset = data.len();
        write_value(&mut data, known);
        let (bits, length) = bits_of(network);
        let mut node = 0;
        for position in 0..length - 1 {
            let side = bit(bits, position);
            node = match nodes[node][side] {
                Record::Node(next) => next,
                _ => {
                    nodes.push([Record::Empty; 2]);
                    let next = nodes.len() - 1;
                    nodes[node][side] = Record::Node(next);
                    next
                }
            };
        }
        nodes[node][bit(bits, length - 1)] = Record::Data(offset);
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for node in &nodes {
        let [left, right] = node.map(|record| match record {
            Record::Empty => count,
            Record::Node(next) => next,
            Record::Data(offset) => count + SEPARATOR + offset,
        });
        file.extend(&u32::try_from(left).unwrap().to_be_bytes()[1..]);
        file.push(u8::try_from((left >> 24) << 4 | right >> 24).unwrap());
        file.extend(&u32::try_from(right).unwrap().to_be_bytes()[1..]);
    }
    file.extend([0; SEPARATOR]);
    file.extend(data);
    file.extend(MARKER);
    let metadata = json!({
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1_700_000_000,
        "database_type": kind, "description": {"en": "a test"}, "ip_version": 6, "languages": ["en"],
        "node_count": count, "record_size": 28,
    });
    write_value(&mut file, &metadata);
    file
}

fn bits_of(network: &str) -> (u128, usize) {
    let (address, prefix) = network.split_once('/').unwrap();
    let prefix: usize = prefix.parse().unwrap();
    match address.parse().unwrap() {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), prefix + 96),
        IpAddr::V6(v6) => (u128::from(v6), prefix),
    }
}

fn bit(bits: u128, position: usize) -> usize {
    usize::from(bits >> (127 - position) & 1 == 1)
}

fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => {
            control(out, 2, text.len());
            out.extend(text.as_bytes());
        }
        Value::Number(number) if number.is_f64() => {
            control(out, 3, 8);
            out.extend(number.as_f64().unwrap().to_be_bytes());
        }
        Value::Number(number) => write_whole(out, 6, number.as_u64().unwrap()),
        Value::Object(entries) => write_map(out, entries),
        Value::Array(items) => {
            control(out, 11, items.len());
            items.iter().for_each(|item| write_value(out, item));
        }
        Value::Bool(bool) => control(out, 14, usize::from(*bool)),
        Value::Null => panic!("the format has no null"),
    }
}

fn write_map(out: &mut Vec<u8>, entries: &Map<String, Value>) {
    control(out, 7, entries.len());
    for (key, value) in entries {
        write_value(out, &Value::String(key.clone()));
        match (key.as_str(), value.as_u64()) {
            ("build_epoch", Some(number)) => write_whole(out, 9, number),
            ("metro_code" | "record_size" | "ip_version", Some(number)) => write_whole(out, 5, number),
            (key, Some(number)) if key.starts_with("binary_format") => write_whole(out, 5, number),
            _ => write_value(out, value),
        }
    }
}

/// A whole number of this type (5, 6 and 9 have 16, 32 and 64 bits), without leading zero bytes.
fn write_whole(out: &mut Vec<u8>, kind: u8, number: u64) {
    let bytes = number.to_be_bytes();
    let used = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(8)..];
    control(out, kind, used.len());
    out.extend(used);
}

/// Type and size. Types above 7 are extended ones, whose number is in a second byte.
fn control(out: &mut Vec<u8>, kind: u8, size: usize) {
    let (size, more) = if size < 29 { (size, None) } else { (29, Some(u8::try_from(size - 29).unwrap())) };
    let size = u8::try_from(size).unwrap();
    if kind <= 7 {
        out.push(kind << 5 | size);
    } else {
        out.extend([size, kind - 7]);
    }
    out.extend(more);
}

/// A database of places that knows 81.2.69.0/24 and 2001:db8:1::/48.
pub(crate) fn places() -> Vec<u8> {
    let london = json!({
        "city": {"geoname_id": 2_643_743, "names": {"en": "London", "de": "London"}},
        "country": {"geoname_id": 2_635_167, "iso_code": "GB", "names": {"en": "United Kingdom"}},
        "location": {"latitude": 51.5142, "longitude": -0.0931, "time_zone": "Europe/London"},
        "postal": {"code": "SW1A"},
        "subdivisions": [{"geoname_id": 6_269_131, "iso_code": "ENG", "names": {"en": "England"}}],
    });
    let somewhere = json!({"country": {"iso_code": "US"}, "location": {"metro_code": 819}});
    database("GeoLite2-City", &[("81.2.69.0/24", london), ("2001:db8:1::/48", somewhere)])
}

/// A database of networks that knows 81.2.69.0/24.
pub(crate) fn networks() -> Vec<u8> {
    let known = json!({"autonomous_system_number": 20712, "autonomous_system_organization": "Andrews & Arnold"});
    database("GeoLite2-ASN", &[("81.2.69.0/24", known)])
}
