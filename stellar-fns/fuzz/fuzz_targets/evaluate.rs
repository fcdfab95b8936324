//! Any expression is refused, or ends with a value or an error, and its value can be shown.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stellar_fns::{Compiler, Layers, Value, VariableMap};
use stellar_fuzz::ENVIRONMENT;

static COMPILER: LazyLock<Compiler> = LazyLock::new(Compiler::default);

fuzz_target!(|source: &str| {
    let Ok(program) = COMPILER.compile(source) else { return };
    let variables = VariableMap::from_iter([
        ("x", Value::from(7)),
        ("foo", Value::from("casey")),
        ("ip", Value::from("192.168.0.1")),
        ("list", Value::list((0..20).map(Value::from))),
        ("millis", Value::from(1_472_131_630_748_i64)),
    ]);
    let _ = program.validate(&ENVIRONMENT);
    if let Ok(value) = program.evaluate(&Layers::new([&variables]), &ENVIRONMENT) {
        let _ = value.to_string();
    }
});
