//! Every function's examples, and what must hold for all functions.

use std::fmt::Write;
use std::sync::LazyLock;

use crate::Environment;
use crate::function::Purity;
use crate::program::Compiler;
use crate::value::{Fuel, Value, identical};
use crate::variables::{Bound, Layers};

fn environment() -> Environment {
    // Thursday, 25 August 2016, 13:27:10.748 UTC.
    let now = || jiff::Timestamp::from_millisecond(1_472_131_630_748).unwrap();
    Environment {
        zone: jiff::tz::TimeZone::UTC,
        now,
        services: crate::services::fixtures::services(),
        #[cfg(feature = "maas")]
        models: Some(std::sync::Arc::new(crate::maas::OneModel)),
        ..Environment::default()
    }
}

fn evaluate(expression: &str) -> Result<Value, String> {
    static COMPILER: LazyLock<Compiler> = LazyLock::new(Compiler::default);
    let program = COMPILER.compile(expression).map_err(|errors| errors.to_string())?;
    program.evaluate(&Layers::default(), &environment()).map_err(|error| error.to_string())
}

#[test]
fn every_example_gives_what_it_says() {
    let mut wrong = String::new();
    for function in Compiler::default().functions.iter() {
        let doc = function.doc();
        for example in doc.examples {
            let got = evaluate(example.call);
            let fits = match (example.gives, &got) {
                (None, got) => got.is_err(),
                (Some(gives), Ok(got)) => evaluate(gives)
                    .is_ok_and(|expected| identical(&expected, got, &mut Fuel::new(10_000)) == Some(true)),
                (Some(_), Err(_)) => false,
            };
            if !fits {
                let got = got.map(|value| format!("{} {value}", value.type_name()));
                let _ =
                    writeln!(wrong, "{} should be {}, is {got:?}", example.call, example.gives.unwrap_or("an error"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_function_is_documented_and_has_examples() {
    for function in Compiler::default().functions.iter() {
        let doc = function.doc();
        assert!(
            doc.name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'),
            "{}",
            doc.name
        );
        assert!(doc.summary.ends_with('.') && !doc.returns.is_empty(), "{}", doc.name);
        assert!(!doc.examples.is_empty() || doc.purity != Purity::Pure, "{} has no example", doc.name);
    }
}

#[test]
fn no_function_panics_whatever_its_arguments() {
    let values = [
        "null",
        "''",
        "'é😀'",
        "'1.5'",
        "'UTC'",
        "-1",
        "0",
        "3",
        "2147483647",
        "9223372036854775807L",
        "NaN",
        "1e300",
        "-0.5f",
        "true",
        "[]",
        "['a', null, 1]",
        "[[1, 2], 'x']",
        "{'a' : 1}",
        "SET_INIT([1])",
        "MULTISET_INIT(['a'])",
        "x -> x",
        "BLOOM_INIT()",
        "STATS_INIT()",
        "STATS_INIT(2)",
        "HLLP_INIT(4)",
    ];
    // Functions change what they are given, so each gets its own.
    let fresh = || values.iter().map(|value| evaluate(value).unwrap()).collect::<Vec<Value>>();
    let environment = environment();
    let compiler = Compiler::default();
    for function in compiler.functions.iter() {
        let name = function.doc().name;
        let programs =
            ["", "a", "a, b", "a, b, c"].map(|arguments| compiler.compile(&format!("{name}({arguments})")).unwrap());
        let run = |arguments: &[&Value]| {
            let program = &programs[arguments.len()];
            let values: Vec<Value> = arguments.iter().map(|value| (*value).clone()).collect();
            let _ = program.evaluate(&Bound::new(program.variables(), &values), &environment);
        };
        run(&[]);
        for index in 0..values.len() {
            let values = fresh();
            let first = &values[index];
            run(&[first]);
            for second in &values {
                run(&[first, second]);
                for third in values.iter().step_by(5) {
                    run(&[first, second, third]);
                }
            }
        }
    }
}
