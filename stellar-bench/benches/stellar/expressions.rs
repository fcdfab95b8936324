//! Nine expressions of enrichment pipelines: evaluated warm and compiled, in turns with their equals in cel and rhai.
//!
//! Goals: a tenth of what the original was recorded to take for the evaluation, 20 µs for the compilation, and neither slower than the faster of the others.

use std::hint::black_box;
use std::time::Duration;

use stellar_fns::{Bound, Compiler, Environment, Value};

use super::line::{each, line, median, runs_in, time};
use super::other::{Cel, Rhai};

/// Many short rounds: most of them fit between two interruptions on a machine that has other work.
const ROUNDS: usize = 101;
const ROUND: Duration = Duration::from_micros(400);
/// The longest a compilation may take, ns.
const COMPILE: f64 = 20_000.0;

/// An expression, its equals, and what it is measured by.
struct Subject {
    name: &'static str,
    stellar: &'static str,
    cel: &'static str,
    rhai: &'static str,
    /// A tenth of the original's time, ns.
    goal: f64,
    answer: Value,
}

/// The variables all of them may use.
pub(crate) const TEXTS: [(&str, &str); 4] = [
    ("is_malicious", "malicious"),
    ("url", "http://www.example.co.uk:8080/path/to?x=1"),
    ("ip", "10.20.30.40"),
    ("d", "mail.eu.example.co.uk"),
];
pub(crate) const NUMBERS: [(&str, i32); 5] = [("a", 7), ("b", 5), ("c", 3), ("e", 2), ("x", 1)];

fn subjects() -> [Subject; 9] {
    let subject = |name, stellar, cel, rhai, goal, answer| Subject { name, stellar, cel, rhai, goal, answer };
    [
        subject(
            "equality",
            "is_malicious == 'malicious'",
            "is_malicious == 'malicious'",
            "is_malicious == \"malicious\"",
            33.0,
            true.into(),
        ),
        subject("upper", "TO_UPPER('casey')", "to_upper('casey')", "upper(\"casey\")", 37.0, "CASEY".into()),
        subject("arithmetic", "(a + b) * c - e", "(a + b) * c - e", "(a + b) * c - e", 65.0, 34.into()),
        subject(
            "conditional",
            "if x > 3 then 'high' else 'low'",
            "x > 3 ? 'high' : 'low'",
            "if x > 3 { \"high\" } else { \"low\" }",
            68.0,
            "low".into(),
        ),
        subject(
            "url_host",
            "URL_TO_HOST(url)",
            "url_to_host(url)",
            "url_to_host(url)",
            71.0,
            "www.example.co.uk".into(),
        ),
        subject(
            "in_or_if",
            "'a' in ['a','b'] or (if x > 3 then true else false)",
            "'a' in ['a','b'] || (x > 3 ? true : false)",
            "\"a\" in [\"a\",\"b\"] || (if x > 3 { true } else { false })",
            80.0,
            true.into(),
        ),
        subject(
            "subnet",
            "IN_SUBNET(ip,'10.0.0.0/8') or ip in ['10.20.30.40','10.20.30.50'] and exists(ip)",
            "in_subnet(ip,'10.0.0.0/8') || ip in ['10.20.30.40','10.20.30.50'] && ip != null",
            "in_subnet(ip,\"10.0.0.0/8\") || ip in [\"10.20.30.40\",\"10.20.30.50\"] && ip != ()",
            120.0,
            true.into(),
        ),
        subject("tld", "DOMAIN_TO_TLD(d)", "domain_to_tld(d)", "domain_to_tld(d)", 250.0, "co.uk".into()),
        subject(
            "subdomains",
            "DOMAIN_REMOVE_SUBDOMAINS(d)",
            "domain_remove_subdomains(d)",
            "domain_remove_subdomains(d)",
            320.0,
            "example.co.uk".into(),
        ),
    ]
}

/// Measures and prints.
pub(crate) fn measure() {
    let (compiler, environment) = (Compiler::default(), Environment::default());
    for subject in subjects() {
        let program = compiler.compile(subject.stellar).expect("an expression");
        let values: Vec<Value> = program.variables().iter().map(|name| value_of(name)).collect();
        let bound = Bound::new(program.variables(), &values);
        assert_eq!(program.evaluate(&bound, &environment), Ok(subject.answer), "{}", subject.stellar);
        let (cel, rhai) = (Cel::new(subject.cel), Rhai::new(subject.rhai));
        let warm = in_turns([
            &mut || drop(black_box(program.evaluate(black_box(&bound), &environment))),
            &mut || cel.run(),
            &mut || rhai.run(),
        ]);
        report("warm", subject.name, warm, subject.goal);
        let compiled = in_turns([
            &mut || drop(black_box(compiler.compile(black_box(subject.stellar)))),
            &mut || cel.compile(),
            &mut || rhai.compile(),
        ]);
        report("compile", subject.name, compiled, COMPILE);
    }
}

fn value_of(name: &str) -> Value {
    let text = TEXTS.iter().find(|(known, _)| *known == name).map(|(_, text)| Value::from(*text));
    let number = NUMBERS.iter().find(|(known, _)| *known == name).map(|(_, number)| Value::from(*number));
    text.or(number).expect("a variable")
}

/// The median of each, ns, measured round by round.
fn in_turns(mut runs: [&mut dyn FnMut(); 3]) -> [f64; 3] {
    let counts = runs.each_mut().map(|run| runs_in(ROUND, &mut **run));
    let mut rounds = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for ((run, count), rounds) in runs.iter_mut().zip(counts).zip(&mut rounds) {
            rounds.push(each(count, &mut **run));
        }
    }
    rounds.map(median)
}

fn report(what: &str, name: &str, [stellar, cel, rhai]: [f64; 3], goal: f64) {
    let (faster, by) = if cel < rhai { (cel, "cel") } else { (rhai, "rhai") };
    let ratio = faster / stellar;
    line(
        &format!("{what}_{name}"),
        &time(stellar),
        &format!("{by}:{}", time(faster)),
        &format!("{ratio:.1}"),
        &format!("<={},>=1", time(goal)),
        stellar <= goal && ratio >= 1.0,
    );
}
