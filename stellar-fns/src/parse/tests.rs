//! What parses and what doesn't, and what the errors say.

use super::{Bounds, parse};
use crate::error::Code;
use crate::print::print;

const BOUNDS: Bounds = Bounds { length: 65_536, depth: 64 };

fn accepts(source: &str) -> bool {
    parse(source, BOUNDS).is_ok()
}

/// The tree with all its parentheses.
fn tree(source: &str) -> String {
    print(&parse(source, BOUNDS).unwrap().unwrap())
}

#[test]
fn operators_bind_as_in_the_original() {
    assert_eq!(tree("8/(2*3)"), tree("8/2*3"));
    assert_eq!(tree("24/(4*2)"), "24 / 4 * 2");
    assert_eq!(tree("(24/4)*2"), "(24 / 4) * 2");
    assert_eq!(tree("'a' in ['a'] == true"), tree("'a' in (['a'] == true)"));
    assert_eq!(tree("1 - (2 - 3)"), "1 - (2 - 3)");
}

#[test]
fn each_place_admits_only_certain_forms() {
    for refused in [
        "not true",
        "'a' + 'b'",
        "null + 1",
        "f(a and b)",
        "[a in b]",
        "match{a => 1, default => 2} + 1",
        "[1,]",
        "{a:1}",
        "x?y:z",
        "-x",
        "1-1",
        "x[0]",
        "('a') in b",
        "1 //",
        "if a then b",
        "match{default => 1}",
        "match{a => 1}",
        "match{a => match{b => 1, default => 2}, default => 3}",
        "a == b in c",
        "1 = 2",
        "1 ++ 2",
    ] {
        assert!(!accepts(refused), "{refused}");
    }
    for accepted in [
        "not(true)",
        "x + y",
        "f(a == b, a ? b : c)",
        "[(a in b)]",
        "{a : 1}",
        "x ? y : z",
        "true?1:2",
        "1 + (a ? 2 : 3)",
        "(match{a => 1, default => 2})",
        "{'k' : a in b and c}",
        "1 + 2 in [3]",
        "() -> 1",
        "(x, y) -> x and y",
        "match{a => x -> match{b => 1, default => 2}, default => 3}",
        "",
        "  ",
    ] {
        assert!(accepts(accepted), "{accepted}");
    }
}

/// The places of all errors, as the text that is marked.
fn marked(source: &str) -> Vec<&str> {
    let errors = parse(source, BOUNDS).unwrap_err();
    errors.0.iter().map(|error| &source[error.span.from..error.span.to]).collect()
}

#[test]
fn all_errors_are_found_in_one_reading() {
    for (source, places) in [
        ("F([1, +, 2], 'a' + 1, {x : })", &["+", "'a'", "}"][..]),
        ("F(a b, c d)", &["b", "d"]),
        ("(a + ) and (b - )", &[")", ")"]),
        ("if (a == ) then (b + ) else (c * )", &[")", ")", ")"]),
        ("F(a in b, c or d, 'x' + 1)", &["a in b", "c or d", "'x'"]),
        ("1 -1 and (2 + * 3", &["-1", "(", "*"]),
        ("{'a' 1, 'b' : }", &["1", "}"]),
        ("F(1)) == (2 + )", &[")", ")"]),
        ("match{a => 1 b => 2, c, default => }", &["b", ",", "}"]),
        ("1 + * 2 and ; or 'abc", &["*", ";", "'"]),
    ] {
        assert_eq!(marked(source), places, "{source}");
    }
}

#[test]
fn what_only_follows_from_an_error_is_not_said() {
    for source in [
        "x = 1",
        "x == 'a",
        "[1, 2",
        "TO_UPPER((x)",
        "F(1, [2, 3)",
        "a ? b c",
        "exists('a')",
        "if a then b",
        "a and and b",
    ] {
        assert_eq!(marked(source).len(), 1, "{source}");
    }
}

#[test]
fn no_more_errors_are_kept_than_people_read() {
    assert_eq!(marked(&format!("F({})", "a b,".repeat(5_000))).len(), super::MOST_ERRORS);
}

#[test]
fn deep_nesting_is_refused_and_long_chains_are_not() {
    let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(parse(&deep, BOUNDS).unwrap_err().0[0].code, Code::TooDeep);
    assert!(accepts(&format!("1{}", " + 1".repeat(5_000))));
    assert!(accepts(&format!("{}0", "a ? 1 : ".repeat(5_000))));
    assert!(accepts(&format!("a{}", " and a".repeat(5_000))));
}

#[test]
fn a_missing_space_before_a_minus_gets_a_hint() {
    let errors = parse("1 -1", BOUNDS).unwrap_err();
    assert_eq!(errors.0[0].hint.as_deref(), Some("a sign belongs to its number; to subtract, write - 1"));
}
