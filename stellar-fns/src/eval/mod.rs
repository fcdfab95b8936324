//! Walks a checked tree. Values are borrowed from variables and constants wherever they are only looked at.
//!
//! Pure: given the variables and the environment, everything here is computed on the caller's stack, which the limits on nesting keep small.

mod condition;
mod operators;

use std::ops::Deref;

use smallvec::SmallVec;

use crate::asking::Asker;
use crate::check::{Call, Checked, Node};
use crate::environment::Environment;
use crate::error::{Code, Error, Fault, Span};
use crate::function::{Arguments, Context, Outcome};
use crate::value::{Closure, List, Map, MapKind, Number, Operator, Value};
use crate::variables::Variables;

use self::operators::Term;

/// A value, borrowed where it can be.
#[derive(Clone, Debug)]
pub(crate) enum Operand<'a> {
    Borrowed(&'a Value),
    Owned(Value),
}

impl Deref for Operand<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Self::Borrowed(value) => value,
            Self::Owned(value) => value,
        }
    }
}

impl Operand<'_> {
    fn into_value(self) -> Value {
        match self {
            Self::Borrowed(value) => value.clone(),
            Self::Owned(value) => value,
        }
    }
}

impl From<Value> for Operand<'_> {
    fn from(value: Value) -> Self {
        Self::Owned(value)
    }
}

/// Where names are found: the variables of the expression, and what the lambda being run was given and captured.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub variables: &'a dyn Variables,
    pub locals: &'a [Value],
}

type Evaluated<'a> = Result<Operand<'a>, Fault>;

/// The value of a program.
pub(crate) fn evaluate(
    program: &Checked,
    variables: &dyn Variables,
    environment: &Environment,
) -> Result<Value, Error> {
    evaluate_node(&program.root, variables, environment, None).map_err(Fault::into_error)
}

/// The value of a part of a program outside any lambda; without an asker questions block.
pub(crate) fn evaluate_node(
    node: &Node,
    variables: &dyn Variables,
    environment: &Environment,
    asker: Option<&Asker<'_>>,
) -> Outcome {
    let frame = Frame { variables, locals: &[] };
    let mut context = Context::new(environment, frame, asker);
    walk(node, frame, &mut context).map(Operand::into_value)
}

/// The value of a part of a program that asks nobody, and how many steps it took.
pub(crate) fn evaluate_counted(node: &Node, variables: &dyn Variables, environment: &Environment) -> (Outcome, u64) {
    let frame = Frame { variables, locals: &[] };
    let mut context = Context::new(environment, frame, None);
    let outcome = walk(node, frame, &mut context).map(Operand::into_value);
    (outcome, environment.limits.steps - context.fuel.left())
}

/// Calls a lambda; arguments that lack are null, extra ones are dropped.
pub(crate) fn apply(closure: &Closure, arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let lambda = &closure.body;
    context.spend(lambda.cost)?;
    let outer = context.depth;
    let too_deep = || Fault::new(Code::TooManySteps, "lambdas run inside each other too deep");
    context.depth = outer.checked_sub(lambda.depth).ok_or_else(too_deep)?;
    let mut locals: SmallVec<[Value; 4]> = arguments.iter().take(lambda.parameters).cloned().collect();
    locals.resize(lambda.parameters, Value::Null);
    locals.extend(closure.captured.iter().cloned());
    for local in &locals {
        context.spend_reading(local)?;
    }
    let frame = Frame { variables: context.frame.variables, locals: &locals };
    let outcome = walk(&lambda.body, frame, context).and_then(|operand| owned(operand, context));
    context.depth = outer;
    outcome
}

pub(super) fn walk<'a>(node: &'a Node, frame: Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    match node {
        Node::Constant(value) => Ok(Operand::Borrowed(value)),
        Node::Variable { slot, name, lenient, span } => match frame.variables.get(*slot, name) {
            Some(value) => Ok(Operand::Borrowed(value)),
            None if *lenient || !frame.variables.strict() => Ok(Operand::Borrowed(&Value::Null)),
            None => Err(Fault::new(Code::NoVariable, format!("no variable {name}")).at(*span)),
        },
        Node::Local(index) => Ok(Operand::Borrowed(frame.locals.get(*index).unwrap_or(&Value::Null))),
        Node::All => {
            let all = frame.variables.all();
            context.spend(all.len())?;
            context.spend_copies(all.read().values())?;
            Ok(Value::Map(all).into())
        }
        Node::List(items) => {
            context.spend(items.len())?;
            let items: Result<Vec<Value>, Fault> =
                items.iter().map(|item| walk(item, frame, context).and_then(|item| owned(item, context))).collect();
            Ok(Value::List(List::new(items?)).into())
        }
        Node::Map(entries) => map(entries, frame, context),
        Node::Arithmetic { first, rest, span } => {
            arithmetic(first, rest, *span, frame, context).map(|number| Value::from(number).into())
        }
        Node::Comparison { first, rest, span } => {
            let mut left = walk(first, frame, context)?;
            for (comparator, operand) in rest {
                let right = walk(operand, frame, context)?;
                left = Value::Bool(
                    operators::compare(&left, *comparator, &right, context).map_err(|fault| fault.at(*span))?,
                )
                .into();
            }
            Ok(left)
        }
        Node::In { key, container, negated, span } => {
            let key = walk(key, frame, context)?;
            let container = walk(container, frame, context)?;
            let found = operators::contains(&container, &key, context).map_err(|fault| fault.at(*span))?;
            Ok(Value::Bool(found != *negated).into())
        }
        Node::InItems { key, items, negated, span } => {
            let key = walk(key, frame, context)?;
            let mut found = false;
            for item in items {
                // All items are evaluated, as they would be for a list: an error in a later one is an error.
                let item = walk(item, frame, context)?;
                found = found || operators::identical(&item, &key, context).map_err(|fault| fault.at(*span))?;
            }
            Ok(Value::Bool(found != *negated).into())
        }
        Node::Logic { first, rest } => condition::logic(first, rest, frame, context),
        Node::Not(inner) => {
            let inner = walk(inner, frame, context)?;
            Ok(Value::Bool(!crate::value::boolean_of(&inner)).into())
        }
        Node::Conditional { arms, otherwise } => condition::choose(arms, otherwise, frame, context),
        Node::Match { arms, otherwise, span } => match condition::choose(arms, otherwise, frame, context)?.into_value()
        {
            Value::Lambda(closure) => Ok(apply(&closure, &[], context).map_err(|fault| fault.at(*span))?.into()),
            value => Ok(value.into()),
        },
        Node::Exists(variable) => {
            let there = match &**variable {
                Node::Variable { slot, name, .. } => {
                    frame.variables.get(*slot, name).is_some_and(|value| !value.is_null())
                }
                other => !walk(other, frame, context)?.is_null(),
            };
            Ok(Value::Bool(there).into())
        }
        Node::Lambda { lambda, captures } => {
            let captured: Vec<Value> =
                captures.iter().map(|capture| frame.locals.get(capture.0).cloned().unwrap_or_default()).collect();
            context.spend_copies(&captured)?;
            Ok(Value::Lambda(std::sync::Arc::new(Closure { body: lambda.clone(), captured })).into())
        }
        Node::Call(call) => self::call(call, frame, context),
        Node::Unknown(error) => {
            Err(Fault::new(error.code, &error.message).with_hint(error.hint.clone()).at(error.span))
        }
    }
}

/// Operators of one level, from the left.
fn arithmetic<'a>(
    first: &'a Node,
    rest: &'a [(Operator, Node)],
    span: Span,
    frame: Frame<'a>,
    context: &mut Context<'_>,
) -> Result<Number, Fault> {
    let mut left = term(first, frame, context)?;
    for (operator, operand) in rest {
        let right = term(operand, frame, context)?;
        left = Term::Number(operators::compute(left, *operator, right).map_err(|fault| fault.at(span))?);
    }
    left.number().map_err(|fault| fault.at(span))
}

/// A side of an operator; what lies there already is only looked at.
fn term<'a>(node: &'a Node, frame: Frame<'a>, context: &mut Context<'_>) -> Result<Term, Fault> {
    match node {
        Node::Constant(value) => Ok(Term::of(value)),
        Node::Arithmetic { first, rest, span } => arithmetic(first, rest, *span, frame, context).map(Term::Number),
        _ => walk(node, frame, context).map(|operand| Term::of(&operand)),
    }
}

fn call<'a>(call: &'a Call, frame: Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    let Some(trace) = &context.environment.trace else { return make(call, frame, context) };
    trace.begin();
    let evaluated = make(call, frame, context);
    trace.end(evaluated.as_deref());
    evaluated
}

fn make<'a>(call: &'a Call, frame: Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    context.spend(1)?;
    let mut operands: SmallVec<[Operand<'a>; 4]> = SmallVec::new();
    for argument in &call.arguments {
        let operand = walk(argument, frame, context)?;
        context.spend_reading(&operand)?;
        operands.push(operand);
    }
    let arguments = Arguments(&operands);
    if let Some(trace) = &context.environment.trace {
        trace.call(call.function.doc().name, &arguments);
    }
    let outcome = match &call.prepared {
        Some(prepared) => prepared.call(&arguments, context),
        None => call.function.call(&arguments, context),
    };
    match outcome {
        Ok(value) => {
            context.spend_copy(&value)?;
            Ok(value.into())
        }
        Err(fault) => Err(fault.in_function(call.function.doc().name, call.span)),
    }
}

/// The value itself, to be kept; where that means a copy of a long text, it is paid for.
fn owned(operand: Operand<'_>, context: &mut Context<'_>) -> Outcome {
    if let Operand::Borrowed(value) = &operand {
        context.spend_copy(value)?;
    }
    Ok(operand.into_value())
}

/// Of equal keys the first wins: an oddity of the original that is kept.
fn map<'a>(entries: &'a [(Node, Node)], frame: Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    context.spend(entries.len())?;
    let map = Map::new(MapKind::Hash, []);
    for (key, value) in entries {
        let key = walk(key, frame, context).and_then(|key| owned(key, context))?;
        let value = walk(value, frame, context).and_then(|value| owned(value, context))?;
        context.spend_key(&key)?;
        map.update(key, |before| Some(before.cloned().unwrap_or(value)));
    }
    Ok(Value::Map(map).into())
}
