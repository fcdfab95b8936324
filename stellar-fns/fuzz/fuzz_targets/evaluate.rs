//! Any expression is refused, or ends with a value or an error, and its value can be shown.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stellar_fns::value::{Map, MapKind, Set};
use stellar_fns::{Compiler, Layers, Value, VariableMap};
use stellar_fuzz::ENVIRONMENT;

static COMPILER: LazyLock<Compiler> = LazyLock::new(Compiler::default);

/// A text as long as the limits allow.
static LONG: LazyLock<Value> = LazyLock::new(|| Value::from("0123 abc".repeat(1 << 17)));

fn many() -> impl Iterator<Item = Value> {
    (0..5_000).map(Value::Int)
}

/// Sets in lists in sets, in which all but the innermost is shared: small, and vast for who walks through all of it.
fn deep() -> Value {
    (0..20).fold(Value::Null, |inner, _| {
        Value::Set(Set::new([1, 2].map(|item| Value::list([inner.clone(), Value::Int(item)]))))
    })
}

fuzz_target!(|source: &str| {
    let Ok(program) = COMPILER.compile(source) else { return };
    let variables = VariableMap::from_iter([
        ("x", Value::from(7)),
        ("foo", Value::from("casey")),
        ("ip", Value::from("192.168.0.1")),
        ("list", Value::list((0..20).map(Value::from))),
        ("millis", Value::from(1_472_131_630_748_i64)),
        ("many", Value::list(many())),
        ("set", Value::Set(Set::new(many()))),
        ("map", Value::Map(Map::new(MapKind::Linked, many().zip(many())))),
        ("long", LONG.clone()),
        ("texts", Value::list([LONG.clone(), LONG.clone()])),
        ("deep", deep()),
    ]);
    let _ = program.validate(&ENVIRONMENT);
    if let Ok(value) = program.evaluate(&Layers::new([&variables]), &ENVIRONMENT) {
        let _ = value.to_string();
    }
});
