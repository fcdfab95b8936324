//! The public examples of the original's behaviour: single stages, and the squid example from its logs to its documents.
//!
//! They lie beside the repository, in `../shared/stellar`, or where `MAAS_SHARED` says. Where they are absent the tests say so and end, in CI they fail.

#![expect(clippy::print_stdout, reason = "says how many cases pass")]

mod cases;
mod squid;

use std::path::{Path, PathBuf};

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
