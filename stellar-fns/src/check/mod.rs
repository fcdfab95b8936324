//! Tree to program: names become slots, functions are bound, pure parts with literals are computed, literal patterns and networks are prepared.
//!
//! What comes out (`node`) is walked by `eval`. Nothing here is an error unless it can never succeed and the original would say so before evaluating; an
//! unknown function, say, is an error only when it is reached, so it is noted and bound to its error.

mod fold;
mod names;
mod node;

use std::collections::HashMap;

use indexmap::IndexSet;

use crate::ast::{Comparator, Expr, ExprKind};
use crate::error::{Code, Error, Errors, Span};
use crate::function::{Functions, Purity};
use crate::value::{Text, Value};

pub(crate) use names::Capture;
pub(crate) use node::{Arm, Call, Lambda, Node};

use names::Names;

/// Bytes of a lambda's body that a step evaluates.
const BODY: usize = 64;

/// A program's parts.
pub(crate) struct Checked {
    pub root: Node,
    pub variables: Vec<Text>,
    pub functions: Vec<Text>,
    pub unknown: Vec<Error>,
    pub purity: Purity,
}

/// Binds a tree.
pub(crate) fn check(tree: &Expr, functions: &Functions, folding: bool) -> Result<Checked, Errors> {
    let mut checker = Checker {
        library: functions,
        folding,
        names: Names::default(),
        called: IndexSet::new(),
        similar: HashMap::new(),
        unknown: Vec::new(),
        steps: fold::STEPS,
        purity: Purity::Pure,
    };
    let root = checker.node(tree);
    Ok(Checked {
        root,
        variables: checker.names.into_variables(),
        functions: checker.called.into_iter().collect(),
        unknown: checker.unknown,
        purity: checker.purity,
    })
}

struct Checker<'a> {
    library: &'a Functions,
    folding: bool,
    names: Names,
    called: IndexSet<Text>,
    /// The hints for the unknown names so far.
    similar: HashMap<Text, Option<&'static str>>,
    unknown: Vec<Error>,
    purity: Purity,
    /// Steps that are left for computing constants.
    steps: u64,
}

impl Checker<'_> {
    fn nodes<'e>(&mut self, trees: impl IntoIterator<Item = &'e Expr>) -> Box<[Node]> {
        trees.into_iter().map(|tree| self.node(tree)).collect()
    }

    fn pairs(&mut self, pairs: &[(Expr, Expr)]) -> Box<[(Node, Node)]> {
        pairs.iter().map(|(left, right)| (self.node(left), self.node(right))).collect()
    }

    fn boxed(&mut self, tree: &Expr) -> Box<Node> {
        Box::new(self.node(tree))
    }

    fn node(&mut self, tree: &Expr) -> Node {
        let span = tree.span;
        let node = match &tree.kind {
            ExprKind::Literal(value) => Node::Constant(value.clone()),
            ExprKind::Name(name) => self.names.resolve(name, span),
            ExprKind::List(items) => Node::List(self.nodes(items)),
            ExprKind::Map(entries) => Node::Map(self.pairs(entries)),
            ExprKind::Call { name, arguments } => return self.call(name, arguments, span),
            ExprKind::Lambda { parameters, body } => self.lambda(parameters, body),
            ExprKind::Arithmetic { first, rest } => {
                let first = self.boxed(first);
                let rest = rest.iter().map(|(operator, operand)| (*operator, self.node(operand))).collect();
                Node::Arithmetic { first, rest, span }
            }
            ExprKind::Comparison { first, rest } => {
                let first = self.boxed(first);
                let rest: Box<[(Comparator, Node)]> =
                    rest.iter().map(|(comparator, operand)| (*comparator, self.node(operand))).collect();
                Node::Comparison { first, rest, span }
            }
            ExprKind::In { key, container, negated } => self.membership(key, container, *negated, span),
            ExprKind::Logic { first, rest } => {
                let first = self.boxed(first);
                let rest = rest.iter().map(|(connective, operand)| (*connective, self.node(operand))).collect();
                Node::Logic { first, rest }
            }
            ExprKind::Not(inner) => Node::Not(self.boxed(inner)),
            ExprKind::Conditional { arms, otherwise } => {
                let arms = self.conditions(arms);
                Node::Conditional { arms, otherwise: self.boxed(otherwise) }
            }
            ExprKind::Match { clauses, default } => {
                let arms = self.conditions(clauses);
                Node::Match { arms, otherwise: self.boxed(default), span }
            }
            ExprKind::Exists(name) => Node::Exists(Box::new(self.names.resolve(name, span))),
        };
        if self.folding { fold::fold(node, &mut self.steps) } else { node }
    }

    fn conditions(&mut self, arms: &[(Expr, Expr)]) -> Box<[node::Arm]> {
        let arms = arms.iter().map(|(condition, branch)| node::Arm {
            condition: self.node(condition),
            branch: self.node(branch),
            span: condition.span,
        });
        arms.collect()
    }

    /// `x in [a, b]` compares with the items one by one and makes no list.
    fn membership(&mut self, key: &Expr, container: &Expr, negated: bool, span: Span) -> Node {
        let key = self.boxed(key);
        match &container.kind {
            ExprKind::List(items) => Node::InItems { key, items: self.nodes(items), negated, span },
            _ => Node::In { key, container: self.boxed(container), negated, span },
        }
    }

    fn lambda(&mut self, parameters: &[Text], body: &Expr) -> Node {
        let depth = body.depth();
        let cost = 1 + (body.span.to - body.span.from) / BODY;
        self.names.enter(parameters);
        let body = self.node(body);
        let captures = self.names.leave();
        Node::Lambda {
            lambda: std::sync::Arc::new(Lambda { parameters: parameters.len(), depth, cost, body }),
            captures,
        }
    }

    fn call(&mut self, name: &Text, arguments: &[Expr], span: Span) -> Node {
        let arguments = self.nodes(arguments);
        if !self.called.contains(name) {
            self.called.insert(name.clone());
        }
        let Some(function) = self.library.get(name) else {
            let library = self.library;
            let similar = *self.similar.entry(name.clone()).or_insert_with(|| library.similar(name));
            let hint = similar.map(|similar| format!("did you mean {similar}?"));
            let error = Error::new(
                Code::NoFunction,
                format!("no function {name}"),
                Span::new(span.from, span.from + name.len()),
            )
            .hint(hint);
            self.unknown.push(error.clone());
            return Node::Unknown(Box::new(error));
        };
        let purity = function.doc().purity;
        if purity as u8 > self.purity as u8 {
            self.purity = purity;
        }
        // A list of literals is made anew at each evaluation; this one is only looked at.
        let lists: Vec<Option<Value>> = arguments.iter().map(Node::literal_list).collect();
        let literals = arguments.iter().zip(&lists).map(|(argument, list)| argument.constant().or(list.as_ref()));
        let literals: Vec<Option<&Value>> = literals.collect();
        let prepared = function.prepare(&literals);
        let call = Call { function: function.clone(), prepared, arguments, span };
        if self.folding { fold::fold_call(call, &mut self.steps) } else { Node::Call(call) }
    }
}
