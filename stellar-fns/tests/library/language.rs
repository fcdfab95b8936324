//! The language through the public interface: what expressions give, which are errors, what a program says about itself.

use std::sync::Arc;

use stellar_fns::function::{Arguments, Context, Doc, Outcome, Purity};
use stellar_fns::{Bound, Code, Compiler, Environment, Function, Layers, Span, Strict, Value, VariableMap};

fn variables() -> VariableMap {
    VariableMap::from_iter([
        ("name", Value::from("casey")),
        ("age", Value::from(41)),
        ("source.type", Value::from("squid")),
        ("yes", Value::from(true)),
        ("nothing", Value::Null),
    ])
}

fn evaluate(expression: &str) -> Result<Value, String> {
    let program = Compiler::default().compile(expression).map_err(|errors| errors.to_string())?;
    program.evaluate(&Layers::new([&variables()]), &Environment::default()).map_err(|error| error.to_string())
}

/// Expressions and the type and text of what they give.
const GIVES: &[(&str, &str)] = &[
    ("", "null null"),
    ("1 // a comment", "int 1"),
    ("age + 1", "int 42"),
    ("nothing + 1", "int 1"),
    ("2147483647 + 1", "int -2147483648"),
    ("1L + 1.5f", "float 2.5"),
    ("1 / 0.0", "double Infinity"),
    ("8/2*3", "int 1"),
    ("24/4*2", "int 3"),
    ("7 / 2 + 1 - 1", "int 3"),
    ("false and true or true", "bool false"),
    ("true or false and false", "bool true"),
    ("1 < 2 == true", "bool true"),
    ("16777217 == 16777216.0f", "bool true"),
    ("1.1f == 1.1", "bool false"),
    ("[1] == [1L]", "bool false"),
    ("null >= null", "bool false"),
    ("'a' in ['a'] == true", "bool false"),
    ("'as' in name", "bool true"),
    ("1 in [1L]", "bool false"),
    ("'k' in {'k' : null}", "bool true"),
    ("null in null", "bool false"),
    ("'a' not in null", "bool true"),
    ("2 or false", "bool false"),
    ("[1, 0] and true", "bool true"),
    ("true or NO_SUCH_FUNCTION()", "bool true"),
    ("not('on' and 'YES')", "bool false"),
    ("exists(name) and not(exists(missing))", "bool true"),
    ("source.type", "string squid"),
    ("MAP_GET('name', _)", "string casey"),
    ("if [] then 1 else if yes then 2 else 3", "int 2"),
    ("missing ? 1 : 2", "int 2"),
    ("if true then 1 else (if true then 2 else 3) + 5", "int 1"),
    ("match{ age < 10 => 'a', age < 50 => 'b', default => 'c' }", "string b"),
    ("match{ true => 1, default => 2 }", "int 1"),
    ("match{ yes => () -> 5, default => 7 }", "int 5"),
    ("{'a' : 1, 'a' : 2}", "map {a=1}"),
    ("MAP([1, 2], x -> x + age)", "list [42, 43]"),
    ("MAP([1, 2], () -> 7)", "list [7, 7]"),
    ("MAP([[1, 2], [3]], l -> REDUCE(l, (s, x) -> s + x + age, 0))", "list [85, 44]"),
    ("MAP([1], x -> MAP([2], y -> MAP([3], z -> [x, y, z])))", "list [[[[1, 2, 3]]]]"),
    ("FILTER('abc', c -> c == 'b')", "list []"),
    ("MAP([1], x -> missing)", "list [null]"),
    ("REDUCE([1, 2], (l, x) -> LIST_ADD(l, x), [])", "list [1, 2]"),
];

/// Expressions and the kind of error that they are.
const FAILS: &[(&str, Code)] = &[
    ("1 //", Code::Unexpected),
    ("1-1", Code::Unexpected),
    ("a ; b", Code::BadCharacter),
    ("'\\d'", Code::BadEscape),
    ("'a", Code::OpenText),
    ("99999999999", Code::NumberRange),
    ("'a' + 1", Code::Misplaced),
    ("1 / 0", Code::DivisionByZero),
    ("1 < '1'", Code::WrongType),
    ("name + 1", Code::WrongType),
    ("if 'a' then 1 else 2", Code::NoCondition),
    ("NO_SUCH_FUNCTION()", Code::NoFunction),
    ("TO_UPPER()", Code::ArgumentCount),
];

#[test]
fn expressions_give_what_the_original_gives() {
    for (expression, expected) in GIVES {
        let got = evaluate(expression).map(|value| format!("{} {value}", value.type_name()));
        assert_eq!(got.as_deref(), Ok(*expected), "{expression}");
    }
}

#[test]
fn errors_have_their_kind() {
    for (expression, expected) in FAILS {
        let code = match Compiler::default().compile(expression) {
            Err(errors) => errors.0[0].code,
            Ok(program) => program.evaluate(&Layers::new([&variables()]), &Environment::default()).unwrap_err().code,
        };
        assert_eq!(code, *expected, "{expression}");
    }
}

#[test]
fn an_error_points_at_its_place_and_knows_what_was_meant() {
    let program = Compiler::default().compile("1 + LENGTH(TO_UPER(name))").unwrap();
    let error = program.evaluate(&Layers::default(), &Environment::default()).unwrap_err();
    assert_eq!(error.span, Span { from: 11, to: 18 });
    assert_eq!(error.hint.as_deref(), Some("did you mean TO_UPPER?"));
    assert_eq!(program.unknown_functions().len(), 1);
}

#[test]
fn a_missing_variable_is_an_error_only_for_strict_variables_outside_of_lambdas() {
    let none = VariableMap::default();
    let strict = Strict(Layers::new([&none]));
    let evaluate =
        |expression: &str| Compiler::default().compile(expression).unwrap().evaluate(&strict, &Environment::default());
    assert_eq!(evaluate("missing").unwrap_err().code, Code::NoVariable);
    assert_eq!(evaluate("exists(missing)"), Ok(Value::from(false)));
    assert_eq!(evaluate("MAP([1], x -> missing)"), Ok(Value::list([Value::Null])));
}

#[test]
fn a_rule_must_hold_or_not() {
    let holds = |rule: &str| {
        Compiler::default().compile(rule).unwrap().holds(&Layers::new([&variables()]), &Environment::default())
    };
    assert_eq!(holds("age > 40"), Ok(Some(true)));
    assert_eq!(holds(""), Ok(Some(true)));
    assert_eq!(holds("missing"), Ok(None));
    assert_eq!(holds("age").unwrap_err().code, Code::NoRule);
}

#[test]
fn a_program_lists_what_it_uses() {
    let program = Compiler::default().compile("MAP(list, x -> TO_UPPER(x)) == [exists(a.b), _]").unwrap();
    assert_eq!(program.variables(), ["list", "x", "a.b", "_"]);
    assert_eq!(program.functions(), ["TO_UPPER", "MAP"]);
    assert_eq!(program.purity(), Purity::Pure);
    assert_eq!(Compiler::default().compile("YEAR()").unwrap().purity(), Purity::Ambient);
}

#[test]
fn values_can_be_bound_by_slot_and_shared_by_threads() {
    let program = Arc::new(Compiler::default().compile("TO_UPPER(a) == b").unwrap());
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let program = program.clone();
            std::thread::spawn(move || {
                let values = [Value::from(format!("w{worker}")), Value::from(format!("W{worker}"))];
                program.evaluate(&Bound::new(program.variables(), &values), &Environment::default())
            })
        })
        .collect();
    for worker in workers {
        assert_eq!(worker.join().unwrap(), Ok(Value::from(true)));
    }
}

struct Twice;

static TWICE: Doc = Doc {
    name: "TWICE",
    summary: "A text twice.",
    parameters: &[],
    returns: "a text",
    examples: &[],
    purity: Purity::Pure,
};

impl Function for Twice {
    fn doc(&self) -> &'static Doc {
        &TWICE
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let text = arguments.text(0)?;
        context.spend_text(text.len() * 2)?;
        Ok(Value::from(text.repeat(2)))
    }
}

#[test]
fn a_function_of_ones_own_can_be_called() {
    let mut compiler = Compiler::default();
    compiler.functions.register(Arc::new(Twice));
    let program = compiler.compile("TWICE(TWICE('ab'))").unwrap();
    assert_eq!(program.evaluate(&Layers::default(), &Environment::default()), Ok(Value::from("abababab")));
}
