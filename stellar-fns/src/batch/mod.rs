//! `stellar batch`: cases as JSON lines in, answers as JSON lines out, in order, one each.
//!
//! `lines` cuts the input, `case` reads a line, `answer` writes one, `test_functions` has the two functions that conformance cases expect of their runner. A line that can't be
//! read gets an error line; answers are written at the latest when more input must be waited for; only input or output that fails ends the run.

pub(crate) mod answer;
mod case;
mod lines;
mod test_functions;

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use crate::environment::Environment;
use crate::error::Error;
use crate::program::Compiler;
use crate::value::Value;
use crate::variables::{Layers, Strict, Variables};

use answer::Answer;
use case::{Case, Missing, Mode};
use lines::Lines;

/// Answers every line of `input`, in this environment but for the zone. With `test_functions`, THROW and RET_TRUE exist.
pub fn run(
    input: impl BufRead,
    mut output: impl Write,
    test_functions: bool,
    environment: &Environment,
) -> io::Result<()> {
    let mut compiler = Compiler::default();
    if test_functions {
        compiler.functions.register(Arc::new(test_functions::Throw));
        compiler.functions.register(Arc::new(test_functions::RetTrue));
    }
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next()? {
        let answer = match line.and_then(|line| Case::read(&line)) {
            Ok(case) => {
                let answer = answer(&compiler, &case, environment);
                answer.with_id(case.id)
            }
            Err(unreadable) => Answer::unreadable(&unreadable.message).with_id(unreadable.id),
        };
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        // Whoever waits for this answer before asking again must not wait for ever.
        if lines.are_all_read() {
            output.flush()?;
        }
    }
    output.flush()
}

fn answer(compiler: &Compiler, case: &Case, environment: &Environment) -> Answer {
    if case.mode == Mode::Parse {
        return compiler.parses(&case.expr).map_or_else(|errors| Answer::errors(&errors.0), |()| Answer::valid());
    }
    let program = match compiler.compile(&case.expr) {
        Ok(program) => program,
        Err(errors) => return Answer::errors(&errors.0),
    };
    let environment = Environment { zone: case.zone.clone(), ..environment.clone() };
    let layers = Layers::new([&case.vars]);
    let strict = Strict(layers.clone());
    let variables: &dyn Variables = if case.missing == Missing::Error { &strict } else { &layers };
    let value: Result<Value, Error> = match case.mode {
        Mode::Validate => {
            return program.validate(&environment).map_or_else(|error| Answer::errors(&[error]), |()| Answer::valid());
        }
        Mode::Predicate => program.holds(variables, &environment).map(Value::from),
        Mode::Run | Mode::Parse => program.evaluate(variables, &environment),
    };
    value.and_then(|value| Answer::value(&value)).unwrap_or_else(|error| Answer::errors(&[error]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(lines: &str) -> Vec<String> {
        let mut out = Vec::new();
        run(lines.as_bytes(), &mut out, true, &Environment::default()).unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_line_that_is_no_case_gets_an_error_line() {
        let lines = b"\xef\xbb\xbf{\"id\":1,\"expr\":\"1\"}\r\n\xff\xfe\n[]\n{\"id\":2}\n{\"id\":3,\"expr\":\"1\",\"mode\":\"x\"}\n\n{\"id\":4,\"expr\":\"1\",\"tz\":\"x\"}\n{\"id\":5,\"expr\":\"1\",\"locale\":\"de_DE\"}\n{\"id\":6,\"expr\":\"1\",\"expr\":\"2\"}\n{\"id\":7,\"expr\":\"x\",\"vars\":{\"x\":1},\"var_types\":{\"x\":\"y\"}}\n{\"id\":8,\"expr\":null,\"tz\":\"GMT+5\",\"locale\":\"en_US\",\"vars\":null}";
        let mut out = Vec::new();
        run(lines.as_slice(), &mut out, false, &Environment::default()).unwrap();
        let answers: Vec<serde_json::Value> = out
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        let kinds: Vec<_> = answers.iter().map(|answer| answer["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["value", "error", "error", "error", "error", "error", "error", "error", "error", "value"]);
        let ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_u64()).collect();
        assert_eq!(ids, [Some(1), None, None, Some(2), Some(3), Some(4), Some(5), Some(6), Some(7), Some(8)]);
    }

    #[test]
    fn what_is_no_int_is_not_taken_for_one() {
        let of = |value: &str, kind: &str| {
            answers(&format!(r#"{{"expr":"x","vars":{{"x":{value}}},"var_types":{{"x":"{kind}"}}}}"#)).remove(0)
        };
        assert!(of("5", "int").contains(r#""value":5,"type":"int""#) && of("-32768", "short").contains("-32768"));
        for (value, kind) in [("'5'", "int"), ("1.5", "int"), ("5000000000", "int"), ("32768", "short")] {
            let answer = of(&value.replace('\'', "\""), kind);
            assert!(answer.contains(&format!("variable x can't be a {kind}")), "{answer}");
        }
    }

    /// An input that comes in parts, each with the number of lines that are whole by then; checks that all of them are answered before it is waited for.
    struct Asking<'a> {
        parts: std::vec::IntoIter<(&'static str, usize)>,
        written: &'a std::cell::RefCell<Vec<u8>>,
        asked: usize,
    }

    impl io::Read for Asking<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let answered = self.written.borrow().iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(answered, self.asked, "an answer is kept back while more input is waited for");
            let Some((part, asked)) = self.parts.next() else { return Ok(0) };
            self.asked = asked;
            buffer[..part.len()].copy_from_slice(part.as_bytes());
            Ok(part.len())
        }
    }

    struct Written<'a>(&'a std::cell::RefCell<Vec<u8>>);

    impl Write for Written<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_waits_for_an_answer_before_asking_again_gets_it() {
        let written = std::cell::RefCell::default();
        let parts = vec![
            ("{\"expr\":\"1\"}\n{\"expr\":\"2\"}\n", 2),
            ("{\"expr\":\"3\"}\n\n \r\n", 3),
            ("{\"expr\":\"4\"}\n{\"ex", 4),
            ("pr\":\"5\"}\nno case\n", 6),
        ];
        let input = Asking { parts: parts.into_iter(), written: &written, asked: 0 };
        let output = io::BufWriter::new(Written(&written));
        let input = io::BufReader::new(input);
        run(input, output, false, &Environment::default()).unwrap();
        assert_eq!(written.borrow().iter().filter(|byte| **byte == b'\n').count(), 6);
    }

    #[test]
    fn every_line_gets_its_answer_in_order() {
        let lines = r#"{"id":"a","expr":"x + 1","vars":{"x":1}}
not json
{"id":7,"expr":"1 +"}
{"id":"n","expr":"0D/0D"}
{"id":"m","expr":"{1 : 'a'}"}
{"id":"f","expr":"THROW('no')"}
{"id":"s","expr":"x","missing":"error"}"#;
        let answers = answers(lines);
        assert_eq!(answers.len(), 7);
        assert_eq!(answers[0], r#"{"id":"a","kind":"value","value":2,"type":"int"}"#);
        assert!(answers[1].contains(r#""kind":"error""#), "{}", answers[1]);
        assert!(answers[2].starts_with(r#"{"id":7,"kind":"error""#), "{}", answers[2]);
        assert_eq!(answers[3], r#"{"id":"n","kind":"special","value":"NaN","type":"double"}"#);
        assert_eq!(answers[4], r#"{"id":"m","kind":"entries","value":[[1,"a"]],"type":"map"}"#);
        assert!(answers[5].contains("no"), "{}", answers[5]);
        assert!(answers[6].contains(r#""code":200"#), "{}", answers[6]);
    }
}
