//! The command `stellar`: exit codes, and what goes to which stream.

use std::process::{Command, Output};

/// Runs the command in a world without a configured ZooKeeper.
fn stellar(arguments: &[&str]) -> Output {
    let nowhere = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new(env!("CARGO_BIN_EXE_stellar"));
    command.args(arguments).env("HOME", nowhere).env_remove("MAAS_ZK").env_remove("MAAS_ZK_ROOT");
    command.output().expect("stellar runs")
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
