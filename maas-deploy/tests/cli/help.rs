//! The help of the program and of each verb, as people see it.

use crate::program::maas_deploy;

const VERBS: [&str; 12] =
    ["add", "remove", "scale", "list", "status", "events", "logs", "requests", "call", "plan", "doctor", "errors"];

#[test]
fn every_verb_has_help_with_examples() {
    for verb in VERBS {
        let output = maas_deploy(&[verb, "--help"]);
        assert_eq!(output.code, 0, "{verb}");
        assert!(output.stdout.contains("Examples:\n  maas_deploy"), "{verb}: {}", output.stdout);
    }
}

#[test]
fn metrons_letters_stand_in_the_help() {
    let help = maas_deploy(&["-h"]).stdout;
    assert!(help.contains("-zq") && help.contains("-zr"), "{help}");
    let help = maas_deploy(&["add", "-h"]).stdout;
    for letter in ["-zq", "-zr", "-lmp", "-hmp", "-n", "-v", "-ni", "-m"] {
        assert!(help.contains(letter), "{letter}: {help}");
    }
}

#[test]
fn the_programs_help() {
    insta::assert_snapshot!(maas_deploy(&["--help"]).stdout);
}

#[test]
fn the_help_of_add() {
    insta::assert_snapshot!(maas_deploy(&["add", "--help"]).stdout);
}
