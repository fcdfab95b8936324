//! Runs `maas_deploy` in a world without any configuration.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a run left.
pub(crate) struct Output {
    /// Exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Output {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", self.stdout))
    }

    /// The error's code in the JSON on standard output.
    pub(crate) fn error_code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_string()
    }
}

/// Runs the program with these arguments.
pub(crate) fn maas_deploy(args: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    maas_deploy_at(home.path(), args, &[])
}

/// Runs the program with this home and these variables.
pub(crate) fn maas_deploy_at(home: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_maas_deploy"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("USER", "alice")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
