//! Names to places: a parameter of this lambda, one captured from around it, or a variable of the expression.

use indexmap::IndexSet;

use crate::error::Span;
use crate::value::Text;

use super::node::Node;

/// Where a captured value lies in the frame around the lambda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capture(pub usize);

/// The scopes around the place being checked, and the variables seen so far.
#[derive(Default)]
pub(super) struct Names {
    variables: IndexSet<Text>,
    scopes: Vec<Scope>,
}

/// A lambda. Its frame holds its arguments, then what it captured.
struct Scope {
    parameters: Vec<Text>,
    captured: Vec<(Text, Capture)>,
}

impl Names {
    pub(super) fn into_variables(self) -> Vec<Text> {
        self.variables.into_iter().collect()
    }

    pub(super) fn enter(&mut self, parameters: &[Text]) {
        self.scopes.push(Scope { parameters: parameters.to_vec(), captured: Vec::new() });
    }

    /// Ends the innermost lambda and says what it captures.
    pub(super) fn leave(&mut self) -> Box<[Capture]> {
        self.scopes
            .pop()
            .map(|scope| scope.captured.into_iter().map(|(_, capture)| capture).collect())
            .unwrap_or_default()
    }

    pub(super) fn resolve(&mut self, name: &Text, span: Span) -> Node {
        let slot = self.slot(name);
        if let Some(index) = self.scopes.len().checked_sub(1).and_then(|innermost| self.local(name, innermost)) {
            return Node::Local(index);
        }
        if name == "_" {
            return Node::All;
        }
        Node::Variable { slot, name: name.clone(), lenient: !self.scopes.is_empty(), span }
    }

    /// Every name used is listed, also parameters: the original cuts messages by that list.
    fn slot(&mut self, name: &Text) -> usize {
        match self.variables.get_index_of(name) {
            Some(slot) => slot,
            None => self.variables.insert_full(name.clone()).0,
        }
    }

    /// The place of a name in the frame of a scope; captures it from the scopes around if it is there.
    fn local(&mut self, name: &Text, depth: usize) -> Option<usize> {
        let scope = &self.scopes[depth];
        if let Some(index) = scope.parameters.iter().rposition(|parameter| parameter == name) {
            return Some(index);
        }
        if let Some(index) = scope.captured.iter().position(|(captured, _)| captured == name) {
            return Some(scope.parameters.len() + index);
        }
        let outer = self.local(name, depth.checked_sub(1)?)?;
        let scope = &mut self.scopes[depth];
        scope.captured.push((name.clone(), Capture(outer)));
        Some(scope.parameters.len() + scope.captured.len() - 1)
    }
}
