//! Pieces of JSON that several files share.

use serde::Deserialize;

/// A text, or a list of texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

impl OneOrMore {
    /// As a list.
    pub(super) fn into_list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

/// The last part of a class's name.
pub(super) fn class(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
