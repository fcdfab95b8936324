//! Registrations as bytes: exactly Curator's nine keys out; both Curators' and Metron's in. Pure.

use super::{Endpoint, Registration, default_functions};
use crate::model::{self, ModelName, ModelVersion};
use crate::tree::Node;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;

/// The payload's class, which Metron's reader insists on.
const CLASS: &str = "org.apache.metron.maas.config.ModelEndpoint";
/// A registration longer than this is not read.
const MAX_REGISTRATION: usize = 64 * 1024;

/// Why a node below the registry's root is no endpoint.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No bytes, `null`, or longer than a registration can be.
    #[error("{length} bytes; a registration has 1 to {MAX_REGISTRATION}")]
    Length {
        /// How many.
        length: usize,
    },
    /// No JSON of this shape.
    #[error("not a service instance: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The payload is of another class: another service's registration.
    #[error("payload of class {class:?}, not a model endpoint")]
    OtherClass {
        /// Which.
        class: String,
    },
    /// Something that must be there is not.
    #[error("{key} is missing")]
    Missing {
        /// Which.
        key: &'static str,
    },
    /// The name inside is not that of the path.
    #[error("it says model {found:?}, but stands below {expected:?}")]
    OtherName {
        /// The name inside.
        found: String,
        /// The name of the path.
        expected: String,
    },
    /// A name or version that is none.
    #[error(transparent)]
    Name(#[from] model::Error),
    /// Its owner lets nobody read it.
    #[error("its owner permits nobody to read it")]
    Locked,
    /// A url nobody can call.
    #[error(transparent)]
    Url(#[from] super::published::Error),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceOut<'a> {
    name: &'a str,
    id: &'a str,
    address: &'a str,
    port: i32,
    ssl_port: Option<i32>,
    payload: PayloadOut<'a>,
    #[serde(rename = "registrationTimeUTC")]
    registration_time: i64,
    service_type: &'a str,
    uri_spec: Option<()>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PayloadOut<'a> {
    #[serde(rename = "@class")]
    class: &'a str,
    endpoint: EndpointOut<'a>,
    name: &'a str,
    version: &'a str,
    container_id: &'a str,
}

#[derive(Serialize)]
struct EndpointOut<'a> {
    url: &'a str,
    functions: &'a BTreeMap<String, String>,
}

impl Registration {
    /// The nine keys in Curator's order, nulls included. Ours go with the runner's session and say so.
    ///
    /// The url is one that [`super::check_url`] took; of another text address and port are taken as far as they go.
    pub fn encode(&self) -> Vec<u8> {
        let (address, port) = address_and_port(&self.url);
        let instance = InstanceOut {
            name: self.model.name.as_str(),
            id: &self.id,
            address,
            port,
            ssl_port: None,
            payload: PayloadOut {
                class: CLASS,
                endpoint: EndpointOut { url: &self.url, functions: &self.functions },
                name: self.model.name.as_str(),
                version: self.model.version.as_str(),
                container_id: &self.id,
            },
            registration_time: self.registered_ms,
            service_type: "DYNAMIC",
            uri_spec: None,
        };
        // Strings, numbers and a map with string keys always have a JSON form.
        serde_json::to_vec(&instance).unwrap_or_default()
    }
}

/// As Java's URL has them: an IPv6 address keeps its brackets, no port is -1, also where the scheme implies one.
fn address_and_port(url: &str) -> (&str, i32) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((address, port)) => (address, port.parse().unwrap_or(-1)),
        None => (authority, -1),
    }
}

#[derive(Deserialize)]
struct InstanceIn<'a> {
    #[serde(borrow)]
    payload: Option<PayloadIn<'a>>,
    #[serde(rename = "registrationTimeUTC", borrow)]
    registration_time: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct PayloadIn<'a> {
    #[serde(rename = "@class")]
    class: Option<String>,
    endpoint: Option<EndpointIn>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    version: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct EndpointIn {
    url: Option<String>,
    functions: Option<BTreeMap<String, String>>,
}

/// Reads one registration. Unknown keys, a byte order mark and anything after the object are ignored; a version may be
/// a number and keeps its text.
pub fn decode(name: &str, id: &str, node: &Node) -> Result<Endpoint, Error> {
    let name: ModelName = name.parse()?;
    let data = node.data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&node.data);
    if data.trim_ascii().is_empty() || node.data.len() > MAX_REGISTRATION {
        return Err(Error::Length { length: node.data.len() });
    }
    let mut reader = serde_json::Deserializer::from_slice(data);
    let instance = InstanceIn::deserialize(&mut reader)?;
    let payload = instance.payload.ok_or(Error::Missing { key: "payload" })?;
    if let Some(class) = payload.class.filter(|class| class != CLASS) {
        return Err(Error::OtherClass { class });
    }
    if let Some(found) = payload.name.and_then(text).filter(|found| found != name.as_str()) {
        return Err(Error::OtherName { found, expected: name.to_string() });
    }
    let version: ModelVersion =
        payload.version.and_then(text).ok_or(Error::Missing { key: "payload.version" })?.parse()?;
    let endpoint = payload.endpoint.ok_or(Error::Missing { key: "payload.endpoint" })?;
    let url = endpoint.url.ok_or(Error::Missing { key: "payload.endpoint.url" })?;
    let _callable: Url = super::published::check(&url)?;
    let registered_ms = instance.registration_time.and_then(text).and_then(|time| time.parse().ok()).unwrap_or(0);
    Ok(Endpoint {
        name,
        version,
        id: id.into(),
        url: url.into(),
        functions: Arc::new(endpoint.functions.unwrap_or_else(default_functions)),
        registered_ms,
        czxid: node.stat.czxid,
    })
}

/// A string's text, or a number's as it stands; nothing else.
fn text(value: &RawValue) -> Option<String> {
    match value.get().as_bytes().first()? {
        b'"' => serde_json::from_str(value.get()).ok(),
        b'0'..=b'9' | b'-' => Some(value.get().to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelId;
    use crate::tree::Stat;
    use proptest::prelude::*;

    fn registration() -> Registration {
        Registration {
            model: ModelId::new("dga", "1.0").unwrap(),
            id: "3-1-9f2c".into(),
            url: "http://node7:36161".into(),
            functions: default_functions(),
            registered_ms: 1_700_000_000_123,
        }
    }

    fn node(data: impl Into<Vec<u8>>) -> Node {
        Node { data: data.into(), stat: Stat { czxid: 9, ..Stat::default() } }
    }

    #[test]
    fn exactly_nine_keys_in_curators_order() {
        let expected = concat!(
            r#"{"name":"dga","id":"3-1-9f2c","address":"node7","port":36161,"sslPort":null,"#,
            r#""payload":{"@class":"org.apache.metron.maas.config.ModelEndpoint","#,
            r#""endpoint":{"url":"http://node7:36161","functions":{"apply":"apply"}},"#,
            r#""name":"dga","version":"1.0","containerId":"3-1-9f2c"},"#,
            r#""registrationTimeUTC":1700000000123,"serviceType":"DYNAMIC","uriSpec":null}"#
        );
        assert_eq!(String::from_utf8(registration().encode()).unwrap(), expected);
        for (url, address, port) in
            [("http://h", "\"h\"", "-1"), ("http://h:80/x", "\"h\"", "80"), ("http://[::1]:8/", "\"[::1]\"", "8")]
        {
            let bytes = Registration { url: url.into(), ..registration() }.encode();
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains(&format!(r#""address":{address},"port":{port},"#)), "{text}");
        }
    }

    #[test]
    fn what_we_write_and_what_others_write_is_read() {
        let ours = decode("dga", "3-1-9f2c", &node(registration().encode())).unwrap();
        assert_eq!(
            (ours.version.as_str(), &*ours.url, ours.registered_ms),
            ("1.0", "http://node7:36161", 1_700_000_000_123)
        );
        assert_eq!((&*ours.id, ours.czxid), ("3-1-9f2c", 9));
        let theirs = "\u{feff}{\"name\":\"dga\",\"id\":\"2\",\"address\":\"h\",\"port\":\"80\",\"payload\":{\"endpoint\":{\"url\":\"http://h:80\",\"x\":1},\
            \"name\":\"dga\",\"version\":1.10,\"containerId\":2,\"@class\":\"org.apache.metron.maas.config.ModelEndpoint\"},\
            \"registrationTimeUTC\":\"17\",\"serviceType\":\"STATIC\",\"enabled\":true} junk";
        let theirs = decode("dga", "2", &node(theirs)).unwrap();
        assert_eq!((theirs.version.as_str(), theirs.registered_ms), ("1.10", 17));
        assert_eq!(*theirs.functions, default_functions());
    }

    #[test]
    fn what_is_no_endpoint_is_skipped_with_its_reason() {
        let class = r#""@class":"org.apache.metron.maas.config.ModelEndpoint""#;
        let cases = [
            (String::new(), "0 bytes"),
            ("null".into(), "not a service instance"),
            ("{}".into(), "payload is missing"),
            (r#"{"payload":null}"#.into(), "payload is missing"),
            (r#"{"payload":{"@class":"a.B"}}"#.into(), "payload of class"),
            (format!(r#"{{"payload":{{{class},"endpoint":{{"url":"http://h:1"}}}}}}"#), "payload.version is missing"),
            (format!(r#"{{"payload":{{{class},"version":null}}}}"#), "payload.version is missing"),
            (format!(r#"{{"payload":{{{class},"version":"1","endpoint":null}}}}"#), "payload.endpoint is missing"),
            (format!(r#"{{"payload":{{{class},"version":"1","endpoint":{{"url":null}}}}}}"#), "payload.endpoint.url"),
            (format!(r#"{{"payload":{{{class},"version":"1","endpoint":{{"url":"x"}}}}}}"#), "url \"x\""),
            (
                format!(
                    r#"{{"payload":{{{class},"version":"1","endpoint":{{"url":"http://h:1","functions":{{"a":1}}}}}}}}"#
                ),
                "not a service instance",
            ),
            (format!(r#"{{"payload":{{{class},"name":"other","version":"1"}}}}"#), "it says model \"other\""),
        ];
        for (data, expected) in cases {
            let text = decode("dga", "1", &node(data.clone())).unwrap_err().to_string();
            assert!(text.starts_with(expected), "{data}: {text}");
        }
        assert!(decode("a b", "1", &node("{}")).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _either = decode("m", "1", &node(data));
        }
    }
}
