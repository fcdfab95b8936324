//! Requests of the bulk API and what their answers say of each document. Pure.

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::names::IndexName;
use super::server::Kind;
use super::template::document_type;
use crate::message::{AsJson, Message};
use crate::sink::Document;

/// Documents of one request at most.
const DOCUMENTS: usize = 1_000;
/// Bytes of one request, roughly.
const BYTES: usize = 5 << 20;

/// What became of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Written,
    /// The server has no time for it now.
    Again(String),
    /// It will never be taken.
    Rejected(String),
}

/// Documents as requests: places in the batch.
pub(super) fn requests(documents: &[Document]) -> Vec<Vec<usize>> {
    let mut requests: Vec<Vec<usize>> = Vec::new();
    let mut bytes = BYTES;
    for (index, document) in documents.iter().enumerate() {
        // A field takes some dozens of bytes; long ones are texts, whose length counts.
        let texts = document.message.iter().map(|(_, value)| value.as_text().map_or(16, str::len));
        let size = document.message.len() * 32 + texts.sum::<usize>();
        match requests.last_mut().filter(|last| last.len() < DOCUMENTS && bytes + size <= BYTES) {
            Some(last) => {
                last.push(index);
                bytes += size;
            }
            None => {
                requests.push(vec![index]);
                bytes = size;
            }
        }
    }
    requests
}

/// The body of a request.
pub(super) fn body(documents: &[Document], which: &[usize], index: &IndexName, kind: Kind, colons: bool) -> Vec<u8> {
    let mut body = Vec::with_capacity(which.len() * 768);
    for document in which.iter().filter_map(|place| documents.get(*place)) {
        let name = index.of(&document.message);
        let mut action = json!({"_index": name, "_id": document.guid});
        if kind.typed {
            let first = name.split_once("_index").map_or(name.as_str(), |(first, _)| first);
            action["_type"] = document_type(first).into();
        }
        // Writing to memory fails only for keys that are no text, and all of these are.
        let _ = serde_json::to_writer(&mut body, &json!({"index": action}));
        body.push(b'\n');
        let _ = if colons {
            serde_json::to_writer(&mut body, &Colons(&document.message))
        } else {
            serde_json::to_writer(&mut body, &document.message)
        };
        body.push(b'\n');
    }
    body
}

/// A message with colons in place of the dots in its fields' names.
struct Colons<'a>(&'a Message);

impl Serialize for Colons<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            if name.contains('.') {
                map.serialize_entry(&name.replace('.', ":"), &AsJson(value))?;
            } else {
                map.serialize_entry(name.as_str(), &AsJson(value))?;
            }
        }
        map.end()
    }
}

#[derive(Deserialize)]
struct Answer {
    errors: bool,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: Of,
}

#[derive(Deserialize)]
struct Of {
    status: u16,
    error: Option<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    reason: String,
    caused_by: Option<Box<Reason>>,
}

/// What the answer says of each of so many documents. Of those it doesn't speak of nothing is known.
pub(super) fn verdicts(answer: &[u8], documents: usize) -> Vec<Verdict> {
    let again = |why: &str| (0..documents).map(|_| Verdict::Again(why.to_owned())).collect();
    let Ok(answer) = serde_json::from_slice::<Answer>(answer) else { return again("the answer can't be read") };
    if !answer.errors {
        return (0..documents).map(|_| Verdict::Written).collect();
    }
    if answer.items.len() != documents {
        return again("the answer is of other documents");
    }
    answer.items.into_iter().map(|item| verdict(&item.index)).collect()
}

fn verdict(of: &Of) -> Verdict {
    if of.status < 300 {
        return Verdict::Written;
    }
    let Some(error) = &of.error else { return Verdict::Again(format!("status {}", of.status)) };
    let mut reason = format!("{}: {}", error.kind, error.reason);
    let mut next = &error.caused_by;
    while let Some(cause) = next {
        reason.push_str(&format!(", caused by {}: {}", cause.kind, cause.reason));
        next = &cause.caused_by;
    }
    // A block is lifted when there is room again.
    let passes = of.status == 429 || of.status >= 500 || error.kind == "cluster_block_exception";
    if passes { Verdict::Again(reason) } else { Verdict::Rejected(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::search::Settings;
    use stellar_fns::Value;

    fn document(text: &str) -> Document {
        let message = Message::from_iter([("a.b", Value::text(text)), ("timestamp", Value::Long(0))]);
        Document { guid: "g".into(), message }
    }

    #[test]
    fn a_request_has_an_action_and_a_document_a_line_each() {
        let settings = Settings { index: "squid".into(), dated: true, date_format: None, colons: true };
        let index = IndexName::new(&settings).unwrap();
        let text =
            |typed, colons| String::from_utf8(body(&[document("x")], &[0], &index, Kind { typed }, colons)).unwrap();
        assert_eq!(
            text(false, true),
            "{\"index\":{\"_id\":\"g\",\"_index\":\"squid_index_1970.01.01.00\"}}\n{\"a:b\":\"x\",\"timestamp\":0}\n"
        );
        assert!(text(true, true).contains("\"_type\":\"squid_doc\""));
        assert!(text(true, false).contains("\"a.b\":\"x\""));
    }

    #[test]
    fn requests_are_bounded() {
        let documents: Vec<Document> = (0..2_500).map(|_| document("x")).collect();
        assert_eq!(requests(&documents).iter().map(Vec::len).collect::<Vec<_>>(), [1_000, 1_000, 500]);
        let large: Vec<Document> = (0..3).map(|_| document(&"x".repeat(3 << 20))).collect();
        assert_eq!(requests(&large).len(), 3);
    }

    #[test]
    fn each_document_has_its_verdict() {
        let answer = br#"{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":429,"error":{"type":"rejected","reason":"busy"}}},
          {"index":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"no ip","caused_by":{"type":"x","reason":"y"}}}},
          {"index":{"status":403,"error":{"type":"cluster_block_exception","reason":"full"}}}]}"#;
        assert_eq!(
            verdicts(answer, 4),
            [
                Verdict::Written,
                Verdict::Again("rejected: busy".into()),
                Verdict::Rejected("mapper_parsing_exception: no ip, caused by x: y".into()),
                Verdict::Again("cluster_block_exception: full".into()),
            ]
        );
        assert_eq!(verdicts(br#"{"errors":false}"#, 2), [Verdict::Written, Verdict::Written]);
        assert!(matches!(verdicts(b"oops", 1)[0], Verdict::Again(_)));
    }
}
