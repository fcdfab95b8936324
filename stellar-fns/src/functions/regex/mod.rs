//! Regular expressions as in `java.util.regex`: parsed and translated by us (`java`), run by fancy-regex with a bound on backtracking.

mod cache;
mod class;
mod java;
mod literal;
mod pattern;
mod regexp_group_val;
mod regexp_match;
mod regexp_replace;
mod replacement;

use std::sync::Arc;

use crate::function::Function;

pub(crate) use java::translate;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(regexp_group_val::RegexpGroupVal),
    || Arc::new(regexp_match::RegexpMatch),
    || Arc::new(regexp_replace::RegexpReplace),
];
