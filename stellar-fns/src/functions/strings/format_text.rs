//! Java's `Formatter`: the grammar of a specifier and what each conversion accepts. Digits are `format_number`'s affair.
//!
//! Absent: `%a`, `%h` and dates (`%t…`), for which there is DATE_FORMAT.

use crate::error::Fault;
use crate::function::Context;
use crate::value::{Value, utf16_len};

use super::format_number::{fixed, general, grouped, scientific};

/// Widths and precisions beyond this are refused; the budget for texts bounds the rest.
const WIDEST: usize = 1 << 20;

/// A specifier: `%[index$][flags][width][.precision]conversion`.
struct Specifier {
    index: Index,
    flags: Vec<char>,
    width: Option<usize>,
    precision: Option<usize>,
    conversion: char,
}

enum Index {
    Next,
    Same,
    Explicit(usize),
}

/// The template with its specifiers replaced.
pub(super) fn format(template: &str, values: &[&Value], context: &mut Context<'_>) -> Result<String, Fault> {
    let mut out = String::new();
    let mut rest = template;
    let (mut next, mut last) = (0, None);
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (specifier, length) = Specifier::parse(&rest[at + 1..])?;
        rest = &rest[at + 1 + length..];
        let value = match specifier.conversion {
            '%' | 'n' => None,
            _ => {
                let index = match specifier.index {
                    Index::Next => {
                        next += 1;
                        next - 1
                    }
                    Index::Same => last.ok_or_else(|| Fault::argument("%< has no specifier before it"))?,
                    Index::Explicit(index) => index,
                };
                last = Some(index);
                let missing =
                    || Fault::argument(format!("no value for %{}: there are {}", specifier.conversion, values.len()));
                Some(*values.get(index).ok_or_else(missing)?)
            }
        };
        let text = specifier.apply(value, context)?;
        context.check_text(out.len() + text.len())?;
        context.spend_text(text.len())?;
        out.push_str(&text);
    }
    out.push_str(rest);
    Ok(out)
}

impl Specifier {
    /// The specifier at the start of `text`, behind its `%`, and its length.
    fn parse(text: &str) -> Result<(Self, usize), Fault> {
        let bytes = text.as_bytes();
        let mut at = 0;
        let number = |at: &mut usize| {
            let from = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            text[from..*at].parse::<usize>().ok().filter(|number| *number <= WIDEST)
        };
        let mut index = Index::Next;
        let mut probe = 0;
        if let Some(given) = number(&mut probe).filter(|_| bytes.get(probe) == Some(&b'$')) {
            index = Index::Explicit(given.checked_sub(1).ok_or_else(|| Fault::argument("values are numbered from 1"))?);
            at = probe + 1;
        }
        let mut flags = Vec::new();
        while let Some(flag) = bytes.get(at).map(|byte| char::from(*byte)).filter(|flag| "-#+ 0,(<".contains(*flag)) {
            if flags.contains(&flag) {
                return Err(Fault::argument(format!("flag {flag} twice")));
            }
            flags.push(flag);
            at += 1;
        }
        if let Some(same) = flags.iter().position(|flag| *flag == '<') {
            flags.remove(same);
            index = Index::Same;
        }
        let too_wide = || Fault::argument(format!("width or precision above {WIDEST}"));
        let mut width = None;
        if bytes.get(at).is_some_and(u8::is_ascii_digit) {
            width = Some(number(&mut at).ok_or_else(too_wide)?);
        }
        let mut precision = None;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            precision = Some(number(&mut at).ok_or_else(|| Fault::argument("a precision is needed behind the point"))?);
        }
        let conversion =
            text[at..].chars().next().ok_or_else(|| Fault::argument("the format ends within a specifier"))?;
        Ok((Self { index, flags, width, precision, conversion }, at + conversion.len_utf8()))
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(&flag)
    }

    fn apply(&self, value: Option<&Value>, context: &mut Context<'_>) -> Result<String, Fault> {
        if (self.has('-') || self.has('0')) && self.width.is_none() {
            return Err(Fault::argument(format!("%{}: flag - or 0 needs a width", self.conversion)));
        }
        if (self.has('-') && self.has('0')) || (self.has('+') && self.has(' ')) {
            return Err(Fault::argument(format!("%{}: these flags exclude each other", self.conversion)));
        }
        let value = value.unwrap_or(&Value::Null);
        let text = match self.conversion.to_ascii_lowercase() {
            '%' => "%".to_owned(),
            'n' if self.conversion == 'n' => return Ok("\n".to_owned()),
            's' => {
                self.allow("-")?;
                self.cut(context.text_of(value)?.into())
            }
            'b' => {
                self.allow("-")?;
                self.cut(match value {
                    Value::Null => "false".to_owned(),
                    Value::Bool(bool) => bool.to_string(),
                    _ => "true".to_owned(),
                })
            }
            'c' => {
                self.allow("-")?;
                self.character(value)?
            }
            'd' | 'o' | 'x' if self.precision.is_some() => {
                return Err(Fault::argument(format!("%{} takes no precision", self.conversion)));
            }
            'd' if self.conversion == 'd' => {
                self.allow("-+ 0,(")?;
                self.whole(value)?
            }
            'o' | 'x' if self.conversion != 'O' => {
                self.allow("-#0")?;
                self.bits(value)?
            }
            'e' | 'g' => {
                self.allow("-#+ 0,(")?;
                self.decimal(value)?
            }
            'f' if self.conversion == 'f' => {
                self.allow("-#+ 0,(")?;
                self.decimal(value)?
            }
            _ => return Err(Fault::argument(format!("there is no conversion %{}", self.conversion))),
        };
        let text = if self.conversion.is_ascii_uppercase() { text.to_uppercase() } else { text };
        let missing = self.width.unwrap_or(0).saturating_sub(utf16_len(&text));
        context.spend_text(missing)?;
        Ok(if self.has('-') { text + &" ".repeat(missing) } else { " ".repeat(missing) + &text })
    }

    fn allow(&self, flags: &str) -> Result<(), Fault> {
        match self.flags.iter().find(|flag| !flags.contains(**flag)) {
            None => Ok(()),
            Some(flag) => Err(Fault::argument(format!("%{} takes no flag {flag:?}", self.conversion))),
        }
    }

    fn cut(&self, text: String) -> String {
        match self.precision {
            Some(precision) if precision < utf16_len(&text) => crate::function::slice_utf16(&text, 0, precision).into(),
            _ => text,
        }
    }

    fn wrong(&self, value: &Value) -> Fault {
        Fault::wrong_type(format!("%{} doesn't print a {}", self.conversion, value.type_name()))
    }

    fn character(&self, value: &Value) -> Result<String, Fault> {
        match value {
            Value::Null | Value::Char(_) => Ok(value.to_string()),
            Value::Int(code) => {
                u32::try_from(*code).ok().and_then(char::from_u32).map(String::from).ok_or_else(|| self.wrong(value))
            }
            _ => Err(self.wrong(value)),
        }
    }

    fn whole(&self, value: &Value) -> Result<String, Fault> {
        let long = match value {
            Value::Null => return Ok("null".to_owned()),
            Value::Int(int) => i64::from(*int),
            Value::Long(long) => *long,
            _ => return Err(self.wrong(value)),
        };
        let digits = long.unsigned_abs().to_string();
        Ok(self.signed(long < 0, if self.has(',') { grouped(&digits) } else { digits }))
    }

    /// Octal and hexadecimal show the bits of the number's own width.
    fn bits(&self, value: &Value) -> Result<String, Fault> {
        let octal = self.conversion == 'o';
        let digits = match value {
            Value::Null => return Ok("null".to_owned()),
            Value::Int(int) if octal => format!("{int:o}"),
            Value::Int(int) => format!("{int:x}"),
            Value::Long(long) if octal => format!("{long:o}"),
            Value::Long(long) => format!("{long:x}"),
            _ => return Err(self.wrong(value)),
        };
        let prefix = match (self.has('#'), octal) {
            (false, _) => "",
            (true, true) => "0",
            (true, false) => "0x",
        };
        let zeros = if self.has('0') { self.width.unwrap_or(0).saturating_sub(digits.len() + prefix.len()) } else { 0 };
        Ok(format!("{prefix}{}{digits}", "0".repeat(zeros)))
    }

    fn decimal(&self, value: &Value) -> Result<String, Fault> {
        let (shortest, double) = match value {
            Value::Null => return Ok("null".to_owned()),
            Value::Float(float) => (format!("{:e}", float.abs()), f64::from(*float)),
            Value::Double(double) => (format!("{:e}", double.abs()), *double),
            _ => return Err(self.wrong(value)),
        };
        if double.is_nan() {
            return Ok("NaN".to_owned());
        }
        if double.is_infinite() {
            let unfilled = Self {
                index: Index::Next,
                flags: self.flags.iter().copied().filter(|flag| *flag != '0').collect(),
                ..*self
            };
            return Ok(unfilled.signed(double < 0.0, "Infinity".to_owned()));
        }
        let precision = self.precision.unwrap_or(6);
        let digits = match self.conversion.to_ascii_lowercase() {
            'e' => scientific(&shortest, precision),
            'g' => general(&shortest, precision),
            _ => fixed(&shortest, precision),
        };
        let digits = match digits.split_once('.') {
            Some((whole, fraction)) if self.has(',') => format!("{}.{fraction}", grouped(whole)),
            None if self.has(',') && !digits.contains('e') => grouped(&digits),
            _ => digits,
        };
        Ok(self.signed(double.is_sign_negative(), digits))
    }

    /// Digits with their sign and, with flag 0, zeros up to the width.
    fn signed(&self, negative: bool, digits: String) -> String {
        let (before, behind) = match (negative, self.has('(')) {
            (true, true) => ("(", ")"),
            (true, false) => ("-", ""),
            (false, _) if self.has('+') => ("+", ""),
            (false, _) if self.has(' ') => (" ", ""),
            (false, _) => ("", ""),
        };
        let zeros = if self.has('0') {
            self.width.unwrap_or(0).saturating_sub(before.len() + digits.len() + behind.len())
        } else {
            0
        };
        format!("{before}{}{digits}{behind}", "0".repeat(zeros))
    }
}
