//! Java's `Formatter`: the grammar of a specifier, and each conversion. Which flags go together is `format_check`'s affair, digits are `format_number`'s,
//! moments `format_time`'s.

use crate::error::{Fault, cut};
use crate::function::Context;
use crate::value::{Value, java_hash, utf16_len};

use super::format_check::check;
use super::format_number::{fixed, general, grouped, hexadecimal, scientific};
use super::format_time;

/// Widths and precisions beyond this are refused; the budget for texts bounds the rest.
const WIDEST: usize = 1 << 20;

/// A specifier: `%[index$][flags][width][.precision][t]conversion`.
pub(super) struct Specifier {
    pub index: Index,
    pub flags: Vec<char>,
    pub width: Option<usize>,
    pub precision: Option<usize>,
    /// `t` or `T` in front of the conversion: a part of a moment.
    pub moment: Option<char>,
    pub conversion: char,
}

#[derive(PartialEq, Eq)]
pub(super) enum Index {
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
        check(&specifier)?;
        let value = match specifier.conversion {
            '%' | 'n' if specifier.moment.is_none() => None,
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
                let missing = || {
                    let given = match values.len() {
                        0 => "none is given".to_owned(),
                        last => format!("the last is {last}"),
                    };
                    Fault::argument(format!("%{} asks for value {}, but {given}", specifier.conversion, index + 1))
                };
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
        // None where no digit stands.
        let number = |at: &mut usize, what: &str| {
            let from = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            match &text[from..*at] {
                "" => Ok(None),
                digits => match digits.parse::<usize>() {
                    Ok(number) if number <= WIDEST => Ok(Some(number)),
                    _ => Err(Fault::argument(format!("{what} {} is above {WIDEST}", cut(digits)))),
                },
            }
        };
        let mut index = Index::Next;
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && bytes.get(digits) == Some(&b'$') {
            let given = number(&mut at, "value number")?.unwrap_or(0);
            index = Index::Explicit(given.checked_sub(1).ok_or_else(|| Fault::argument("values are numbered from 1"))?);
            at += 1;
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
        let width = number(&mut at, "the width")?;
        let mut precision = None;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            precision = number(&mut at, "the precision")?;
            if precision.is_none() {
                return Err(Fault::argument("a precision is needed behind the point"));
            }
        }
        let mut next = || {
            let char =
                text[at..].chars().next().ok_or_else(|| Fault::argument("the format ends within a specifier"))?;
            at += char.len_utf8();
            Ok(char)
        };
        let mut conversion = next()?;
        let moment = matches!(conversion, 't' | 'T').then_some(conversion);
        if moment.is_some() {
            conversion = next()?;
        }
        Ok((Self { index, flags, width, precision, moment, conversion }, at))
    }

    pub(super) fn has(&self, flag: char) -> bool {
        self.flags.contains(&flag)
    }

    fn apply(&self, value: Option<&Value>, context: &mut Context<'_>) -> Result<String, Fault> {
        let value = value.unwrap_or(&Value::Null);
        let text = match self.conversion {
            _ if self.moment.is_some() => self.part_of(value, context)?,
            '%' => "%".to_owned(),
            'n' => return Ok("\n".to_owned()),
            's' | 'S' => self.cut(context.text_of(value)?.into()),
            'b' | 'B' => self.cut(match value {
                Value::Null => "false".to_owned(),
                Value::Bool(bool) => bool.to_string(),
                _ => "true".to_owned(),
            }),
            'h' | 'H' => {
                context.spend_items(value)?;
                self.cut(if value.is_null() { "null".to_owned() } else { format!("{:x}", java_hash(value)) })
            }
            'c' | 'C' => self.character(value)?,
            'd' => self.whole(value)?,
            'o' | 'x' | 'X' => self.bits(value)?,
            _ => self.decimal(value, context)?,
        };
        let upper = self.conversion.is_uppercase() && self.moment.is_none() || self.moment == Some('T');
        let text = if upper { text.to_uppercase() } else { text };
        let missing = self.width.unwrap_or(0).saturating_sub(utf16_len(&text));
        context.spend_text(missing)?;
        Ok(if self.has('-') { text + &" ".repeat(missing) } else { " ".repeat(missing) + &text })
    }

    fn part_of(&self, value: &Value, context: &Context<'_>) -> Result<String, Fault> {
        match value {
            Value::Null => Ok("null".to_owned()),
            Value::Long(millis) => Ok(format_time::part(self.conversion, *millis, &context.environment().zone)),
            _ => Err(self.wrong(value)),
        }
    }

    fn cut(&self, text: String) -> String {
        match self.precision {
            Some(precision) if precision < utf16_len(&text) => crate::function::slice_utf16(&text, 0, precision).into(),
            _ => text,
        }
    }

    fn wrong(&self, value: &Value) -> Fault {
        let kind = if value.as_text().is_some() { "text" } else { value.type_name() };
        Fault::wrong_type(format!("%{} doesn't print a {kind}", self.conversion))
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
        if !value.is_null() && ['+', ' ', '('].iter().any(|flag| self.has(*flag)) {
            return Err(Fault::argument(format!("%{} takes no sign", self.conversion)));
        }
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

    fn decimal(&self, value: &Value, context: &mut Context<'_>) -> Result<String, Fault> {
        let double = match value {
            Value::Null => return Ok(self.cut("null".to_owned())),
            Value::Float(float) => f64::from(*float),
            Value::Double(double) => *double,
            _ => return Err(self.wrong(value)),
        };
        if double.is_nan() {
            return Ok("NaN".to_owned());
        }
        if double.is_infinite() {
            return Ok(self.signed_up_to(0, double < 0.0, "Infinity".to_owned()));
        }
        let width = self.width.unwrap_or(0);
        context.spend_text(width.max(self.precision.unwrap_or(0)))?;
        if matches!(self.conversion, 'a' | 'A') {
            let digits = hexadecimal(double.abs(), self.precision);
            // Java counts a sign of its own in front of what it fills up, wherever one may be.
            let before = if double.is_sign_negative() || self.has('+') || self.has(' ') { 3 } else { 2 };
            let zeros = if self.has('0') { width.saturating_sub(digits.len() + before) } else { 0 };
            return Ok(self.signed_up_to(0, double.is_sign_negative(), format!("0x{}{digits}", "0".repeat(zeros))));
        }
        let shortest = format!("{:e}", double.abs());
        let precision = self.precision.unwrap_or(6);
        let digits = match self.conversion {
            'e' | 'E' => scientific(&shortest, precision),
            'g' | 'G' => general(&shortest, precision),
            _ => fixed(&shortest, precision),
        };
        let digits = match digits.split_once('.') {
            Some((whole, fraction)) if self.has(',') => format!("{}.{fraction}", grouped(whole)),
            None if self.has(',') && !digits.contains('e') => grouped(&digits),
            None if self.has('#') => match digits.split_once('e') {
                Some((mantissa, exponent)) => format!("{mantissa}.e{exponent}"),
                None => format!("{digits}."),
            },
            _ => digits,
        };
        Ok(self.signed(double.is_sign_negative(), digits))
    }

    /// Digits with their sign and, with flag 0, zeros up to the width.
    fn signed(&self, negative: bool, digits: String) -> String {
        self.signed_up_to(if self.has('0') { self.width.unwrap_or(0) } else { 0 }, negative, digits)
    }

    fn signed_up_to(&self, width: usize, negative: bool, digits: String) -> String {
        let (before, behind) = match (negative, self.has('(')) {
            (true, true) => ("(", ")"),
            (true, false) => ("-", ""),
            (false, _) if self.has('+') => ("+", ""),
            (false, _) if self.has(' ') => (" ", ""),
            (false, _) => ("", ""),
        };
        let zeros = width.saturating_sub(before.len() + digits.len() + behind.len());
        format!("{before}{}{digits}{behind}", "0".repeat(zeros))
    }
}
