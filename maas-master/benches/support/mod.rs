//! What these benches share: result lines.
//!
//! A result is a line `bench: name measured baseline ratio goal ok|short` on standard output.

/// Prints a result. `-` stands for a column that does not apply.
#[expect(clippy::print_stdout, reason = "a bench's result")]
pub(crate) fn line(name: &str, measured: &str, baseline: &str, ratio: &str, goal: &str, ok: bool) {
    println!("bench: {name} {measured} {baseline} {ratio} {goal} {}", if ok { "ok" } else { "short" });
}
