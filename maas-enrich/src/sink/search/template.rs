//! How the fields of documents are indexed: a template for all indices of a sensor. Pure.

use serde_json::{Value as Json, json};

use super::server::Kind;

/// The template's name. Servers take small letters alone.
pub(super) fn name(index: &str) -> String {
    format!("{}_index", index.to_lowercase())
}

/// The template, for a server with mapping types or without.
pub(super) fn template(index: &str, kind: Kind) -> Json {
    let pattern = format!("{}*", name(index));
    let mapping = mapping();
    if kind.typed {
        json!({"template": pattern, "mappings": {document_type(index): mapping}})
    } else {
        json!({"index_patterns": [pattern], "mappings": mapping})
    }
}

/// The mapping type of documents, where the server has types.
pub(super) fn document_type(index: &str) -> String {
    format!("{}_doc", index.to_lowercase())
}

/// The first rule that matches a new field counts. Text that no rule names is indexed as the server does by itself, in full and as a keyword.
fn mapping() -> Json {
    let rule = |name: &str, pattern: &str, mapping: Json| json!({name: {"match": pattern, "mapping": mapping}});
    let keyword = || json!({"type": "keyword"});
    // A score may be infinite, which no number of theirs is: the document is taken, and its score is only shown.
    let number = || json!({"type": "float", "ignore_malformed": true});
    json!({
        "dynamic_templates": [
            rule("rule_score", "threat*triage*rules*score", keyword()),
            rule("triage_score", "threat*triage*score", number()),
            rule("triage_level", "threat*triage*level", number()),
            rule("location", "enrichments:geo:*:location_point", json!({"type": "geo_point"})),
            rule("times", "*:ts", json!({"type": "date", "format": "epoch_millis"})),
        ],
        "properties": {
            "timestamp": {"type": "date", "format": "epoch_millis"},
            "source:type": keyword(),
            "guid": keyword(),
            "ip_src_addr": {"type": "ip"},
            "ip_dst_addr": {"type": "ip"},
            "ip_src_port": {"type": "integer"},
            "ip_dst_port": {"type": "integer"},
            "alert": {"type": "nested"},
            "metron_alert": {"type": "nested"},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_only_where_there_are_types() {
        assert_eq!(name("jsonMap"), "jsonmap_index");
        let typed = template("squid", Kind { typed: true });
        assert_eq!(typed["template"], "squid_index*");
        assert!(typed["mappings"]["squid_doc"]["properties"]["guid"].is_object());
        let untyped = template("squid", Kind { typed: false });
        assert_eq!(untyped["index_patterns"][0], "squid_index*");
        assert!(untyped["mappings"]["properties"]["guid"].is_object());
    }
}
