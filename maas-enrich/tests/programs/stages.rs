//! Stages from the outside: a configuration and a line, and what comes of it.

use std::sync::Arc;
use std::time::Duration;

use maas_enrich::config::{Files, Sensor};
use maas_enrich::event::{Place, Raw};
use maas_enrich::message::Message;
use maas_enrich::pipeline::{Observer, Outcome, Pipeline, Stage};
use serde_json::{Value as Json, json};
use stellar_fns::Environment;

struct Nobody;

impl Observer for Nobody {
    fn done(&mut self, _: Stage, _: &Message, _: Duration) {}
}

async fn outcome(global: &Json, parser: &Json, line: &[u8]) -> Outcome {
    let files = [("global.json".to_owned(), global.to_string()), ("parsers/s.json".to_owned(), parser.to_string())];
    let (sensor, warnings) = Sensor::compile("s", &Files(files.into())).expect("it compiles");
    assert_eq!(warnings, []);
    let pipeline = Pipeline::new(Arc::new(sensor), Arc::new(Environment::default()));
    let place = Place::File { identity: "f".into(), offset: 0, so_far: uuid::Uuid::nil() };
    pipeline.process(&Raw::new(line.to_vec(), place), &mut Nobody).await
}

/// The document of a line, without what every document has.
async fn document(parser: Json, line: &str) -> Json {
    let outcome = outcome(&json!({}), &parser, line.as_bytes()).await;
    assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
    let mut document = serde_json::to_value(outcome.message.expect("a message")).expect("JSON");
    let fields = document.as_object_mut().expect("an object");
    for name in ["guid", "original_string", "source.type"] {
        assert!(fields.remove(name).is_some_and(|value| value.is_string()), "{name}");
    }
    document
}

/// The error records of a line, as type and message.
async fn errors(global: Json, parser: Json, line: &[u8]) -> Vec<(String, String)> {
    let outcome = outcome(&global, &parser, line).await;
    let text = |record: &Message, name: &str| record.get(name).map(ToString::to_string).unwrap_or_default();
    outcome.errors.iter().map(|(_, record)| (text(record, "error_type"), text(record, "message"))).collect()
}

fn transformed(transformation: Json) -> Json {
    json!({"parserClassName": "JSON", "fieldTransformations": [transformation]})
}

const TIME: i64 = 1_461_576_382_642;

#[tokio::test]
async fn a_system_log_of_rfc_5424_is_read_with_its_structured_data() {
    let line = r#"<34>1 2016-04-25T09:26:22.642Z host app 12 ID47 [a@1 k="v \"q\"" l="2"][b@1 m="3"] it works"#;
    assert_eq!(
        document(json!({"parserClassName": "SYSLOG_5424"}), line).await,
        json!({
            "syslog.header.pri": "34", "syslog.header.severity": "2", "syslog.header.facility": "4", "syslog.header.version": "1",
            "syslog.header.timestamp": "2016-04-25T09:26:22.642Z", "timestamp": TIME, "syslog.header.hostName": "host",
            "syslog.header.appName": "app", "syslog.header.procId": "12", "syslog.header.msgId": "ID47",
            "syslog.structuredData.a@1.k": "v \"q\"", "syslog.structuredData.a@1.l": "2", "syslog.structuredData.b@1.m": "3",
            "syslog.message": "it works",
        })
    );
}

#[tokio::test]
async fn what_a_system_log_leaves_out_is_left_out_null_or_a_dash() {
    let line = "<34>1 2016-04-25T09:26:22.642Z host - - - -";
    let with = |policy: &str| json!({"parserClassName": "SYSLOG_5424", "parserConfig": {"nilPolicy": policy}});
    assert_eq!(document(with("OMIT"), line).await.get("syslog.header.appName"), None);
    assert_eq!(document(with("NULL"), line).await.get("syslog.header.appName"), Some(&Json::Null));
    assert_eq!(document(with("DASH"), line).await["syslog.header.appName"], "-");
}

#[tokio::test]
async fn a_system_log_that_breaks_its_rules_is_an_error_that_says_where() {
    for (line, wanted) in [
        ("no log", "does not begin with <PRIORITY>"),
        ("<999>1 - h a p m -", "not from 0 to 191"),
        ("<34>1 - h a p", "is missing"),
        ("<34>1 - h a p m [a k=\"v\"", "structured data"),
        ("<34>1 yesterday h a p m -", "is no time"),
    ] {
        let found = errors(json!({}), json!({"parserClassName": "SYSLOG_5424"}), line.as_bytes()).await;
        assert_eq!(found.len(), 1, "{line}");
        assert!(found[0].0 == "parser_error" && found[0].1.contains(wanted), "{line}: {found:?}");
    }
}

#[tokio::test]
async fn pairs_are_read_with_quotes_and_with_other_separators() {
    let line = format!(r#"n=1 said="a b" timestamp={TIME}"#);
    let document_of = document(json!({"parserClassName": "KEY_VALUE"}), &line).await;
    assert_eq!((&document_of["said"], &document_of["timestamp"]), (&json!("a b"), &json!(TIME)));
    let config =
        json!({"pairSeparator": "|", "keyValueSeparator": ":", "timestampField": "at", "dateFormat": "yyyy-MM-dd"});
    let parser = json!({"parserClassName": "KEY_VALUE", "parserConfig": config});
    let document_of = document(parser, "a:x y|b:z|at:2016-04-25").await;
    assert_eq!(
        (&document_of["a"], &document_of["b"], &document_of["timestamp"]),
        (&json!("x y"), &json!("z"), &json!(1_461_542_400_000_i64))
    );
    let found = errors(json!({}), json!({"parserClassName": "KEY_VALUE"}), b"nothing").await;
    assert!(found[0].1.contains("KEY=VALUE"), "{found:?}");
}

#[tokio::test]
async fn maps_in_json_are_dropped_unfolded_kept_or_refused() {
    let line = format!(r#"{{"a":{{"b":{{"c":1}}}},"timestamp":{TIME}}}"#);
    let with = |strategy: &str| json!({"parserClassName": "JSON", "parserConfig": {"mapStrategy": strategy}});
    assert_eq!(document(with("DROP"), &line).await, json!({"timestamp": TIME}));
    assert_eq!(document(with("UNFOLD"), &line).await, json!({"a.b.c": 1, "timestamp": TIME}));
    assert_eq!(document(with("ALLOW"), &line).await, json!({"a": {"b": {"c": 1}}, "timestamp": TIME}));
    assert!(errors(json!({}), with("ERROR"), line.as_bytes()).await[0].1.contains("field a holds a map"));
}

#[tokio::test]
async fn a_line_is_taken_out_of_its_envelope_and_what_is_written_on_it_is_kept() {
    let strategy = json!({"messageField": "data"});
    let parser =
        json!({"parserClassName": "JSON", "rawMessageStrategy": "ENVELOPE", "rawMessageStrategyConfig": strategy});
    let line = format!(r#"{{"data":"{{\"a\":1,\"timestamp\":{TIME}}}","customer":7,"nothing":null}}"#);
    assert_eq!(
        document(parser.clone(), &line).await,
        json!({"a": 1, "timestamp": TIME, "metron.metadata.customer": 7})
    );
    let mut without = parser.clone();
    without["mergeMetadata"] = json!(false);
    assert_eq!(document(without, &line).await, json!({"a": 1, "timestamp": TIME}));
    for bad in ["no envelope", r#"{"customer":7}"#, r#"{"data":{"a":1}}"#] {
        assert_eq!(errors(json!({}), parser.clone(), bad.as_bytes()).await[0].0, "parser_error", "{bad}");
    }
}

#[tokio::test]
async fn select_keeps_what_it_names_and_what_every_document_has() {
    let line = format!(r#"{{"a":1,"b":2,"c":3,"timestamp":{TIME}}}"#);
    let select = transformed(json!({"transformation": "SELECT", "output": ["a", "c", "nowhere"]}));
    assert_eq!(document(select, &line).await, json!({"a": 1, "c": 3, "timestamp": TIME}));
}

#[tokio::test]
async fn regex_select_names_the_first_group_of_which_a_pattern_is_found() {
    let config = json!({"1_web": ["^http", "^ftp"], "2_mail": "@", "3_any": ".*"});
    let select =
        transformed(json!({"transformation": "REGEX_SELECT", "input": "a", "output": "kind", "config": config}));
    for (text, kind) in [("http://x", "1_web"), ("ftp://x", "1_web"), ("a@b", "2_mail"), ("", "3_any")] {
        let line = format!(r#"{{"a":"{text}","timestamp":{TIME}}}"#);
        assert_eq!(document(select.clone(), &line).await["kind"], kind, "{text}");
    }
    let without = document(select, &format!(r#"{{"timestamp":{TIME}}}"#)).await;
    assert_eq!(without.get("kind"), None);
}

#[tokio::test]
async fn others_rename_remove_and_name_protocols() {
    let line = format!(r#"{{"a":1,"b":6,"timestamp":{TIME}}}"#);
    let rename = transformed(json!({"transformation": "RENAME", "config": {"a": "x"}}));
    assert_eq!(document(rename, &line).await, json!({"x": 1, "b": 6, "timestamp": TIME}));
    let remove = |condition: &str| {
        transformed(json!({"transformation": "REMOVE", "input": "a", "config": {"condition": condition}}))
    };
    assert_eq!(document(remove("a == 1"), &line).await.get("a"), None);
    assert_eq!(document(remove("a == 2"), &line).await["a"], 1);
    let protocol = transformed(json!({"transformation": "IP_PROTOCOL", "input": "b"}));
    assert_eq!(document(protocol, &line).await["b"], "TCP");
}

#[tokio::test]
async fn the_filter_drops_lines_without_a_record() {
    let config = json!({"filter.query": "n > 1"});
    let parser = json!({"parserClassName": "JSON", "filterClassName": "STELLAR", "parserConfig": config});
    let of = async |n: u32| outcome(&json!({}), &parser, format!(r#"{{"n":{n},"timestamp":{TIME}}}"#).as_bytes()).await;
    let (dropped, kept) = (of(1).await, of(2).await);
    assert!(dropped.message.is_none() && dropped.errors.is_empty());
    assert!(kept.message.is_some());
}

#[tokio::test]
async fn validations_refuse_what_breaks_them() {
    let parser = || json!({"parserClassName": "JSON"});
    let line = |fields: &str| format!(r#"{{{fields},"timestamp":{TIME}}}"#);
    for (validation, good, bad) in [
        (
            json!({"validation": "IP", "input": ["f"], "config": {"type": "IPV4"}}),
            r#""f":"10.0.0.1""#,
            r#""f":"10.0.0""#,
        ),
        (json!({"validation": "DOMAIN", "input": ["f"]}), r#""f":"cnn.com""#, r#""f":"a b""#),
        (json!({"validation": "EMAIL", "input": ["f"]}), r#""f":"a@cnn.com""#, r#""f":"cnn.com""#),
        (json!({"validation": "URL", "input": ["f"]}), r#""f":"http://cnn.com/""#, r#""f":"cnn""#),
        (json!({"validation": "INTEGER", "input": ["f"]}), r#""f":"12""#, r#""f":"1x""#),
        (json!({"validation": "NOT_EMPTY", "input": ["f"]}), r#""f":"x""#, r#""f":" ""#),
        (
            json!({"validation": "REGEX_MATCH", "input": ["f"], "config": {"pattern": "a+"}}),
            r#""f":"aa""#,
            r#""f":"b""#,
        ),
        (json!({"validation": "STELLAR", "config": {"condition": "exists(f) and f < 3"}}), r#""f":2"#, r#""f":3"#),
    ] {
        let global = json!({"fieldValidations": [validation]});
        assert_eq!(errors(global.clone(), parser(), line(good).as_bytes()).await, [], "{validation}");
        let found = errors(global, parser(), line(bad).as_bytes()).await;
        assert!(found.len() == 1 && found[0].0 == "parser_invalid", "{validation}: {found:?}");
    }
}

#[tokio::test]
async fn a_group_that_fails_costs_the_message_only_that_group() {
    let files = [
        ("parsers/s.json".to_owned(), r#"{"parserClassName":"JSON"}"#.to_owned()),
        (
            "enrichments/s.json".to_owned(),
            json!({"enrichment": {"fieldMap": {"stellar": {"config": {
                "one": {"a": "n + 1", "m": "{'k' : n}"}, "two": {"b": "FORMAT('%d', 'x')"}, "three": {"c": "n + 3"},
            }}}}})
            .to_string(),
        ),
    ];
    let (sensor, _) = Sensor::compile("s", &Files(files.into())).expect("it compiles");
    let pipeline = Pipeline::new(Arc::new(sensor), Arc::new(Environment::default()));
    let place = Place::File { identity: "f".into(), offset: 0, so_far: uuid::Uuid::nil() };
    let outcome = pipeline.process(&Raw::new(br#"{"n":1,"timestamp":5}"#.to_vec(), place), &mut Nobody).await;
    let message = serde_json::to_value(outcome.message.expect("a message")).expect("JSON");
    assert_eq!((&message["a"], &message["m.k"], &message["c"]), (&json!(2), &json!(1), &json!(4)));
    assert_eq!(outcome.errors.len(), 1);
}

#[tokio::test]
async fn a_path_leads_to_several_messages_of_a_line_and_one_that_fails_holds_up_no_other() {
    let parser = |more: Json| {
        let mut config = json!({"jsonpQuery": "$.events[*]"});
        config.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        json!({"parserClassName": "org.apache.metron.parsers.json.JSONMapParser", "parserConfig": config,
            "fieldTransformations": [{"transformation": "STELLAR", "output": "half", "config": {"half": "10 / n"}}]})
    };
    let line = r#"{"at":1,"events":[{"n":1,"timestamp":5,"guid":null},{"n":0,"timestamp":6},{"n":5,"timestamp":7,"guid":null}]}"#;
    let found = outcome(&json!({}), &parser(json!({})), line.as_bytes()).await;
    let messages: Vec<Json> = found.message.iter().chain(&found.more).map(|message| json!(message)).collect();
    let halves: Vec<&Json> = messages.iter().map(|message| &message["half"]).collect();
    assert_eq!((halves, &messages[1]["original_string"]), (vec![&json!(10), &json!(2)], &json!(line)));
    assert_ne!(messages[0]["guid"], messages[1]["guid"]);
    assert_eq!(found.errors.len(), 1);
    let again = outcome(&json!({}), &parser(json!({})), line.as_bytes()).await;
    assert_eq!(json!(again.more[0])["guid"], messages[1]["guid"], "the same when it is read again");

    let wrapped = json!({"jsonpQuery": "$.foo", "wrapInEntityArray": "true", "wrapEntityName": "foo", "overrideOriginalString": true});
    let found = outcome(&json!({}), &parser(wrapped), br#"{"n":1},{"n":2,"timestamp":5},"#).await;
    assert_eq!((found.message.is_some(), found.more.len()), (true, 1));
    assert_eq!(json!(found.more[0])["original_string"], r#"{"n":2,"timestamp":5}"#);

    let said = |line: &'static [u8]| errors(json!({}), parser(json!({})), line);
    assert_eq!(said(br#"{"other":1}"#).await, []);
    assert!(said(br#"{"events":[1]}"#).await[0].1.contains("leads to"));
    assert!(said(b"oops").await[0].1.contains("no JSON"));
    let many = format!(r#"{{"events":[{}{{}}]}}"#, "{},".repeat(20_000));
    let found = errors(json!({}), parser(json!({})), many.as_bytes()).await;
    assert!(found[0].1.contains("20001 messages") && found[0].1.contains("overrideOriginalString"), "{found:?}");
}
