//! The command line: modes and letters as in Metron, suggestions, ZooKeeper's address, codes.

use crate::program::{maas_deploy, maas_deploy_at};

/// A port nobody listens on.
const NOBODY: &str = "127.0.0.1:1";

#[test]
fn a_mode_in_any_case_and_a_subcommand_are_the_same() {
    for args in [["-zq", NOBODY, "-mo", "LIST"], ["-mo", "list", "-zq", NOBODY], ["-mo", "List", "-z", NOBODY]] {
        let output = maas_deploy(&args);
        assert_eq!(output.code, 6, "{}", output.stderr);
        assert!(output.stderr.contains(NOBODY), "{}", output.stderr);
    }
    assert_eq!(maas_deploy(&["list", "--zk_quorum", NOBODY]).code, 6);
}

#[test]
fn mistyped_modes_and_options_are_wrong_usage_with_a_suggestion() {
    let output = maas_deploy(&["-mo", "LSIT"]);
    assert_eq!((output.code, output.stderr.contains("did you mean LIST?")), (2, true), "{}", output.stderr);
    let output = maas_deploy(&["add", "--num-instnaces", "1"]);
    assert_eq!((output.code, output.stderr.contains("--num-instances")), (2, true), "{}", output.stderr);
    assert_eq!(maas_deploy(&[]).code, 2);
    assert_eq!(maas_deploy(&["-mo", "ADD", "-n", "dga"]).code, 2);
}

#[test]
fn metrons_options_without_use_are_said_once() {
    let output = maas_deploy(&["-l", "log4j.properties", "-mo", "LIST", "-zq", NOBODY, "-l", "x"]);
    assert_eq!(output.stderr.matches("accepted for compatibility").count(), 1, "{}", output.stderr);
}

#[test]
fn without_an_address_all_four_places_are_named() {
    let output = maas_deploy(&["list"]);
    assert_eq!(output.code, 2);
    for place in ["-zq", "$MAAS_ZK", "~/.config/maas/client.toml", "/etc/maas/client.toml"] {
        assert!(output.stderr.contains(place), "{place}: {}", output.stderr);
    }
    let output = maas_deploy(&["list", "--json"]);
    assert_eq!((output.code, output.error_code().as_str()), (2, "no_zookeeper"));
}

#[test]
fn the_address_comes_from_the_environment_or_the_users_file() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".config/maas/client.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, "zk = \"127.0.0.1:2\"\n").unwrap();
    let output = maas_deploy_at(home.path(), &["list"], &[]);
    assert!(output.stderr.contains("127.0.0.1:2"), "{}", output.stderr);
    let output = maas_deploy_at(home.path(), &["list"], &[("MAAS_ZK", NOBODY)]);
    assert!(output.stderr.contains(NOBODY), "{}", output.stderr);
}

#[test]
fn a_server_out_of_reach_is_6_in_every_verb_and_names_it() {
    let verbs: &[&[&str]] = &[
        &["list"],
        &["status"],
        &["events"],
        &["requests"],
        &["logs", "-n", "dga"],
        &["call", "-n", "dga"],
        &["scale", "-n", "dga", "-v", "1.0", "-ni", "1"],
        &["remove", "-n", "dga", "-v", "1.0", "-ni", "1"],
        &["plan", "-n", "dga", "-v", "1.0", "-ni", "1", "-m", "64"],
        &["add", "-n", "dga", "-v", "1.0", "-ni", "1", "-m", "64"],
    ];
    for verb in verbs {
        let args = [verb, &["-zq", NOBODY, "--zk-timeout", "2", "--json"][..]].concat();
        let output = maas_deploy(&args);
        assert_eq!((output.code, output.error_code().as_str()), (6, "zookeeper_unreachable"), "{verb:?}");
        assert!(output.stdout.contains(NOBODY), "{}", output.stdout);
    }
}

#[test]
fn collected_logs_have_nothing_to_follow() {
    let output = maas_deploy(&["logs", "-n", "dga", "--application", "application_1_0001", "--follow"]);
    assert_eq!((output.code, output.stderr.contains("--follow")), (2, true), "{}", output.stderr);
}

#[cfg(not(feature = "yarn"))]
#[test]
fn a_build_without_yarn_says_how_the_logs_of_an_application_are_had() {
    let output = maas_deploy(&["logs", "-n", "dga", "--application", "application_1_0001"]);
    assert_eq!(output.code, 3);
    for how in ["yarn logs -applicationId", "--features yarn"] {
        assert!(output.stderr.contains(how), "{how}: {}", output.stderr);
    }
}

#[test]
fn the_list_of_codes_has_each_with_its_exit_code() {
    let output = maas_deploy(&["errors", "--json"]);
    assert_eq!(output.code, 0);
    let codes = output.json();
    let exit = |code: &str| {
        codes.as_array().unwrap().iter().find(|row| row["code"] == code).map(|row| row["exit"].as_u64().unwrap())
    };
    for (code, expected) in [
        ("no_model", 4),
        ("no_version", 4),
        ("bad_name", 3),
        ("no_script", 3),
        ("two_scripts", 3),
        ("link_out", 3),
        ("memory_max", 3),
        ("config_node", 3),
        ("not_permitted", 9),
    ] {
        assert_eq!(exit(code), Some(expected), "{code}");
    }
}

#[test]
fn completions_name_the_verbs() {
    for shell in ["bash", "zsh", "fish"] {
        let output = maas_deploy(&["completions", shell]);
        assert_eq!(output.code, 0);
        assert!(output.stdout.contains("requests") && output.stdout.contains("num-instances"), "{shell}");
    }
}

#[test]
fn the_programs_version_is_asked_for_by_its_own_letters() {
    for args in [&["-V"][..], &["--program-version"], &["list", "-V"]] {
        let output = maas_deploy(args);
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert!(output.stdout.contains(env!("CARGO_PKG_VERSION")), "{}", output.stdout);
    }
}
