//! What expressions of the command line ask beside models, as global.json sets it up. Each call that gives null is a line on stderr.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use maas_cli::{ErrorCode, Failure};
use serde_json::{Map as JsonMap, Value as Json};

use crate::diagnostic::safe;
use crate::maas;
use crate::services::{self, Report, Services};

/// A global configuration from a file.
pub(super) fn globals(file: &Path) -> Result<JsonMap<String, Json>, Failure> {
    let text = super::text::of_file(file)?;
    super::text::object(&text).map_err(|why| unusable(file, "is no JSON object").with_cause(why))
}

/// The failure of a file of settings.
pub(super) fn unusable(file: &Path, what: &str) -> Failure {
    Failure::new(ErrorCode::BadConfig, format!("{} {what}", file.display()))
}

/// The services that the global settings set up; without any, what needs no settings.
pub(super) fn services(globals: &JsonMap<String, Json>) -> Result<Services, Failure> {
    Services::from_globals(globals, Arc::new(ToStderr))
        .map_err(|error| Failure::new(ErrorCode::BadConfig, "the global settings can't be used").because(&error))
}

/// A line for each call that gave null.
#[derive(Debug)]
pub(super) struct ToStderr;

impl Report for ToStderr {
    fn failed(&self, function: &'static str, failure: &services::Failure) {
        say(function, &failure.message);
    }
}

impl maas::Report for ToStderr {
    fn failed(&self, function: &'static str, failure: &maas::Failure) {
        say(function, &failure.message);
    }
}

fn say(function: &str, message: &str) {
    // Nothing can be said about a stderr that can't be written to.
    let _ = writeln!(std::io::stderr().lock(), "{function}: {}", safe(message));
}
