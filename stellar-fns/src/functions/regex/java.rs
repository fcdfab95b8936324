//! Patterns of `java.util.regex` to patterns of fancy-regex.
//!
//! A pattern is never passed through as it stands: every construct is read by Java's rules and written anew, literals by their code point. What Java has and
//! the engine lacks (blocks such as `\p{InGreek}`, `\X`, `\N{…}`, a repeated look-around) is refused. Without `(?u)` Java ignores the case of ASCII letters only; of classes and
//! back references it is ignored for all letters here.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use super::class;

/// How many characters a pattern may match, each repetition counted as often as it may be: what it is compiled to grows with that.
const HEAVIEST: usize = 50_000;

/// How deep groups may be nested.
const DEEPEST: usize = 60;

/// A repetition of more is as good as without a bound.
const MANY: usize = 100;

/// What one character of a text that is matched by this weighs: a set of Unicode has many parts.
fn weight_of(atom: &str) -> usize {
    if atom.contains(r"\p{") { 50 } else { 1 }
}

const LINE_END: &str = r"\n\r\x{85}\x{2028}\x{2029}";

/// Flags that change how a construct is read.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    /// Case is ignored for all letters, not only for those of ASCII.
    unicode_case: bool,
    /// `\w`, `\p{Alpha}` and their like are those of Unicode.
    pub(super) unicode_classes: bool,
    multiline: bool,
    dot_all: bool,
    pub(super) comments: bool,
    unix_lines: bool,
}

/// A pattern for fancy-regex.
#[derive(Debug)]
pub(crate) struct Translated {
    pub pattern: String,
    /// How many characters it may match, each repetition counted as often as it may be.
    pub weight: usize,
    /// How deep look-arounds that read on and on are nested in repetitions: 1 is quadratic time.
    pub looks: usize,
    /// The same where it is searched for, at each place of a text.
    pub looks_in_search: usize,
    /// Whether it is matched by stepping back, not in one reading of the text.
    pub steps_back: bool,
}

/// What is known about a part of a pattern.
#[derive(Clone, Copy, Default)]
struct Shape {
    weight: usize,
    /// Whether something in it is repeated without a bound that matters.
    repeats: bool,
    /// How deep look-arounds with such a repetition are nested in it.
    looks: usize,
    is_look: bool,
}

impl Shape {
    fn and(self, other: Self) -> Self {
        Self {
            weight: self.weight.saturating_add(other.weight),
            repeats: self.repeats || other.repeats,
            looks: self.looks.max(other.looks),
            is_look: false,
        }
    }
}

/// The same pattern for fancy-regex, or what is wrong with it.
pub(crate) fn translate(java: &str) -> Result<Translated, String> {
    let mut translator = Translator {
        rest: java.chars().peekable(),
        out: String::with_capacity(java.len() * 2),
        groups: count_groups(java),
        depth: 0,
        looks: 0,
        steps_back: false,
        names: Vec::new(),
    };
    let shape = translator.alternatives(Flags::default())?;
    match translator.rest.next() {
        None => Ok(Translated {
            pattern: translator.out,
            weight: shape.weight,
            looks: translator.looks,
            looks_in_search: translator.looks.max(shape.looks),
            steps_back: translator.steps_back,
        }),
        Some(char) => Err(format!("unmatched {char}")),
    }
}

/// How many capturing groups there are, as far as that is plain to see: it decides how many digits a back reference has.
fn count_groups(java: &str) -> usize {
    let mut count = 0;
    let mut chars = java.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                chars.next();
            }
            '(' => {
                let mut ahead = chars.clone();
                let named = ahead.next() == Some('?')
                    && ahead.next() == Some('<')
                    && ahead.next().is_some_and(char::is_alphabetic);
                count += usize::from(chars.peek() != Some(&'?') || named);
            }
            _ => {}
        }
    }
    count
}

/// Writes a literal character so that no engine can read more into it.
pub(super) fn write_literal(char: char, out: &mut String) {
    if char.is_ascii_alphanumeric() {
        out.push(char);
    } else {
        let _ = write!(out, r"\x{{{:x}}}", u32::from(char));
    }
}

pub(super) struct Translator<'a> {
    pub(super) rest: Peekable<Chars<'a>>,
    pub(super) out: String,
    groups: usize,
    depth: usize,
    looks: usize,
    steps_back: bool,
    /// Those of groups.
    names: Vec<String>,
}

impl Translator<'_> {
    /// Alternatives up to a closing parenthesis or the end.
    fn alternatives(&mut self, mut flags: Flags) -> Result<Shape, String> {
        let mut quantifiable = false;
        let (mut before, mut last) = (Shape::default(), Shape::default());
        while let Some(char) = self.rest.peek().copied() {
            if char == ')' {
                break;
            }
            self.rest.next();
            match char {
                '|' => {
                    self.out.push('|');
                    quantifiable = false;
                }
                '*' | '+' | '?' | '{' => {
                    if !quantifiable {
                        return Err(format!("{char} repeats nothing"));
                    }
                    let times = self.quantifier(char)?;
                    last = self.repeated(last, times)?;
                    quantifiable = false;
                }
                '(' => {
                    before = before.and(last);
                    let group = self.group(&mut flags)?;
                    quantifiable = group.is_some();
                    last = group.unwrap_or_default();
                }
                ' ' | '\t' | '\n' | '\r' | '\x0c' | '\x0b' if flags.comments => {}
                '#' if flags.comments => {
                    self.rest.by_ref().find(|char| matches!(char, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'));
                }
                _ => {
                    before = before.and(last);
                    let from = self.out.len();
                    self.atom(char, flags)?;
                    last = Shape { weight: weight_of(&self.out[from..]), ..Shape::default() };
                    quantifiable = true;
                }
            }
        }
        let all = before.and(last);
        if all.weight > HEAVIEST {
            return Err(format!("it repeats too much: more than {HEAVIEST} characters in all"));
        }
        Ok(all)
    }

    /// What is repeated at most so often, or without a bound.
    fn repeated(&mut self, once: Shape, times: Option<usize>) -> Result<Shape, String> {
        if once.is_look {
            return Err("a look-around can't be repeated here".to_owned());
        }
        let repeats = times.is_none_or(|times| times > MANY);
        if repeats {
            self.looks = self.looks.max(once.looks);
        }
        let weight = once.weight.saturating_mul(times.unwrap_or(1).max(1));
        Ok(Shape { weight, repeats: once.repeats || repeats, ..once })
    }

    fn atom(&mut self, char: char, flags: Flags) -> Result<(), String> {
        match char {
            '.' if flags.dot_all => self.out.push_str("(?s:.)"),
            '.' if flags.unix_lines => self.out.push_str(r"[^\n]"),
            '.' => {
                let _ = write!(self.out, "[^{LINE_END}]");
            }
            '^' => self.line_start(flags),
            '$' => self.line_end(flags),
            '[' => {
                if flags.ignore_case {
                    self.out.push_str("(?i:");
                }
                class::class(self, 0, flags)?;
                if flags.ignore_case {
                    self.out.push(')');
                }
            }
            '\\' => self.escape(flags)?,
            char => self.literal(char, flags),
        }
        Ok(())
    }

    fn literal(&mut self, char: char, flags: Flags) {
        if flags.ignore_case && flags.unicode_case && char.is_alphabetic() {
            let _ = write!(self.out, r"(?i:\x{{{:x}}})", u32::from(char));
        } else if flags.ignore_case && char.is_ascii_alphabetic() {
            let _ = write!(self.out, "[{}{}]", char.to_ascii_lowercase(), char.to_ascii_uppercase());
        } else {
            write_literal(char, &mut self.out);
        }
    }

    fn line_start(&mut self, flags: Flags) {
        self.steps_back |= flags.multiline;
        self.out.push_str(match (flags.multiline, flags.unix_lines) {
            (false, _) => r"(?:\A)",
            (true, true) => r"(?:(?:\A|(?<=\n))(?!\z))",
            (true, false) => r"(?:(?:\A|(?<=[\n\x{85}\x{2028}\x{2029}])|(?<=\r)(?!\n))(?!\z))",
        });
    }

    fn line_end(&mut self, flags: Flags) {
        self.steps_back = true;
        self.out.push_str(match (flags.multiline, flags.unix_lines) {
            (false, true) => r"(?=\n?\z)",
            (false, false) => r"(?:(?=(?:\r\n|[\r\x{85}\x{2028}\x{2029}])?\z)|(?<!\r)(?=\n\z))",
            (true, true) => r"(?=\n|\z)",
            (true, false) => r"(?:(?=[\r\x{85}\x{2028}\x{2029}]|\z)|(?<!\r)(?=\n))",
        });
    }

    /// A group whose opening parenthesis was read; none for flags, which can't be repeated. They hold, without a colon, up to the end of the group around.
    fn group(&mut self, flags: &mut Flags) -> Result<Option<Shape>, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("groups nested deeper than {DEEPEST}"));
        }
        let mut inner = *flags;
        let mut looks = false;
        if self.rest.next_if_eq(&'?').is_none() {
            self.out.push('(');
        } else {
            match self.rest.next() {
                Some(kind @ (':' | '=' | '!' | '>')) => {
                    looks = matches!(kind, '=' | '!');
                    self.steps_back |= kind != ':';
                    let _ = write!(self.out, "(?{kind}");
                }
                Some('<') => match self.rest.peek() {
                    Some('=' | '!') => {
                        looks = true;
                        self.steps_back = true;
                        let kind = self.rest.next().unwrap_or('=');
                        let _ = write!(self.out, "(?<{kind}");
                    }
                    _ => {
                        let name = self.name()?;
                        if self.names.contains(&name) {
                            return Err(format!("two groups are named {name}"));
                        }
                        let _ = write!(self.out, "(?<{name}>");
                        self.names.push(name);
                    }
                },
                Some(first) => {
                    if self.flags(first, &mut inner)? == ')' {
                        *flags = inner;
                        self.depth -= 1;
                        return Ok(None);
                    }
                    self.out.push_str("(?:");
                }
                None => return Err("a group isn't closed".to_owned()),
            }
        }
        let mut shape = self.alternatives(inner)?;
        self.rest.next_if_eq(&')').ok_or("a group isn't closed")?;
        self.out.push(')');
        self.depth -= 1;
        shape.looks += usize::from(looks && shape.repeats);
        shape.is_look = looks;
        Ok(Some(shape))
    }

    /// Flags such as `i-s`, and the character that ends them.
    fn flags(&mut self, first: char, flags: &mut Flags) -> Result<char, String> {
        let mut on = true;
        let mut char = first;
        loop {
            match char {
                'i' => flags.ignore_case = on,
                'm' => flags.multiline = on,
                's' => flags.dot_all = on,
                'x' => flags.comments = on,
                'd' => flags.unix_lines = on,
                'u' => flags.unicode_case = on,
                'U' => (flags.unicode_case, flags.unicode_classes) = (on, on),
                '-' => on = false,
                ')' | ':' => return Ok(char),
                other => return Err(format!("no flag {other}")),
            }
            char = self.rest.next().ok_or("a group isn't closed")?;
        }
    }

    /// A group's name up to `>`.
    fn name(&mut self) -> Result<String, String> {
        let name: String = std::iter::from_fn(|| self.rest.next_if(char::is_ascii_alphanumeric)).collect();
        let closed = self.rest.next() == Some('>');
        if closed && name.starts_with(|char: char| char.is_ascii_alphabetic()) {
            Ok(name)
        } else {
            Err("a group's name is letters and digits in < >".to_owned())
        }
    }

    /// A quantifier; how often it repeats at most, if there is a bound.
    fn quantifier(&mut self, first: char) -> Result<Option<usize>, String> {
        self.out.push(first);
        let mut times = if first == '?' { Some(1) } else { None };
        if first == '{' {
            let bounds = self.braced()?;
            let mut numbers = bounds.splitn(2, ',');
            let least: Option<u32> = numbers.next().and_then(|number| number.parse().ok());
            let most = numbers.next();
            let fits = match (least, most) {
                (None, _) => false,
                (Some(_), None | Some("")) => true,
                (Some(least), Some(most)) => most.parse().is_ok_and(|most: u32| most >= least),
            };
            if !fits || bounds.starts_with('+') || bounds.contains(",+") {
                return Err(format!("{{{bounds}}} is no repetition; for a brace write \\{{"));
            }
            self.out.push_str(&bounds);
            self.out.push('}');
            times = match most {
                None => least.map(|least| least as usize),
                Some("") => None,
                Some(most) => most.parse().ok(),
            };
        }
        if let Some(kind) = self.rest.next_if(|char| matches!(char, '?' | '+')) {
            self.steps_back |= kind == '+';
            self.out.push(kind);
        }
        Ok(times)
    }

    /// What stands in braces, of which the first was read.
    pub(super) fn braced(&mut self) -> Result<String, String> {
        let mut inside = String::new();
        loop {
            match self.rest.next() {
                Some('}') => return Ok(inside),
                Some(char) => inside.push(char),
                None => return Err("a brace isn't closed".to_owned()),
            }
        }
    }

    /// What follows a backslash outside of a class.
    fn escape(&mut self, flags: Flags) -> Result<(), String> {
        let char = self.rest.next().ok_or("the pattern ends with a backslash")?;
        match char {
            'b' | 'B' | 'A' | 'z' | 'G' => {
                self.steps_back |= char == 'G';
                let _ = write!(self.out, r"(?:\{char})");
            }
            'Z' => self.line_end(Flags { multiline: false, ..flags }),
            'R' => self.out.push_str(r"(?:\r\n|[\n\x0b\x0c\r\x{85}\x{2028}\x{2029}])"),
            'Q' => {
                while let Some(char) = self.rest.next() {
                    if char == '\\' && self.rest.next_if_eq(&'E').is_some() {
                        break;
                    }
                    self.literal(char, flags);
                }
            }
            // The end of a quotation that didn't begin: an empty place.
            'E' => self.out.push_str("(?:)"),
            'k' => {
                self.rest.next_if_eq(&'<').ok_or(r"\k needs a name in < >")?;
                let name = self.name()?;
                self.steps_back = true;
                let _ = write!(self.out, r"(?:\k<{name}>)");
            }
            '1'..='9' => {
                let mut group = char.to_digit(10).unwrap_or(1) as usize;
                while let Some(digit) = self.rest.peek().and_then(|char| char.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer > self.groups {
                        break;
                    }
                    group = longer;
                    self.rest.next();
                }
                let case = if flags.ignore_case { "i" } else { "" };
                self.steps_back = true;
                if group <= self.groups {
                    let _ = write!(self.out, r"(?{case}:\{group})");
                } else {
                    // A group that doesn't exist matches nowhere.
                    self.out.push_str("(?:[^\\x{0}-\\x{10ffff}])");
                }
            }
            _ => {
                if let Some(set) = class::predefined(self, char, flags)? {
                    self.out.push_str(&set);
                } else {
                    let literal = class::escaped_literal(self, char)?;
                    self.literal(literal, flags);
                }
            }
        }
        Ok(())
    }
}
