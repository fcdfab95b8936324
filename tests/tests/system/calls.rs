//! Callers while instances come and go: no call fails as long as one healthy instance is left.
