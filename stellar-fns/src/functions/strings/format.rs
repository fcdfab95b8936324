//! `FORMAT`: values put into a text, as Java's `String.format` does.

use super::format_text::format;
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, fails, gives, needs, takes};
use crate::value::Value;

/// See [`DOC`].
pub(crate) struct Format;

static DOC: Doc = Doc {
    name: "FORMAT",
    summary: "Values put into a text, as Java's `String.format` does.",
    parameters: &[
        needs("format", "text with specifiers such as %s, %05d, %.2f; other values count by their text form"),
        takes("values…", "what the specifiers stand for"),
    ],
    returns: "a text",
    examples: &[
        gives("FORMAT('%s is %d', 'x', 3)", "'x is 3'"),
        gives("FORMAT('%06d|%-4s|%4s|', 234, 'a', 'b')", "'000234|a   |   b|'"),
        gives("FORMAT('%.2f %e %x %,d', 1.255, 12345.678, 255, 1234567)", "'1.26 1.234568e+04 ff 1,234,567'"),
        gives("FORMAT('%2$s %1$s', 'a', 'b')", "'b a'"),
        gives("FORMAT('100%%')", "'100%'"),
        gives("FORMAT('%tF %<tT', 1472131630748L)", "'2016-08-25 13:27:10'"),
        gives("FORMAT('%h %a', 'hi', 1.5)", "'d01 0x1.8p0'"),
        fails("FORMAT('%d', 1.5)"),
        fails("FORMAT('%s')"),
    ],
    purity: Purity::Ambient,
};

impl Function for Format {
    fn doc(&self) -> &'static Doc {
        &DOC
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let template = arguments.nullable_text_form(0, context)?.ok_or_else(|| arguments.wrong(0, "a text"))?;
        let values: Vec<&Value> = arguments.iter().skip(1).collect();
        format(&template, &values, context).map(Value::from)
    }
}
