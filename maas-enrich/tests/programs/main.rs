//! The programs of this crate from outside, and the public examples of the original's behaviour.
//!
//! The examples lie beside the repository, in `../shared/stellar`, or where `MAAS_SHARED` says. Where they are absent the tests say so and end, in CI they
//! fail. Tests that need ZooKeeper read `MAAS_TEST_ZK`.

#![expect(clippy::print_stdout, reason = "says how many cases pass")]

mod cases;
mod dry_run;
mod faults;
mod run;
mod squid;
mod stages;
mod topology;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder or file of the examples; none where they are absent.
fn example(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("MAAS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = shared.join("stellar").join(name);
    if path.exists() {
        return Some(path);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "nothing at {}; set MAAS_SHARED", path.display());
    println!("nothing at {}: nothing to check; set MAAS_SHARED", path.display());
    None
}

/// A program of this crate that knows no ZooKeeper but the one it is told.
fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    command.env_remove("MAAS_ZK").env_remove("MAAS_SINK").env("HOME", "/nonexistent");
    command
}

fn maas_enrich() -> Command {
    program(env!("CARGO_BIN_EXE_maas_enrich"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A configuration: files by name.
fn write_config(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a directory")).expect("a directory can be made");
        std::fs::write(path, text).expect("a file can be written");
    }
}
