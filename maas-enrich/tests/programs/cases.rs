//! Single stages through `maas_enrich apply`.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

fn answers(stage: &str, lines: &[&str]) -> Vec<Json> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_maas_enrich"))
        .args(["apply", stage])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("maas_enrich starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = lines.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("maas_enrich ends");
    writer.join().expect("the writer ends").expect("all cases are read");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("answers are text");
    text.lines().map(|line| serde_json::from_str(line).expect("an answer is JSON")).collect()
}

#[test]
fn all_public_pipeline_cases_get_the_recorded_answer() {
    let Some(file) = crate::example("pipeline_cases.public.jsonl") else { return };
    let text = std::fs::read_to_string(file).expect("the cases can be read");
    let mut failed = Vec::new();
    let mut passed = 0;
    for stage in ["transformation", "enrichment", "triage"] {
        let of_stage = |line: &&str| {
            let case: Json = serde_json::from_str(line).expect("a case is JSON");
            case["kind"] == stage
        };
        let lines: Vec<&str> = text.lines().filter(of_stage).collect();
        let answers = answers(stage, &lines);
        assert_eq!(lines.len(), answers.len());
        for (line, answer) in lines.iter().zip(&answers) {
            let case: Json = serde_json::from_str(line).expect("a case is JSON");
            let expected = &case["expect"];
            let as_expected =
                if expected["error"] == true { !answer["error"].is_null() } else { *expected == answer["message"] };
            if as_expected && answer["id"] == case["id"] {
                passed += 1;
            } else {
                failed.push(format!("{line}\n  got {answer}"));
            }
        }
    }
    println!("{passed} pipeline cases pass");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(passed, text.lines().count());
}

#[test]
fn what_is_no_case_gets_an_error_in_its_place() {
    let good = r#"{"id":2,"config":{"fieldTransformations":[]},"message":{"a":1}}"#;
    let bad = r#"{"id":3,"config":{"fieldTransformations":[{"transformation":"STELLAR","output":"x","config":{"x":"1 +"}}]},"message":{}}"#;
    let answers = answers("transformation", &["nonsense", good, bad]);
    assert!(answers[0]["error"]["message"].as_str().is_some_and(|message| message.starts_with("no {\"id\"")));
    assert_eq!(answers[1], serde_json::json!({"id": 2, "message": {"a": 1}}));
    let message = answers[2]["error"]["message"].as_str().expect("a message");
    assert!(message.starts_with("fieldTransformations[0].config.x: "), "{message}");
}
