//! What all benches share: result lines, and an endpoint to register.
//!
//! A result is a line `bench: name measured baseline ratio goal ok|short` on stdout; all its numbers are of this run.

use maas_client::model::ModelId;
use maas_client::registry::{Registration, default_functions};

/// Prints a result. `-` stands for a column that does not apply.
#[expect(clippy::print_stdout, reason = "a bench's result")]
pub(crate) fn line(name: &str, measured: &str, baseline: &str, ratio: &str, goal: &str, ok: bool) {
    println!("bench: {name} {measured} {baseline} {ratio} {goal} {}", if ok { "ok" } else { "short" });
}

/// A registration on this port.
pub(crate) fn registration(name: &str, id: &str, port: u16) -> Registration {
    Registration {
        model: ModelId::new(name, "1.0").expect("a good name"),
        id: id.to_string(),
        url: format!("http://127.0.0.1:{port}"),
        functions: default_functions(),
        registered_ms: 1,
    }
}
