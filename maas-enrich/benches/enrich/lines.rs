//! Lines of a proxy's log, and lines of results.

use std::fmt::Write;

/// Prints a result. `-` stands for a column that does not apply.
#[expect(clippy::print_stdout, reason = "a bench's result")]
pub(crate) fn result(name: &str, measured: &str, baseline: &str, ratio: &str, goal: &str, ok: bool) {
    println!("bench: {name} {measured} {baseline} {ratio} {goal} {}", if ok { "ok" } else { "short" });
}

/// A rate as people read it.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{per_second:.0}/s")
}

/// Which hosts the lines are of.
#[derive(Clone, Copy)]
pub(crate) enum Hosts {
    /// A hundred, by turns.
    Few,
    /// A tenth of the lines has a host that no other has.
    MostlyFew,
    /// Each line has its own.
    AllDifferent,
}

/// A line, without its end.
pub(crate) fn line(number: u64, hosts: Hosts) -> String {
    let host = match hosts {
        Hosts::AllDifferent => number + 1_000,
        Hosts::MostlyFew if number.is_multiple_of(10) => number + 1_000,
        Hosts::Few | Hosts::MostlyFew => number % 100,
    };
    let millis = 1_571_163_620_000 + number;
    let mut line = String::with_capacity(160);
    // Writing to a String can't fail.
    let _ = write!(
        line,
        "{}.{:03}    192 127.0.0.1 TCP_MISS/301 {} GET http://www.host{host}.com/index.html?event={number} - DIRECT/72.30.35.10 text/html",
        millis / 1_000,
        millis % 1_000,
        number % 5_000,
    );
    line
}
