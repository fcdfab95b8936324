//! Print, then parse: the same tree, for any tree that the grammar can make.

use proptest::prelude::*;

use super::print;
use crate::ast::{Comparator, Connective, Expr, ExprKind};
use crate::error::Span;
use crate::parse::{Bounds, parse};
use crate::value::{Operator, Text, Value};

fn expr(kind: ExprKind) -> Expr {
    Expr::new(kind, Span::default())
}

fn name() -> impl Strategy<Value = Text> {
    "v[a-z0-9_.:]{0,4}[a-z0-9_.]".prop_map(Text::from)
}

fn number() -> impl Strategy<Value = Expr> {
    let value = prop_oneof![
        any::<i32>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::Long),
        any::<f64>().prop_filter("a literal is finite", |double| double.is_finite()).prop_map(Value::Double),
        any::<f32>().prop_filter("a literal is finite", |float| float.is_finite()).prop_map(Value::Float),
        Just(Value::Double(f64::NAN)),
    ];
    value.prop_map(|value| expr(ExprKind::Literal(value)))
}

fn constant() -> impl Strategy<Value = Expr> {
    let value =
        prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::Bool), any::<String>().prop_map(Value::from)];
    prop_oneof![
        value.prop_map(|value| expr(ExprKind::Literal(value))),
        name().prop_map(|name| expr(ExprKind::Exists(name)))
    ]
}

/// Strategies for each form of the grammar, one level deeper each time.
#[derive(Clone)]
struct Forms {
    arithmetic: BoxedStrategy<Expr>,
    operand: BoxedStrategy<Expr>,
    comparison: BoxedStrategy<Expr>,
    logic: BoxedStrategy<Expr>,
    whole: BoxedStrategy<Expr>,
}

fn leaves() -> Forms {
    let arithmetic = prop_oneof![number(), name().prop_map(|name| expr(ExprKind::Name(name)))].boxed();
    let operand = prop_oneof![arithmetic.clone(), constant()].boxed();
    Forms { arithmetic, operand: operand.clone(), comparison: operand.clone(), logic: operand.clone(), whole: operand }
}

fn chained<T: Clone + std::fmt::Debug + 'static>(
    operand: &BoxedStrategy<Expr>,
    operators: Vec<T>,
    make: fn(Box<Expr>, Vec<(T, Expr)>) -> ExprKind,
) -> BoxedStrategy<Expr> {
    let rest = prop::collection::vec((prop::sample::select(operators), operand.clone()), 1..4);
    (operand.clone(), rest).prop_map(move |(first, rest)| expr(make(Box::new(first), rest))).boxed()
}

fn deeper(inner: &Forms) -> Forms {
    let Forms { arithmetic, operand, comparison, logic, whole } = inner;
    let pairs = |left: &BoxedStrategy<Expr>, right: &BoxedStrategy<Expr>| {
        prop::collection::vec((left.clone(), right.clone()), 1..3)
    };
    let conditional = (pairs(logic, whole), whole.clone())
        .prop_map(|(arms, otherwise)| expr(ExprKind::Conditional { arms, otherwise: Box::new(otherwise) }))
        .boxed();
    let item = prop_oneof![comparison.clone(), conditional.clone()];
    let call = (name(), prop::collection::vec(item.clone(), 0..3))
        .prop_map(|(name, arguments)| expr(ExprKind::Call { name, arguments }));
    let computed = |operators| chained(arithmetic, operators, |first, rest| ExprKind::Arithmetic { first, rest });
    let arithmetic = prop_oneof![
        computed(vec![Operator::Add, Operator::Subtract]),
        computed(vec![Operator::Multiply]),
        computed(vec![Operator::Divide]),
        call,
        conditional.clone(),
        arithmetic.clone(),
    ]
    .boxed();
    let lambda = (prop::collection::vec(name(), 0..3), whole.clone())
        .prop_map(|(parameters, body)| expr(ExprKind::Lambda { parameters, body: Box::new(body) }))
        .boxed();
    let list = prop::collection::vec(item, 0..3).prop_map(|items| expr(ExprKind::List(items)));
    let map = prop::collection::vec((comparison.clone(), whole.clone()), 0..3)
        .prop_map(|entries| expr(ExprKind::Map(entries)));
    let key = prop_oneof![arithmetic.clone(), list.clone(), map.clone()].boxed();
    let membership = (key.clone(), logic.clone(), any::<bool>()).prop_map(|(key, container, negated)| {
        expr(ExprKind::In { key: Box::new(key), container: Box::new(container), negated })
    });
    let operand = prop_oneof![key, lambda, operand.clone()].boxed();
    let comparators = vec![
        Comparator::Equal,
        Comparator::NotEqual,
        Comparator::Less,
        Comparator::LessEqual,
        Comparator::Greater,
        Comparator::GreaterEqual,
    ];
    let compared = chained(logic, comparators, |first, rest| ExprKind::Comparison { first, rest });
    let not = logic.clone().prop_map(|inner| expr(ExprKind::Not(Box::new(inner))));
    let comparison = prop_oneof![compared, not, operand.clone()].boxed();
    let joined = chained(logic, vec![Connective::And, Connective::Or], |first, rest| ExprKind::Logic { first, rest });
    let logic = prop_oneof![joined, membership, comparison.clone()].boxed();
    let action = prop_oneof![logic.clone(), conditional.clone()].boxed();
    let matched = (pairs(&action, &action), action.clone())
        .prop_map(|(clauses, default)| expr(ExprKind::Match { clauses, default: Box::new(default) }));
    let whole = prop_oneof![action, matched].boxed();
    Forms { arithmetic, operand, comparison, logic, whole }
}

fn tree() -> BoxedStrategy<Expr> {
    deeper(&deeper(&leaves())).whole
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_printed_parses_to_the_same_tree(tree in tree()) {
        let text = print(&tree);
        let parsed = parse(&text, Bounds { length: 1 << 20, depth: 64 });
        prop_assert_eq!(parsed.map_err(|errors| errors.to_string()), Ok(Some(tree)), "{}", text);
    }
}
