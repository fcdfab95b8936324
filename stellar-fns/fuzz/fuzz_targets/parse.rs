//! Any text is refused or compiled; what compiles is written so that it reads the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stellar_fns::Compiler;

fuzz_target!(|source: &str| {
    let compiler = Compiler::default();
    if let Ok(written) = compiler.format(source) {
        let again = compiler.format(&written).expect("what was written can be read");
        assert_eq!(again, written);
    }
});
