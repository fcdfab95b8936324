//! Result lines, and what numbers look like in them.

use std::time::{Duration, Instant};

/// Prints a result. `-` stands for a column that does not apply.
#[expect(clippy::print_stdout, reason = "a bench's result")]
pub(crate) fn line(name: &str, measured: &str, baseline: &str, ratio: &str, goal: &str, ok: bool) {
    println!("bench: {name} {measured} {baseline} {ratio} {goal} {}", if ok { "ok" } else { "short" });
}

/// Nanoseconds of one of `runs`.
pub(crate) fn each(runs: u32, mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..runs {
        run();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(runs)
}

/// How many runs take about as long as `round`.
pub(crate) fn runs_in(round: Duration, mut run: impl FnMut()) -> u32 {
    let mut runs = 1;
    loop {
        let start = Instant::now();
        for _ in 0..runs {
            run();
        }
        if start.elapsed() >= round / 4 {
            return runs * 4;
        }
        runs *= 2;
    }
}

/// The one in the middle.
pub(crate) fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

/// A time as people read it.
pub(crate) fn time(nanoseconds: f64) -> String {
    if nanoseconds < 10_000.0 { format!("{nanoseconds:.0}ns") } else { format!("{:.1}us", nanoseconds / 1e3) }
}
