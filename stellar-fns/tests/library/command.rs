//! The command `stellar`: exit codes, and what goes to which stream.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

/// The command in a world without a configured ZooKeeper.
pub(crate) fn command() -> Command {
    let nowhere = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new(env!("CARGO_BIN_EXE_stellar"));
    command.env("HOME", nowhere).env_remove("MAAS_ZK").env_remove("MAAS_ZK_ROOT");
    command
}

/// Runs it to its end, with nothing on stdin.
fn stellar(arguments: &[&str]) -> Output {
    stellar_reads(arguments, "")
}

/// Runs it to its end with this on stdin.
fn stellar_reads(arguments: &[&str], input: &str) -> Output {
    let mut command = command();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("stellar starts");
    // It may end without having read everything.
    let _ = child.stdin.take().expect("stdin is piped").write_all(input.as_bytes());
    child.wait_with_output().expect("stellar ends")
}

fn json(bytes: &[u8]) -> Json {
    serde_json::from_slice(bytes).expect("output is JSON")
}

/// A file in a directory of this test.
fn file(directory: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = directory.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a file has a directory")).expect("a directory can be made");
    std::fs::write(&path, text).expect("a file can be written");
    path.to_str().expect("the path is text").to_owned()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("output is text")
}

#[test]
fn an_answer_goes_to_stdout_and_an_error_to_stderr() {
    let answered = stellar(&["-e", "TO_UPPER(name)", "--var", "name=casey"]);
    assert_eq!((answered.status.code(), text(&answered.stdout)), (Some(0), "CASEY\n"));
    let refused = stellar(&["-e", "1 +"]);
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(3), ""));
    assert!(text(&refused.stderr).contains('^'));
    assert_eq!(stellar(&["--nonsense"]).status.code(), Some(2));
}

#[test]
fn models_without_zookeeper_are_exit_6_and_only_where_they_are_reached() {
    let unknown = stellar(&["-e", "MAAS_GET_ENDPOINT('dga')"]);
    assert_eq!((unknown.status.code(), text(&unknown.stdout)), (Some(6), ""));
    assert!(text(&unknown.stderr).contains("give -z HOST:PORT"), "{}", text(&unknown.stderr));
    // Nobody listens on the discard port of this machine.
    let away = ["-z", "127.0.0.1:9", "--zk-timeout", "1", "-e"];
    let unreachable = stellar(&[&away[..], &["MAAS_GET_ENDPOINT('dga')"]].concat());
    assert_eq!((unreachable.status.code(), text(&unreachable.stdout)), (Some(6), ""));
    assert!(text(&unreachable.stderr).contains("127.0.0.1:9"), "{}", text(&unreachable.stderr));
    let unneeded = stellar(&[&away[..], &["if true then 1 else MAAS_GET_ENDPOINT('dga')"]].concat());
    assert_eq!((unneeded.status.code(), text(&unneeded.stdout)), (Some(0), "1\n"));
}

#[test]
fn metrons_letters_and_long_names_mean_the_same() {
    for option in ["-z", "-zq", "--zk_quorum", "--zookeeper"] {
        let answered = stellar(&[option, "127.0.0.1:9", "-e", "1"]);
        assert_eq!((answered.status.code(), text(&answered.stdout)), (Some(0), "1\n"), "{option}");
    }
}

#[test]
fn the_reference_is_printed() {
    let page = stellar(&["functions", "to_upper"]);
    assert!(page.status.success() && text(&page.stdout).starts_with("TO_UPPER("));
    let unknown = stellar(&["functions", "TO_UPER"]);
    assert_eq!(unknown.status.code(), Some(4));
    assert!(text(&unknown.stderr).contains("did you mean TO_UPPER?"));
}

#[test]
fn variables_come_from_objects_files_stdin_and_options() {
    let directory = tempfile::tempdir().expect("a directory");
    let object = file(&directory, "vars.json", r#"{"a": 1, "b": {"c": [2]}}"#);
    let answered = stellar(&["-e", "a + GET(MAP_GET('c', b), 0)", "-v", &object, "-v", "{\"a\": 10}"]);
    assert_eq!(text(&answered.stdout), "12\n");
    assert_eq!(text(&stellar_reads(&["-e", "a", "-v", "-"], r#"{"a": "x"}"#).stdout), "x\n");
    assert_eq!(text(&stellar(&["-e", "a", "-v", "{\"a\": 1}", "--var", "a=2"]).stdout), "2\n");
    for (refused, exit) in [("no-such-file", 4), ("{\"a\"", 2), ("[1]", 2)] {
        assert_eq!(stellar(&["-e", "a", "-v", refused]).status.code(), Some(exit), "{refused}");
    }
}

#[test]
fn answers_and_all_errors_can_be_had_as_json() {
    let answered = stellar(&["--json", "-e", "[1, 2L, null]"]);
    assert_eq!(json(&answered.stdout), serde_json::json!({"kind": "value", "type": "list", "value": [1, 2, null]}));
    let refused = stellar(&["--json", "-e", "F(1 2,\n TO_UPPER(+))"]);
    assert_eq!((refused.status.code(), text(&refused.stderr)), (Some(3), ""));
    let errors = json(&refused.stdout);
    let places: Vec<_> =
        errors["errors"].as_array().expect("a list").iter().map(|error| (&error["line"], &error["column"])).collect();
    assert_eq!(places, [(&Json::from(1), &Json::from(5)), (&Json::from(2), &Json::from(11))]);
    assert_eq!(errors["errors"][0]["stage"], "parse");
    let unknown = json(&stellar(&["--json", "-e", "TO_UPER('a')"]).stdout);
    assert_eq!(
        (&unknown["errors"][0]["stage"], &unknown["errors"][0]["hint"]),
        (&"evaluate".into(), &"did you mean TO_UPPER?".into())
    );
}

#[test]
fn a_trace_shows_each_call_on_stderr() {
    let traced = stellar(&["--trace", "-e", "TO_UPPER(JOIN(['a', name], '-'))", "--var", "name=b"]);
    assert_eq!(text(&traced.stdout), "A-B\n");
    assert_eq!(text(&traced.stderr), "  JOIN(['a', 'b'], '-') = 'a-b'\nTO_UPPER('a-b') = 'A-B'\n");
}

#[test]
fn a_script_goes_on_after_an_error_and_its_exit_code_tells() {
    let script = "# greet\nname := 'casey'\nJOIN([\n  'hello',\n  TO_UPPER(name)], ' ')\n1 +\n\nquit\n'not reached'";
    let ran = stellar_reads(&[], script);
    assert_eq!((ran.status.code(), text(&ran.stdout)), (Some(3), "casey\nhello CASEY\n"));
    assert!(text(&ran.stderr).starts_with("stdin, line 6:\n"), "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).contains("found the end"), "{}", text(&ran.stderr));
    let directory = tempfile::tempdir().expect("a directory");
    let (first, second) = (file(&directory, "a.stellar", "x := 1"), file(&directory, "b.stellar", "x + 1"));
    let ran = stellar(&["-f", &first, "-f", &second]);
    assert_eq!((ran.status.code(), text(&ran.stdout)), (Some(0), "1\n2\n"));
    assert_eq!(stellar(&["-f", "no-such-file"]).status.code(), Some(4));
}

#[test]
fn functions_of_the_shell_are_there_only_in_the_shell() {
    assert_eq!(text(&stellar_reads(&[], "a := 1 + 1\nSHELL_GET_EXPRESSION('a')").stdout), "2\n1 + 1\n");
    let outside = stellar(&["-e", "SHELL_GET_EXPRESSION('a')"]);
    assert_eq!(outside.status.code(), Some(3));
    assert!(text(&outside.stderr).contains("no function SHELL_GET_EXPRESSION"), "{}", text(&outside.stderr));
}

#[test]
fn a_configuration_is_checked_with_lines_of_its_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let parser = file(
        &directory,
        "parsers/p.json",
        "{\"fieldTransformations\": [{\"transformation\": \"STELLAR\",\n  \"config\": {\"a\": \"F(\\\"\\u00e9\\\" 1)\", \"b\": \"TO_UPER(a)\"}}]}",
    );
    let checked = stellar(&["check", "--json", &parser]);
    assert_eq!(checked.status.code(), Some(3));
    let document = json(&checked.stdout);
    assert_eq!(document["expressions"], 2);
    let error = &document["errors"][0];
    assert_eq!(error["key"], "/fieldTransformations/0/config/a");
    assert_eq!((&error["line"], &error["column"], &error["file"]), (&2.into(), &33.into(), &parser.as_str().into()));
    assert_eq!(document["warnings"][0]["hint"], "did you mean TO_UPPER?");
    let shown = stellar(&["check", &parser]);
    assert!(text(&shown.stderr).starts_with(&format!("{parser}:2:33: error 110: ")), "{}", text(&shown.stderr));
    let unknown = stellar(&["check", "-e", "TO_UPER(a)"]);
    assert_eq!((unknown.status.code(), text(&unknown.stdout)), (Some(0), "1 expression, 0 errors, 1 warning\n"));
    assert_eq!(stellar(&["check", "no-such-file"]).status.code(), Some(4));
    assert_eq!(stellar(&["check"]).status.code(), Some(2));
}

/// The squid configurations beside the repository, or where `MAAS_SHARED` says.
#[expect(clippy::print_stderr, reason = "says what is not tested")]
fn squid() -> Option<PathBuf> {
    let shared = std::env::var_os("MAAS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let squid = shared.join("stellar/squid");
    assert!(
        squid.is_dir() || std::env::var("CI").as_deref() != Ok("true"),
        "nothing at {}; set MAAS_SHARED",
        squid.display()
    );
    if !squid.is_dir() {
        eprintln!("nothing at {}: its configurations are not checked; set MAAS_SHARED", squid.display());
        return None;
    }
    Some(squid)
}

#[test]
fn the_squid_configurations_compile() {
    let Some(squid) = squid() else { return };
    let files =
        ["parsers/squid.maas.json", "parsers/squid.default.json", "enrichments/squid.json", "indexing/squid.json"];
    let files: Vec<String> = files.iter().map(|name| squid.join(name).to_str().expect("a path").to_owned()).collect();
    let arguments: Vec<&str> = std::iter::once("check").chain(files.iter().map(String::as_str)).collect();
    let checked = stellar(&arguments);
    assert_eq!((checked.status.code(), text(&checked.stdout)), (Some(0), "7 expressions, 0 errors, 0 warnings\n"));
}

#[test]
fn completions_are_printed() {
    let completions = stellar(&["completions", "bash"]);
    assert!(completions.status.success() && text(&completions.stdout).contains("--trace"));
}

#[test]
fn files_that_can_not_be_read_have_the_same_exit_codes_everywhere() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let store = directory.path().join("store");
    let store = store.to_str().expect("the path is text");
    let load = ["enrichment", "load", "--store", store, "--type", "t", "--format", "csv"];
    let calls: [&[&str]; 5] = [&["check"], &["-e", "1", "-v"], &["-e", "1", "-c"], &["-f"], &load];
    for (file, exit) in [("/nowhere/at/all.json", 4), (directory.path().to_str().expect("the path is text"), 3)] {
        for call in calls {
            let refused = stellar(&[call, &[file]].concat());
            assert_eq!(refused.status.code(), Some(exit), "{call:?} {file}");
            assert!(text(&refused.stderr).contains(file), "{call:?}: {}", text(&refused.stderr));
        }
    }
    for verb in [&["list"][..], &["get", "--type", "t", "x"], &["delete", "--type", "t", "x"]] {
        let refused = stellar(&[&["enrichment"], verb, &["--store", "/nowhere/at/all"]].concat());
        assert_eq!(refused.status.code(), Some(4), "{verb:?}: {}", text(&refused.stderr));
    }
    assert_eq!(stellar(&["check", "-e", "1 +", "/nowhere/at/all.json"]).status.code(), Some(3));
    assert_eq!(stellar(&["enrichment", "load", "--store", store, "--type", "", "-"]).status.code(), Some(2));
}

#[test]
fn what_is_too_large_to_be_written_is_an_error_and_never_cut() {
    let doubled = "REDUCE([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30], (a, x) -> [a, a], [1])";
    let refused = stellar(&["--trace", "-e", doubled]);
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(3), ""));
    let said = text(&refused.stderr);
    assert!(said.contains("too large to be written") && said.len() < 100_000, "{said}");
    let case = serde_json::json!({"id": 1, "expr": doubled}).to_string();
    let answer = json(&stellar_reads(&["batch"], &case).stdout);
    assert_eq!((answer["kind"].as_str(), answer["error"]["code"].as_u64()), (Some("error"), Some(207)));
}

#[test]
fn a_map_with_keys_that_look_alike_is_shown_whole() {
    let shown = stellar(&["-e", "{1 : 'a', '1' : 'b'}"]);
    assert_eq!(text(&shown.stdout), "[[1,\"a\"],[\"1\",\"b\"]]\n");
}

#[test]
fn a_byte_order_mark_at_the_start_of_a_script_is_nothing() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let script = file(&directory, "marked.stellar", "\u{feff}x := 1\nx + 1\n");
    let ran = stellar(&["-f", &script]);
    assert_eq!((ran.status.code(), text(&ran.stdout)), (Some(0), "1\n2\n"));
    assert_eq!(stellar_reads(&[], "\u{feff}1 + 1").stdout, b"2\n");
    assert_eq!(stellar(&["check", &script]).status.code(), Some(0));
}
