//! Requests as bytes: what Metron's client writes, read as leniently as Metron's master reads it, and no more. Pure.

use super::rules::{self, bad, shown};
use super::{Action, Error, Extra, MAX_MESSAGE, ModelRequest, Resources};
use crate::model::ModelId;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

/// The six keys in Metron's order, then what differs from its default.
#[derive(Serialize)]
struct Wire<'a> {
    name: &'a str,
    version: &'a str,
    #[serde(rename = "numInstances")]
    num_instances: u32,
    memory: u64,
    action: Action,
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vcores: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpus: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(flatten)]
    extra: &'a Extra,
}

impl ModelRequest {
    /// The bytes for the queue. A request without additions has the six keys only.
    pub fn encode(&self) -> Vec<u8> {
        let default = Resources::default();
        let wire = Wire {
            name: self.model.name.as_str(),
            version: self.model.version.as_str(),
            num_instances: self.num_instances,
            memory: if self.action == Action::Add { self.resources.memory_mb } else { 0 },
            action: self.action,
            path: self.path.as_deref(),
            vcores: (self.resources.vcores != default.vcores).then_some(self.resources.vcores),
            gpus: (self.resources.gpus != default.gpus).then_some(self.resources.gpus),
            label: (!self.resources.label.is_empty()).then_some(&self.resources.label),
            extra: &self.extra,
        };
        // Strings, numbers and maps with string keys always have a JSON form.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// Reads a message from anywhere. As the Java reader: keys in any order, the last of two wins, numbers may be
    /// strings, fractions are cut, a byte order mark and anything after the object are ignored.
    pub fn decode(message: &[u8]) -> Result<ModelRequest, Error> {
        if message.len() > MAX_MESSAGE {
            return Err(Error::TooLong { length: message.len() });
        }
        let message = message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message);
        if message.trim_ascii().is_empty() {
            return Err(Error::Empty);
        }
        // Raw values are skipped over without recursion, however deep they are.
        let mut reader = serde_json::Deserializer::from_slice(message);
        let value = <&RawValue>::deserialize(&mut reader).map_err(|source| Error::NotJson { source })?;
        if value.get() == "null" {
            return Err(Error::Null);
        }
        if !value.get().starts_with('{') {
            return Err(Error::NotAnObject { found: shown(value.get()) });
        }
        Fields::read(value)?.check()
    }
}

/// The values as they stand, before any is looked at.
#[derive(Default)]
struct Fields<'a> {
    name: Option<&'a RawValue>,
    version: Option<&'a RawValue>,
    num_instances: Option<&'a RawValue>,
    memory: Option<&'a RawValue>,
    action: Option<&'a RawValue>,
    path: Option<&'a RawValue>,
    vcores: Option<&'a RawValue>,
    gpus: Option<&'a RawValue>,
    label: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    digest: Option<&'a RawValue>,
    env: Option<&'a RawValue>,
    secrets: Option<&'a RawValue>,
    update: Option<&'a RawValue>,
    purge: Option<&'a RawValue>,
    by: Option<&'a RawValue>,
}

impl<'a> Fields<'a> {
    fn read(object: &'a RawValue) -> Result<Self, Error> {
        let pairs: Pairs<'a> = serde_json::from_str(object.get()).map_err(|source| Error::NotJson { source })?;
        let mut fields = Fields::default();
        for (key, value) in pairs.0 {
            let place = match key.as_str() {
                "name" => &mut fields.name,
                "version" => &mut fields.version,
                "numInstances" => &mut fields.num_instances,
                "memory" => &mut fields.memory,
                "action" => &mut fields.action,
                "path" => &mut fields.path,
                "vcores" => &mut fields.vcores,
                "gpus" => &mut fields.gpus,
                "label" => &mut fields.label,
                "id" => &mut fields.id,
                "digest" => &mut fields.digest,
                "env" => &mut fields.env,
                "secrets" => &mut fields.secrets,
                "update" => &mut fields.update,
                "purge" => &mut fields.purge,
                "by" => &mut fields.by,
                _ => return Err(Error::UnknownKey { key: shown(&key) }),
            };
            *place = (value.get() != "null").then_some(value);
        }
        Ok(fields)
    }

    fn check(self) -> Result<ModelRequest, Error> {
        let action = self.action.ok_or(Error::Missing { key: "action" })?;
        let action: Action =
            serde_json::from_str(action.get()).map_err(|_| Error::Action { value: shown(action.get()) })?;
        let name = text("name", self.name)?.ok_or(Error::Missing { key: "name" })?;
        let version = text("version", self.version)?.ok_or(Error::Missing { key: "version" })?;
        let model = ModelId::new(&name, &version)?;
        let num_instances = rules::instances(action, number("numInstances", self.num_instances)?.unwrap_or(0))?;
        let default = Resources::default();
        let resources = Resources {
            memory_mb: rules::memory(action, number("memory", self.memory)?.unwrap_or(0))?,
            vcores: match number("vcores", self.vcores)? {
                Some(number) => rules::within("vcores", number, 1, 65_536)?,
                None => default.vcores,
            },
            gpus: match number("gpus", self.gpus)? {
                Some(number) => rules::within("gpus", number, 0, 1_024)?,
                None => default.gpus,
            },
            label: rules::label(text("label", self.label)?.unwrap_or_default())?,
        };
        let path = text("path", self.path)?.map(rules::store_path).transpose()?;
        if action == Action::Add && path.is_none() {
            return Err(Error::Missing { key: "path" });
        }
        let extra = rules::extra(Extra {
            id: text("id", self.id)?,
            digest: text("digest", self.digest)?,
            env: typed("env", self.env, "an object of strings")?,
            secrets: typed("secrets", self.secrets, "an object of strings")?,
            update: typed("update", self.update, "true or false")?,
            purge: typed("purge", self.purge, "true or false")?,
            by: text("by", self.by)?,
        })?;
        Ok(ModelRequest { model, action, num_instances, resources, path, extra })
    }
}

/// A text; a number or a boolean keeps the text it has in the message, so that version `1.10` stays `1.10`.
fn text(key: &'static str, value: Option<&RawValue>) -> Result<Option<String>, Error> {
    let Some(value) = value.map(RawValue::get) else {
        return Ok(None);
    };
    match value.as_bytes().first() {
        Some(b'"') => serde_json::from_str(value).map(Some).map_err(|_| bad(key, value, "a string")),
        Some(b'[' | b'{') | None => Err(bad(key, value, "a string")),
        Some(_) => Ok(Some(value.to_string())),
    }
}

/// A number of 32 bits, or a string of one; fractions are cut.
fn number(key: &'static str, value: Option<&RawValue>) -> Result<Option<i32>, Error> {
    let Some(value) = value.map(RawValue::get) else {
        return Ok(None);
    };
    let refused = || bad(key, value, "a whole number of at most 32 bits");
    if value.starts_with('"') {
        let text: String = serde_json::from_str(value).map_err(|_| refused())?;
        let text = text.trim();
        if text.is_empty() {
            return Ok(Some(0));
        }
        return text.parse().map(Some).map_err(|_| refused());
    }
    if let Ok(whole) = value.parse() {
        return Ok(Some(whole));
    }
    let fraction: f64 = serde_json::from_str(value).map_err(|_| refused())?;
    let whole = fraction.trunc();
    if whole < f64::from(i32::MIN) || whole > f64::from(i32::MAX) {
        return Err(refused());
    }
    // Within the range of i32, as just checked, so this cuts nothing but the fraction.
    Ok(Some(whole as i32))
}

fn typed<T: DeserializeOwned + Default>(
    key: &'static str,
    value: Option<&RawValue>,
    expected: &str,
) -> Result<T, Error> {
    match value {
        None => Ok(T::default()),
        Some(value) => serde_json::from_str(value.get()).map_err(|_| bad(key, value.get(), expected)),
    }
}

/// An object's pairs in their order, values unread.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn add() -> ModelRequest {
        ModelRequest {
            model: ModelId::new("m", "1.0").unwrap(),
            action: Action::Add,
            num_instances: 2,
            resources: Resources::default(),
            path: Some("/models/m".into()),
            extra: Extra::default(),
        }
    }

    fn decoded(text: &str) -> ModelRequest {
        ModelRequest::decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn six_keys_in_metrons_order_and_nothing_else() {
        let expected =
            r#"{"name":"m","version":"1.0","numInstances":2,"memory":512,"action":"ADD","path":"/models/m"}"#;
        assert_eq!(String::from_utf8(add().encode()).unwrap(), expected);
        let remove = ModelRequest { action: Action::Remove, path: None, ..add() };
        let expected = r#"{"name":"m","version":"1.0","numInstances":2,"memory":0,"action":"REMOVE","path":null}"#;
        assert_eq!(String::from_utf8(remove.encode()).unwrap(), expected);
        let ours = ModelRequest {
            resources: Resources { gpus: 1, ..Resources::default() },
            extra: Extra { id: Some("u-1".into()), update: true, ..Extra::default() },
            ..add()
        };
        assert!(
            String::from_utf8(ours.encode())
                .unwrap()
                .ends_with(r#","path":"/models/m","gpus":1,"id":"u-1","update":true}"#)
        );
    }

    #[test]
    fn it_reads_what_metrons_master_reads() {
        let lenient = "\u{feff} {\"path\":\"/p\",\"action\":\"ADD\",\"memory\":\"512\",\"numInstances\":2.7,\"version\":1.10,\"name\":7} junk";
        let request = decoded(lenient);
        assert_eq!((request.name().as_str(), request.version().as_str()), ("7", "1.10"));
        assert_eq!((request.num_instances, request.resources.memory_mb), (2, 512));
        let twice = decoded(
            r#"{"name":"a","name":"b","version":"1","numInstances":1,"action":"REMOVE","memory":null,"path":null}"#,
        );
        assert_eq!(twice.name().as_str(), "b");
        assert!(matches!(ModelRequest::decode(b" null "), Err(Error::Null)));
    }

    #[test]
    fn each_bad_message_is_refused_by_field_and_value() {
        let with = |key: &str, value: &str| {
            let mut pairs = BTreeMap::from([
                ("name", "\"m\""),
                ("version", "\"1\""),
                ("numInstances", "1"),
                ("memory", "64"),
                ("action", "\"ADD\""),
                ("path", "\"/p\""),
            ]);
            pairs.insert(key, value);
            let body: Vec<String> = pairs.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            ModelRequest::decode(format!("{{{}}}", body.join(",")).as_bytes())
        };
        assert!(with("name", "\"ok\"").is_ok());
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let cases = [
            ("numInstances", "-3", "numInstances -3: 1 to 1000"),
            ("numInstances", "0", "numInstances 0: 1 to 1000"),
            ("numInstances", "1001", "numInstances 1001: 1 to 1000"),
            ("numInstances", "99999999999", "numInstances 99999999999: a whole number of at most 32 bits"),
            ("numInstances", "1e300", "numInstances 1e300: a whole number of at most 32 bits"),
            ("numInstances", "\"2.7\"", "numInstances \"2.7\": a whole number of at most 32 bits"),
            ("memory", "true", "memory true: a whole number of at most 32 bits"),
            ("memory", "0", "memory 0: 1 to 16777216 MB"),
            ("action", "\"add\"", "action \"add\": ADD, REMOVE or SCALE, in capitals"),
            ("action", "null", "action is missing"),
            ("name", "null", "name is missing"),
            ("name", "\"../x\"", "name \"../x\": character '.' at 1"),
            ("name", "\"a\\nb\"", "name \"a\\nb\": character '\\n' at 2"),
            ("name", "\"$(id)\"", "name \"$(id)\": character '$' at 1"),
            ("version", "{}", "version {}: a string"),
            ("path", "null", "path is missing"),
            ("path", "\"/a/../b\"", "path /a/../b: a path inside the model store"),
            ("colour", "1", "unknown key \"colour\""),
            ("colour", &deep, "unknown key \"colour\""),
            ("env", &deep, "env [["),
            ("env", "{\"A-B\":\"x\"}", "env A-B: names of variables"),
            ("secrets", "{\"A\":\"rel\"}", "secrets rel: an absolute path of a file"),
            ("id", "\"a/b\"", "id a/b: letters"),
            ("digest", "\"sha256:12\"", "digest sha256:12: sha256: and 64"),
            ("update", "1", "update 1: true or false"),
            ("label", "\"a b\"", "label a b: letters"),
            ("vcores", "0", "vcores 0: 1 to 65536"),
        ];
        for (key, value, expected) in cases {
            let text = with(key, value).unwrap_err().to_string();
            assert!(text.starts_with(expected), "{key}: {text}");
        }
        let whole = [
            (&b""[..], "the message is empty"),
            (b" \n", "the message is empty"),
            (b"{\"name\":\"m\"", "the message is no JSON"),
            (b"\xff\xfe\x00", "the message is no JSON"),
            (b"{\"name\":\"\xff\"}", "the message is no JSON"),
            (b"[1]", "the message is [1], not a JSON object"),
            (b"NaN", "the message is no JSON"),
        ];
        for (message, expected) in whole {
            let text = ModelRequest::decode(message).unwrap_err().to_string();
            assert!(text.starts_with(expected), "{text}");
        }
        let long = vec![b'['; 1 << 20];
        assert!(matches!(ModelRequest::decode(&long), Err(Error::TooLong { length: 1_048_576 })));
        let nested = vec![b'['; MAX_MESSAGE];
        assert!(matches!(ModelRequest::decode(&nested), Err(Error::NotJson { .. })));
    }

    fn requests() -> impl Strategy<Value = ModelRequest> {
        let resources = (1_u64..=16_777_216, 1_u32..64, 0_u32..8, "([a-z][a-z0-9._-]{0,8})?")
            .prop_map(|(memory_mb, vcores, gpus, label)| Resources { memory_mb, vcores, gpus, label });
        let extra = (
            proptest::option::of("[a-f0-9-]{0,0}[a-f0-9][a-f0-9-]{0,35}"),
            proptest::option::of("sha256:[0-9a-f]{64}"),
            proptest::collection::btree_map("[A-Z_][A-Z0-9_]{0,8}", "[^\\x00]{0,12}", 0..3),
            proptest::collection::btree_map("[A-Z_][A-Z0-9_]{0,8}", "/[ -~]{0,12}", 0..3),
            any::<(bool, bool)>(),
            proptest::option::of("[a-z@ äö]{0,12}"),
        )
            .prop_map(|(id, digest, env, secrets, (update, purge), by)| Extra {
                id,
                digest,
                env,
                secrets,
                update,
                purge,
                by,
            });
        let action = prop_oneof![Just(Action::Add), Just(Action::Remove), Just(Action::Scale)];
        (action, "[A-Za-z0-9][A-Za-z0-9._-]{0,20}", "[A-Za-z0-9][A-Za-z0-9._+-]{0,20}", 1_u32..=1000, resources, extra)
            .prop_map(|(action, name, version, num_instances, mut resources, extra)| {
                if action != Action::Add {
                    resources.memory_mb = 0;
                }
                let path = (action == Action::Add).then(|| format!("/models/{name}"));
                let model = ModelId::new(&name, &version).unwrap();
                ModelRequest { model, action, num_instances, resources, path, extra }
            })
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(request in requests()) {
            prop_assert_eq!(ModelRequest::decode(&request.encode()).unwrap(), request);
        }

        #[test]
        fn no_bytes_make_it_panic(message in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _either = ModelRequest::decode(&message);
        }

        #[test]
        fn no_json_makes_it_panic(key in "name|version|action|memory|env|x", value in "\\PC{0,40}") {
            let _either = ModelRequest::decode(format!("{{\"{key}\":{value}}}").as_bytes());
        }
    }
}
