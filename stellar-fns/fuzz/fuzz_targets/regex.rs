//! Any pattern on any text, short or long, is refused, matches, doesn't, or is given up.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stellar_fuzz::Calls;

static CALLS: LazyLock<Calls> = LazyLock::new(|| {
    Calls::new(&[
        "REGEXP_MATCH(text, pattern)",
        "REGEXP_GROUP_VAL(text, pattern, 1)",
        "REGEXP_REPLACE(text, pattern, text)",
        "REGEXP_REPLACE(text, pattern, '<$0>')",
    ])
});

fuzz_target!(|input: &str| CALLS.run_with_long_text(input));
