//! Any format with any values is refused or written.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stellar_fuzz::Calls;

static CALLS: LazyLock<Calls> = LazyLock::new(|| {
    Calls::new(&[
        "FORMAT(pattern, text, 7, -1L, 2.5, 1.5f, null, true, [text], 1452013350000L)",
        "FORMAT(pattern, TO_DOUBLE(text), TO_LONG(text), TO_FLOAT(text), TO_INTEGER(text))",
        "FORMAT(pattern, 1452013350000L)",
    ])
});

fuzz_target!(|input: &str| CALLS.run(input));
