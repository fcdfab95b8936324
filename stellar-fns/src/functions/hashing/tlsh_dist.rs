//! `TLSH_DIST`: how far two TLSH hashes are apart.

use super::tlsh;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};

/// See [`DOC`].
pub(crate) struct TlshDist;

static DOC: Doc = Doc {
    name: "TLSH_DIST",
    summary: "How far two TLSH hashes are apart.",
    parameters: &[
        needs("first", "a hash"),
        needs("second", "a hash of the same form"),
        takes("length", "whether the length of what was hashed counts too; false without it"),
    ],
    returns: "an int; -1 if either is null",
    examples: &[
        gives(
            "TLSH_DIST(HASH('The quick brown fox jumps over the lazy dog; then it sleeps for 17 hours', 'tlsh'), HASH('The quick brown fox jumped over a lazy dog; then it slept for 12 hours', 'tlsh'))",
            "101",
        ),
        gives("TLSH_DIST(null, null)", "-1"),
        fails("TLSH_DIST(1, 'x')"),
    ],
    purity: Purity::Pure,
};

impl Function for TlshDist {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        arguments.expect(2, 3)?;
        tlsh::distance(arguments)
    }
}
