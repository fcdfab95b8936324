//! Walks a checked tree. Values are borrowed from variables and constants wherever they are only looked at.
//!
//! Pure: given the variables and the environment, everything here is computed on the caller's stack, which the limits on nesting keep small.

mod condition;
mod infix;
mod operators;

use std::ops::Deref;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::asking::Asker;
use crate::check::{Call, Capture, Checked, Lambda, Node};
use crate::environment::Environment;
use crate::error::{Code, Error, Fault, Span};
use crate::function::{Arguments, Context, Outcome};
use crate::value::{Closure, List, Map, MapKind, Text, Value};
use crate::variables::Variables;

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
    variables: &'a dyn Variables,
    /// Those that lie ready by slot, which are read without a call.
    bound: &'a [Value],
    locals: &'a [Value],
}

impl<'a> Frame<'a> {
    fn new(variables: &'a dyn Variables, locals: &'a [Value]) -> Self {
        Self { variables, bound: variables.bound(), locals }
    }

    #[inline]
    fn variable(&self, slot: usize, name: &Text) -> Option<&'a Value> {
        match self.bound.get(slot) {
            None => self.variables.get(slot, name),
            found => found,
        }
    }
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
    let frame = Frame::new(variables, &[]);
    let mut context = Context::new(environment, variables, asker);
    walk(node, &frame, &mut context).map(Operand::into_value)
}

/// The value of a part of a program that asks nobody, and how many steps it took.
pub(crate) fn evaluate_counted(node: &Node, variables: &dyn Variables, environment: &Environment) -> (Outcome, u64) {
    let frame = Frame::new(variables, &[]);
    let mut context = Context::new(environment, variables, None);
    let outcome = walk(node, &frame, &mut context).map(Operand::into_value);
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
    let frame = Frame::new(context.variables, &locals);
    let outcome = walk(&lambda.body, &frame, context).and_then(|operand| owned(operand, context));
    context.depth = outer;
    outcome
}

/// The value of a node. What lies there already is found without a call.
#[inline]
pub(super) fn walk<'a>(node: &'a Node, frame: &Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    match at_hand(node, frame) {
        Some(value) => Ok(Operand::Borrowed(value)),
        None => make(node, frame, context),
    }
}

/// The value of a node that is only looked at: one that has to be made is put into `made`.
#[inline]
pub(super) fn see<'s, 'a: 's>(
    node: &'a Node,
    frame: &Frame<'a>,
    context: &mut Context<'_>,
    made: &'s mut Option<Value>,
) -> Result<&'s Value, Fault> {
    match at_hand(node, frame) {
        Some(value) => Ok(value),
        None => keep(node, frame, context, made),
    }
}

/// The value of a constant, a variable or a local; none for other nodes, and for a variable that isn't there.
#[inline(always)]
#[expect(clippy::inline_always, reason = "most nodes are of these kinds, and a call takes longer than what it does")]
fn at_hand<'a>(node: &'a Node, frame: &Frame<'a>) -> Option<&'a Value> {
    match node {
        Node::Constant(value) => Some(value),
        Node::Variable { slot, name, .. } => frame.variable(*slot, name),
        Node::Local(index) => frame.locals.get(*index),
        _ => None,
    }
}

/// [`see`] for what is not at hand.
#[inline(never)]
fn keep<'s, 'a: 's>(
    node: &'a Node,
    frame: &Frame<'a>,
    context: &mut Context<'_>,
    made: &'s mut Option<Value>,
) -> Result<&'s Value, Fault> {
    match make(node, frame, context)? {
        Operand::Borrowed(value) => Ok(value),
        Operand::Owned(value) => Ok(made.insert(value)),
    }
}

/// The value of a node that is not at hand. Each kind has a function of its own, so that none needs the stack of all.
#[inline(never)]
fn make<'a>(node: &'a Node, frame: &Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    match node {
        Node::Constant(value) => Ok(Operand::Borrowed(value)),
        Node::Variable { name, lenient, span, .. } => missing(name, *lenient, *span, frame),
        Node::Local(_) => Ok(Operand::Borrowed(&Value::Null)),
        Node::Call(call) => self::call(call, frame, context),
        Node::Comparison { first, rest, span } => infix::comparison(first, rest, *span, frame, context),
        Node::Logic { first, rest } => condition::logic(first, rest, frame, context),
        Node::Conditional { arms, otherwise } => condition::choose(arms, otherwise, frame, context),
        Node::Arithmetic { first, rest, span } => infix::computed(first, rest, *span, frame, context),
        Node::In { key, container, negated, span } => {
            let found = infix::contained(key, container, *span, frame, context)?;
            Ok(Value::Bool(found != *negated).into())
        }
        Node::InItems { key, items, negated, span } => {
            let found = infix::among(key, items, *span, frame, context)?;
            Ok(Value::Bool(found != *negated).into())
        }
        Node::Not(inner) => condition::not(inner, frame, context),
        Node::Exists(variable) => condition::exists(variable, frame, context),
        Node::Match { arms, otherwise, span } => {
            called(condition::choose(arms, otherwise, frame, context)?, *span, context)
        }
        Node::All => all(frame, context),
        Node::List(items) => list(items, frame, context),
        Node::Map(entries) => map(entries, frame, context),
        Node::Lambda { lambda, captures } => self::lambda(lambda, captures, frame, context),
        Node::Unknown(error) => Err(unknown(error)),
    }
}

/// A variable that isn't there: null, or an error where the resolver is strict.
#[cold]
fn missing<'a>(name: &str, lenient: bool, span: Span, frame: &Frame<'a>) -> Evaluated<'a> {
    if lenient || !frame.variables.strict() {
        return Ok(Operand::Borrowed(&Value::Null));
    }
    Err(Fault::new(Code::NoVariable, format!("no variable {name}")).at(span))
}

#[inline(never)]
fn call<'a>(call: &'a Call, frame: &Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    let Some(trace) = &context.environment.trace else { return answer(call, frame, context) };
    trace.begin();
    let evaluated = answer(call, frame, context);
    trace.end(evaluated.as_deref());
    evaluated
}

fn answer<'a>(call: &'a Call, frame: &Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    context.spend(1)?;
    // Most calls have one argument.
    if let [argument] = &*call.arguments {
        let operand = walk(argument, frame, context)?;
        context.spend_reading(&operand)?;
        return answer_to(&[operand], call, context);
    }
    let mut operands: SmallVec<[Operand<'a>; 4]> = SmallVec::new();
    for argument in &call.arguments {
        let operand = walk(argument, frame, context)?;
        context.spend_reading(&operand)?;
        operands.push(operand);
    }
    answer_to(&operands, call, context)
}

#[inline]
fn answer_to<'a>(operands: &[Operand<'_>], call: &'a Call, context: &mut Context<'_>) -> Evaluated<'a> {
    let arguments = Arguments(operands);
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

/// What a lambda gives that is called without arguments; anything else as it is.
#[inline(never)]
fn called<'a>(operand: Operand<'a>, span: Span, context: &mut Context<'_>) -> Evaluated<'a> {
    match operand.into_value() {
        Value::Lambda(closure) => Ok(apply(&closure, &[], context).map_err(|fault| fault.at(span))?.into()),
        value => Ok(value.into()),
    }
}

#[cold]
fn unknown(error: &Error) -> Fault {
    Fault::new(error.code, &error.message).with_hint(error.hint.clone()).at(error.span)
}

/// `_`
#[inline(never)]
fn all<'a>(frame: &Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    let all = frame.variables.all();
    context.spend(all.len())?;
    context.spend_copies(all.read().values())?;
    Ok(Value::Map(all).into())
}

#[inline(never)]
fn list<'a>(items: &'a [Node], frame: &Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
    context.spend(items.len())?;
    let items: Result<Vec<Value>, Fault> =
        items.iter().map(|item| walk(item, frame, context).and_then(|item| owned(item, context))).collect();
    Ok(Value::List(List::new(items?)).into())
}

/// Of equal keys the first wins: an oddity of the original that is kept.
#[inline(never)]
fn map<'a>(entries: &'a [(Node, Node)], frame: &Frame<'a>, context: &mut Context<'_>) -> Evaluated<'a> {
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

#[inline(never)]
fn lambda<'a>(
    lambda: &'a Arc<Lambda>,
    captures: &[Capture],
    frame: &Frame<'a>,
    context: &mut Context<'_>,
) -> Evaluated<'a> {
    let captured: Vec<Value> =
        captures.iter().map(|capture| frame.locals.get(capture.0).cloned().unwrap_or_default()).collect();
    context.spend_copies(&captured)?;
    Ok(Value::Lambda(Arc::new(Closure { body: lambda.clone(), captured })).into())
}
