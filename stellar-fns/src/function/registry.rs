//! Functions by name.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::Function;

/// The functions that expressions may call, by name.
#[derive(Clone, Default)]
pub struct Functions(HashMap<&'static str, Arc<dyn Function>>);

impl Functions {
    /// None at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// All functions of this crate.
    pub fn standard() -> Self {
        let mut functions = Self::none();
        for function in crate::functions::all() {
            functions.register(function);
        }
        functions
    }

    /// Adds a function; one of the same name is replaced.
    pub fn register(&mut self, function: Arc<dyn Function>) {
        self.0.insert(function.doc().name, function);
    }

    /// The function of exactly this name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Function>> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Function>> {
        let mut all: Vec<_> = self.0.values().collect();
        all.sort_by_key(|function| function.doc().name);
        all.into_iter()
    }

    /// The name that was probably meant by this one.
    pub fn similar(&self, name: &str) -> Option<&'static str> {
        let upper = name.to_uppercase();
        let most = 1 + name.len() / 5;
        // Names whose lengths differ more are farther apart.
        let near = self.0.keys().filter(|known| known.len().abs_diff(upper.len()) <= most);
        let scored = near.map(|known| (strsim::damerau_levenshtein(known, &upper), *known));
        scored.filter(|(distance, _)| *distance <= most).min().map(|(_, known)| known)
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Functions({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_gets_a_suggestion() {
        let functions = Functions::standard();
        assert_eq!(functions.similar("TO_UPER"), Some("TO_UPPER"));
        assert_eq!(functions.similar("to_upper"), Some("TO_UPPER"));
        assert_eq!(functions.similar("WHATEVER_THIS_IS"), None);
    }
}
