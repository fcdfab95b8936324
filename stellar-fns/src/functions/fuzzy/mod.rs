//! Fuzzy matching: how well a query fits a term.

mod fuzzy_langs;
mod fuzzy_score;
mod languages;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] =
    &[|| Arc::new(fuzzy_langs::FuzzyLangs), || Arc::new(fuzzy_score::FuzzyScore)];
