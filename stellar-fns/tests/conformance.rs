//! The public conformance cases through `stellar batch --test-functions`.
//!
//! They lie beside the repository, in `../shared/stellar`, or where `MAAS_SHARED` says. Where they are absent the test says so and ends, in CI it fails.

#![expect(clippy::print_stdout, reason = "says how many cases pass")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

fn cases_file() -> PathBuf {
    let shared = std::env::var_os("MAAS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    shared.join("stellar/cases.public.jsonl")
}

fn answers(cases: &str) -> Vec<Json> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stellar"))
        .args(["batch", "--test-functions"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("stellar starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let cases = cases.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(cases.as_bytes()));
    let output = child.wait_with_output().expect("stellar ends");
    writer.join().expect("the writer ends").expect("all cases are read");
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .expect("answers are text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("an answer is JSON"))
        .collect()
}

#[test]
fn all_public_cases_get_the_recorded_answer() {
    let file = cases_file();
    let Ok(text) = std::fs::read_to_string(&file) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no cases at {}; set MAAS_SHARED", file.display());
        println!("no cases at {}: nothing to check; set MAAS_SHARED", file.display());
        return;
    };
    let cases: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).expect("a case is JSON")).collect();
    let answers = answers(&text);
    assert_eq!(cases.len(), answers.len());
    let mut failed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (case, answer) in cases.iter().zip(&answers) {
        if let Err(difference) = compare(case, answer) {
            let group = case["group"].as_str().unwrap_or("none");
            failed.entry(group).or_default().push(format!("  {} with {}: {difference}", case["expr"], case["vars"]));
        }
    }
    let missed: usize = failed.values().map(Vec::len).sum();
    println!("{} of {} cases pass", cases.len() - missed, cases.len());
    for (group, failures) in &failed {
        println!("{group}: {}\n{}", failures.len(), failures.join("\n"));
    }
    assert_eq!(missed, 0, "see above");
}

fn compare(case: &Json, answer: &Json) -> Result<(), String> {
    let (expected, kind) = (&case["expect"], case["kind"].as_str().unwrap_or_default());
    let value = &answer["value"];
    let unlike = || format!("expected {kind} {expected} {}, got {answer}", case["type"]);
    let wanted_type = case["type"].as_str();
    if kind != "error" && wanted_type.is_some_and(|wanted| answer["type"] != wanted) {
        return Err(unlike());
    }
    let tolerance = case["approx"].as_f64().unwrap_or(0.0);
    let same = match kind {
        "value" => answer["kind"] == "value" && same(expected, value, tolerance, wanted_type == Some("float")),
        "set" | "entries" => answer["kind"] == kind && same_in_any_order(expected, value),
        "special" => answer["kind"] == "special" && value == expected,
        "not" => answer["kind"] == "value" && value != expected,
        other => answer["kind"] == other,
    };
    if same { Ok(()) } else { Err(unlike()) }
}

#[expect(clippy::cast_possible_truncation, reason = "floats are compared as 32 bits")]
fn same(expected: &Json, got: &Json, tolerance: f64, single: bool) -> bool {
    match (expected, got) {
        (Json::Number(expected), Json::Number(got)) if expected.is_f64() || got.is_f64() => {
            let (Some(expected), Some(got)) = (expected.as_f64(), got.as_f64()) else { return false };
            if single {
                expected as f32 == got as f32
            } else {
                (got - expected).abs() <= tolerance * expected.abs().max(1.0)
            }
        }
        (Json::Array(expected), Json::Array(got)) => {
            expected.len() == got.len()
                && expected.iter().zip(got).all(|(expected, got)| same(expected, got, tolerance, single))
        }
        (Json::Object(expected), Json::Object(got)) => {
            expected.len() == got.len()
                && expected
                    .iter()
                    .all(|(key, value)| got.get(key).is_some_and(|got| same(value, got, tolerance, single)))
        }
        _ => expected == got,
    }
}

fn same_in_any_order(expected: &Json, got: &Json) -> bool {
    let sorted = |json: &Json| {
        let mut items: Vec<String> =
            json.as_array().map(|items| items.iter().map(ToString::to_string).collect()).unwrap_or_default();
        items.sort();
        items
    };
    sorted(expected) == sorted(got)
}
