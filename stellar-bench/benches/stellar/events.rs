//! A million events, four expressions each, as an enrichment does it: a message's fields become variables, looked up by name.
//!
//! Memory must be as flat as it was after the first tenth.

use std::time::Instant;

use stellar_fns::{Compiler, Environment, Layers, Value, VariableMap};

use super::line::line;

const EVENTS: u32 = 1_000_000;
const EXPRESSIONS: [&str; 4] = [
    "URL_TO_HOST(url)",
    "DOMAIN_REMOVE_SUBDOMAINS(URL_TO_HOST(url))",
    "IN_SUBNET(ip_dst_addr, '10.0.0.0/8') or ip_src_addr in ['10.0.0.1', '10.0.0.2']",
    "if bytes > 1500 then TO_UPPER(protocol) else MAP_GET('level', {'level' : FORMAT('%s/%d', protocol, bytes)})",
];
/// How much more may be resident at the end, MiB.
const GROWTH: f64 = 4.0;

/// Measures and prints.
pub(crate) fn measure() {
    let (compiler, environment) = (Compiler::default(), Environment::default());
    let programs = EXPRESSIONS.map(|expression| compiler.compile(expression).expect("an expression"));
    let mut before = 0.0;
    let start = Instant::now();
    for event in 0..EVENTS {
        let message = message(event);
        let layers = Layers::new([&message]);
        for program in &programs {
            assert!(!program.evaluate(&layers, &environment).expect("a value").is_null());
        }
        if event == EVENTS / 10 {
            before = resident();
        }
    }
    let rate = f64::from(EVENTS) / start.elapsed().as_secs_f64();
    line("events_four_each", &format!("{rate:.0}/s"), "-", "-", "-", true);
    let after = resident();
    line(
        "events_resident",
        &format!("{after:.1}MiB"),
        &format!("{before:.1}MiB"),
        &format!("{:.2}", after / before),
        &format!("<=+{GROWTH:.0}MiB"),
        after - before <= GROWTH,
    );
}

fn message(event: u32) -> VariableMap {
    VariableMap::from_iter([
        ("url", Value::from(format!("http://host{}.example.co.uk/path?e={event}", event % 1_000))),
        ("ip_src_addr", Value::from(format!("192.168.{}.{}", event / 256 % 256, event % 256))),
        ("ip_dst_addr", Value::from(format!("10.{}.{}.7", event / 256 % 256, event % 256))),
        ("protocol", Value::from("tcp")),
        ("bytes", Value::from(i32::try_from(event % 3_000).unwrap_or(0))),
    ])
}

/// Resident memory of this process, MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the process's status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its resident memory");
    let kib: f64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
    kib / 1024.0
}
