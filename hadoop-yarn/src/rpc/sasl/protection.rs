//! What protects a connection once both sides know each other.

use std::fmt;

/// What protects a connection that is authenticated by token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// Only its beginning is authenticated (`authentication`; SASL's `auth`).
    Authentication,
    /// What follows can't be changed unnoticed (`integrity`; `auth-int`).
    Integrity,
    /// What follows can't be read, either (`privacy`; `auth-conf`).
    Privacy,
}

impl Protection {
    /// SASL's own word.
    pub(crate) fn qop(self) -> &'static str {
        match self {
            Self::Authentication => "auth",
            Self::Integrity => "auth-int",
            Self::Privacy => "auth-conf",
        }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authentication => "authentication",
            Self::Integrity => "integrity",
            Self::Privacy => "privacy",
        })
    }
}
