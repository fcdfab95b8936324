//! `--trace`: each call with its arguments and its result, a line when it ends, indented by how deep it lies in others.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;

use super::literal::literal;
use crate::error::Fault;
use crate::function::Arguments;
use crate::trace::Trace;
use crate::value::Value;

/// A trace on stderr.
pub(super) fn to_stderr() -> Arc<dyn Trace> {
    Arc::new(Lines { open: Mutex::default(), out: Mutex::new(std::io::stderr()) })
}

struct Lines<W> {
    /// The calls that have begun, as far as they are known.
    open: Mutex<Vec<Option<String>>>,
    out: Mutex<W>,
}

impl<W> fmt::Debug for Lines<W> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Lines({} open)", self.open.lock().len())
    }
}

impl<W: Write + Send> Trace for Lines<W> {
    fn begin(&self) {
        self.open.lock().push(None);
    }

    fn call(&self, function: &'static str, arguments: &Arguments<'_>) {
        let shown: Vec<String> = arguments.iter().map(literal).collect();
        if let Some(innermost) = self.open.lock().last_mut() {
            *innermost = Some(format!("{function}({})", shown.join(", ")));
        }
    }

    fn end(&self, outcome: Result<&Value, &Fault>) {
        let (call, depth) = {
            let mut open = self.open.lock();
            (open.pop().flatten(), open.len())
        };
        let Some(call) = call else { return };
        let indent = "  ".repeat(depth);
        // Nothing can be said about a stderr that can't be written to.
        let _ = match outcome {
            Ok(value) => writeln!(self.out.lock(), "{indent}{call} = {}", literal(value)),
            Err(fault) => writeln!(self.out.lock(), "{indent}{call} failed: {fault}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::program::Compiler;
    use crate::variables::Layers;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn traced(source: &str) -> String {
        let kept = Kept::default();
        let trace = Arc::new(Lines { open: Mutex::default(), out: Mutex::new(kept.clone()) });
        let environment = Environment { trace: Some(trace), ..Environment::default() };
        let program = Compiler { folding: false, ..Compiler::default() }.compile(source).unwrap();
        let _ = program.evaluate(&Layers::default(), &environment);
        let bytes = kept.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn calls_are_shown_in_order_and_nested() {
        assert_eq!(traced("LENGTH(TO_UPPER('a')) + ABS(1)"), "  TO_UPPER('a') = 'A'\nLENGTH('A') = 1\nABS(1) = 1.0\n");
        assert_eq!(
            traced("MAP([1, 2], x -> TO_STRING(x))"),
            "  TO_STRING(1) = '1'\n  TO_STRING(2) = '2'\nMAP([1, 2], <lambda>) = ['1', '2']\n"
        );
    }

    #[test]
    fn a_call_that_fails_says_why_and_one_that_was_not_made_is_not_shown() {
        assert_eq!(traced("TO_UPPER(SPLIT('a', ''))"), "  SPLIT('a', '') failed: SPLIT: the delimiter is empty\n");
    }
}
