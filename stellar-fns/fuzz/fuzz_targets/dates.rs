//! Any date pattern with any text is refused, read or written.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stellar_fuzz::Calls;

static CALLS: LazyLock<Calls> = LazyLock::new(|| {
    Calls::new(&[
        "TO_EPOCH_TIMESTAMP(text, pattern)",
        "TO_EPOCH_TIMESTAMP(text, pattern, text)",
        "IS_DATE(text, pattern)",
        "DATE_FORMAT(pattern, 1452013350000L, text)",
        "DATE_FORMAT(pattern, TO_LONG(text), 'UTC')",
        "YEAR(text)",
    ])
});

fuzz_target!(|input: &str| CALLS.run(input));
