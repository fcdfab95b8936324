//! Expressions that want too much: each ends in an error, soon, and none takes the process with it.

use proptest::prelude::*;
use stellar_fns::value::{Map, MapKind, Set};
use stellar_fns::{AllNull, Bound, Compiler, Environment, Layers, Limits, Value, VariableMap};

fn evaluate(expression: &str) -> Result<Value, String> {
    let program = Compiler::default().compile(expression).map_err(|errors| errors.to_string())?;
    let numbers = VariableMap::from_iter([
        ("many", Value::list((0..1000).map(Value::Int))),
        ("text", Value::from("x".repeat(1000))),
    ]);
    program.evaluate(&Layers::new([&numbers]), &Environment::default()).map_err(|error| error.to_string())
}

#[test]
fn expressions_that_want_too_much_end_in_an_error() {
    for expression in [
        "FILL_LEFT('', 'x', 2147483647)",
        "FORMAT('%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d%1000000d', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)",
        "REDUCE(many, (a, x) -> JOIN([a, a], ''), 'x')",
        "TO_STRING(REDUCE(many, (a, x) -> [a, a], []))",
        "REDUCE(many, (a, x) -> [a, a], []) == REDUCE(many, (a, x) -> [a, a], [])",
        "TO_JSON_OBJECT(TO_STRING(REDUCE(many, (a, x) -> [a], 1)))",
        "MAP(many, a -> MAP(many, b -> MAP(many, c -> a)))",
        "MAP(many, a -> MAP(many, b -> REGEXP_MATCH(text, '(?:x+)+y\\\\z(?<!z)')))",
        "REDUCE(many, (f, x) -> (y -> MAP([y], f)), z -> z) == MAP([1], REDUCE(many, (f, x) -> (y -> MAP([y], f)), z -> z))",
        "LIST_ADD(many, [many])",
        "BLOOM_INIT(2147483647, 0.0000001, 1)",
        "REGEXP_MATCH('a', '(a{1000}){1000}')",
        "MAP(many, a -> MAP(many, b -> SET_INIT(many)))",
        "MAP(many, a -> MAP(many, b -> text in JOIN(many, text)))",
        "REDUCE([FILL_LEFT('', 'x', 16000000)], (a, t) -> MAP(SPLIT(FILL_LEFT('', ',', 999), ','), x -> t), 0)",
        "REDUCE([FILL_LEFT('', 'x', 16000000)], (a, t) -> MAP(many, x -> [t]), 0)",
        "REDUCE([FILL_LEFT('', 'x', 16000000)], (a, t) -> MAP(many, x -> {x : t}), 0)",
        "REDUCE([FILL_LEFT('', 'x', 16000000)], (a, t) -> MAP(many, x -> (y -> t)), 0)",
        "REDUCE([FILL_LEFT('', 'x', 16000000)], (a, t) -> MAP(many, x -> MAP_GET(1, {1 : t})), 0)",
        "MAP(many, x -> MAP(many, y -> BLOOM_ADD(null, x)))",
        "MAP(many, x -> HASH(JOIN(many, 'abcdef'), 'tlsh', {'hashes' : MAP(many, y -> 4096)}))",
        "REDUCE([SET_INIT([many])], (a, s) -> MAP(many, x -> MAP(many, y -> many in s)), 0)",
        "REDUCE([FILL_LEFT('', 'x', 16000000)], (a, t) -> MAP(many, x -> MAP(many, y -> t < t)), 0)",
        "MAP(many, x -> MAP(many, y -> BIN(0, many)))",
        "DATE_FORMAT(FILL_LEFT('', '-', 2000), 0L)",
        "LIST_ADD([1], MAP(SPLIT(FILL_LEFT('', ',', 200000), ','), x -> x))",
        "REGEXP_MATCH(FILL_LEFT('', 'x', 1000000), '(?:.(?!.*z))*y')",
        "REGEXP_MATCH(FILL_LEFT('', 'x', 1000000), '(?:.(?=.*x))*y')",
        "MAP(many, x -> REGEXP_MATCH('a', JOIN(['(?:a|b|c){1,90}', x], '')))",
        "TO_UPPER(FILL_LEFT('', 'ŉ', 8000000))",
    ] {
        let outcome = evaluate(expression);
        assert!(outcome.is_err(), "{expression} is {outcome:?}");
    }
}

#[test]
fn deep_values_are_shown_compared_and_dropped() {
    let deep = "REDUCE(many, (a, x) -> [a], 1)";
    let value = evaluate(deep).unwrap();
    assert!(value.to_string().contains('…'));
    assert!(evaluate(&format!("{deep} == {deep}")).is_err());
    assert!(evaluate(&format!("SET_INIT([{deep}, {deep}])")).is_ok());
    let deeper = "REDUCE(SPLIT(FILL_LEFT('', ',', 300000), ','), (a, x) -> [a], 1)";
    for question in ["not({})", "{} and true", "{} or false", "MAX([{}, true])", "DECODE('a', 'HEX', {})"] {
        let _ = evaluate(&question.replace("{}", deeper));
    }
    for deep_set in [
        "REDUCE(SPLIT(FILL_LEFT('', ',', 100000), ','), (a, x) -> SET_INIT([a]), 1)",
        "REDUCE([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0], (a, x) -> SET_INIT([[a, 1], [a, 2]]), 1)",
    ] {
        assert!(evaluate(&format!("{deep_set} == {deep_set}")).is_err());
    }
}

#[test]
fn deep_and_long_expressions_are_refused() {
    for expression in [
        "(".repeat(50_000),
        "[".repeat(60_000),
        "not(".repeat(10_000),
        "x -> ".repeat(10_000),
        "1 in ".repeat(10_000),
        "if a then ".repeat(6_000),
        "'".repeat(70_000),
    ] {
        assert!(Compiler::default().compile(&expression).is_err());
    }
}

#[test]
fn threads_that_put_containers_into_each_others_containers_do_not_block() {
    let containers = [Value::Set(Set::new([])), Value::list([]), Value::Map(Map::new(MapKind::Linked, []))];
    let (done, wait) = std::sync::mpsc::channel();
    for (mine, other) in [(0, 1), (1, 2), (2, 0), (1, 0)] {
        let (values, done) = ([containers[mine].clone(), containers[other].clone()], done.clone());
        std::thread::spawn(move || {
            let compiler = Compiler::default();
            let calls = [
                "SET_ADD(mine, other)",
                "SET_REMOVE(mine, other)",
                "MULTISET_ADD(mine, other)",
                "MULTISET_REMOVE(mine, other)",
                "MAP_PUT(other, other, mine)",
                "MAP_MERGE([mine, {other : 1}])",
                "MULTISET_MERGE([mine, other])",
                "(other in mine or mine == other)",
            ];
            let programs = calls.map(|call| compiler.compile(&format!("[mine, other, {call}]")).expect("it compiles"));
            // A list only grows, so there is one that stays small enough to be searched for circles.
            let append = compiler.compile("[mine, other, LIST_ADD(mine, other)]").expect("it compiles");
            for round in 0..300 {
                for program in &programs {
                    let _ = program.evaluate(&Bound::new(program.variables(), &values), &Environment::default());
                }
                if round % 100 == 0 {
                    let _ = append.evaluate(&Bound::new(append.variables(), &values), &Environment::default());
                }
            }
            let _ = done.send(());
        });
    }
    drop(done);
    for _ in 0..4 {
        wait.recv_timeout(std::time::Duration::from_secs(120)).expect("every thread ends");
    }
}

#[test]
fn messages_show_the_beginning_of_a_long_argument() {
    for call in [
        "HASH('a', long)",
        "IN_SUBNET(long, '10.0.0.0/8')",
        "GEOHASH_TO_LATLONG(long)",
        "DATE_FORMAT(long, 1L)",
        "DECODE('a', long)",
        "REGEXP_MATCH('a', JOIN(['(', long], ''))",
        "FUZZY_SCORE('a', 'b', long)",
    ] {
        let message = evaluate(&call.replace("long", "JOIN(many, '!')")).unwrap_err();
        assert!(message.len() < 500, "{call}: {message}");
    }
}

#[test]
fn compiling_costs_no_more_than_the_expression_is_long() {
    let joined = |part: &dyn Fn(usize) -> String| {
        let parts: Vec<String> = (0..4000).map(part).collect();
        format!("[{}]", parts.join(", "))
    };
    let unknown = Compiler::default().compile(&joined(&|index| format!("TO_UPER{}()", index % 7))).unwrap();
    assert_eq!(unknown.unknown_functions().len(), 4000);
    let names = Compiler::default().compile(&joined(&|index| format!("name{index}"))).unwrap();
    assert_eq!(names.variables().len(), 4000);
    let constants = joined(&|_| "LENGTH('') + 1".to_owned());
    let constants = Compiler::default().compile(&constants).unwrap();
    let value = constants.evaluate(&AllNull, &Environment::default()).unwrap();
    assert_eq!(value.to_string(), format!("[1{}]", ", 1".repeat(3999)));
}

#[test]
fn a_lambda_costs_more_the_longer_it_is() {
    let limits = Limits { steps: 20_000, ..Limits::default() };
    let environment = Environment { limits, ..Environment::default() };
    let many = VariableMap::from_iter([("many", Value::list((0..1000).map(Value::Int)))]);
    let outcome = |body: &str| {
        let program = Compiler::default().compile(&format!("MAP(many, x -> {body})")).unwrap();
        program.evaluate(&Layers::new([&many]), &environment)
    };
    assert!(outcome("x * 2 + 1").is_ok());
    assert!(outcome(&("x".to_owned() + &" + x".repeat(5_000))).is_err());
}

fn soup() -> impl Strategy<Value = String> {
    let words = [
        "1",
        "-1",
        "2.5f",
        "'a'",
        "\"b\"",
        "x",
        "y.z",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        " : ",
        " ? ",
        "->",
        "=>",
        " + ",
        " - ",
        "*",
        "/",
        "==",
        "<",
        " in ",
        " not in ",
        " and ",
        " or ",
        "not(",
        "if ",
        " then ",
        " else ",
        "match{",
        "default => ",
        "exists(x)",
        "null",
        "true",
        "MAP(",
        "FILTER(",
        "REDUCE(",
        "FORMAT('%s', ",
        "REGEXP_MATCH(x, '(a*)*b')",
        "_",
        "TO_STRING(",
        "DATE_FORMAT('yyyy', ",
        "//",
        "\\",
        "é",
        "😀",
        "\n",
        " ",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..30).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_soup_of_words_is_refused_or_evaluated(source in soup()) {
        let compiler = Compiler::default();
        if let Ok(program) = compiler.compile(&source) {
            let _ = program.evaluate(&AllNull, &Environment::default());
            let again = compiler.format(&source).expect("what compiles can be written");
            prop_assert_eq!(compiler.format(&again).expect("what was written can be read"), again);
        }
    }

    #[test]
    fn any_text_is_refused_or_compiled(source in any::<String>()) {
        let _ = Compiler::default().compile(&source);
    }

    #[test]
    fn any_format_and_any_pattern_are_refused_or_used(text in any::<String>(), pattern in "[a-zA-Z%$'\\[\\](){}|*+?.^\\\\:=!<>0-9,-]{0,16}") {
        let compiler = Compiler::default();
        let values = [Value::from(text), Value::from(pattern)];
        for call in ["FORMAT(pattern, text, 1, 2.5)", "DATE_FORMAT(pattern, 1452013350000L)", "TO_EPOCH_TIMESTAMP(text, pattern)", "REGEXP_MATCH(text, pattern)", "REGEXP_REPLACE(text, pattern, pattern)"] {
            let program = compiler.compile(&format!("[text, pattern, {call}]")).expect("the call compiles");
            let _ = program.evaluate(&Bound::new(program.variables(), &values), &Environment::default());
        }
    }
}
