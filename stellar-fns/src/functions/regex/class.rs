//! Character classes and escapes that stand for characters, in and outside of brackets.

use super::java::{Flags, Translator, write_literal};

/// How deep classes may be nested.
const DEEPEST: usize = 20;

/// A class whose opening bracket was read.
pub(super) fn class(translator: &mut Translator<'_>, depth: usize, flags: Flags) -> Result<(), String> {
    if depth > DEEPEST {
        return Err(format!("classes nested deeper than {DEEPEST}"));
    }
    translator.out.push('[');
    if translator.rest.next_if_eq(&'^').is_some() {
        translator.out.push('^');
    }
    let mut empty = true;
    loop {
        let char = translator.rest.next().ok_or("a class isn't closed")?;
        match char {
            ']' if !empty => break,
            '[' => class(translator, depth + 1, flags)?,
            ':' if empty => {
                // Written twice it does not begin a name as POSIX writes them, which Java doesn't know.
                write_literal(':', &mut translator.out);
                item(translator, ':', flags)?;
            }
            '&' if translator.rest.next_if_eq(&'&').is_some() => {
                translator.out.push_str("&&");
                continue;
            }
            char if flags.comments && char.is_ascii_whitespace() => continue,
            char => item(translator, char, flags)?,
        }
        empty = false;
    }
    translator.out.push(']');
    Ok(())
}

/// A character, a range, a quotation, or a set named by an escape.
fn item(translator: &mut Translator<'_>, char: char, flags: Flags) -> Result<(), String> {
    let low = match single(translator, char, flags)? {
        Some(char) => char,
        None => return Ok(()),
    };
    let mut ahead = translator.rest.clone();
    let range = ahead.next() == Some('-') && ahead.next().is_some_and(|char| char != ']' && char != '[');
    write_literal(low, &mut translator.out);
    if !range {
        return Ok(());
    }
    translator.rest.next();
    let char = translator.rest.next().ok_or("a class isn't closed")?;
    let length = translator.out.len();
    match single(translator, char, flags)? {
        Some(high) if high >= low => {
            translator.out.push('-');
            write_literal(high, &mut translator.out);
        }
        Some(high) => return Err(format!("{low}-{high} runs backwards")),
        // A set can't end a range: the hyphen is one of the characters.
        None => translator.out.insert_str(length, r"\x{2d}"),
    }
    Ok(())
}

/// The character that begins here; none where a set or a quotation stood, which is then written.
fn single(translator: &mut Translator<'_>, char: char, flags: Flags) -> Result<Option<char>, String> {
    if char != '\\' {
        return Ok(Some(char));
    }
    let escaped = translator.rest.next().ok_or("the pattern ends with a backslash")?;
    if escaped == 'Q' {
        while let Some(char) = translator.rest.next() {
            if char == '\\' && translator.rest.next_if_eq(&'E').is_some() {
                break;
            }
            write_literal(char, &mut translator.out);
        }
        return Ok(None);
    }
    if escaped == 'E' {
        return Ok(None);
    }
    if let Some(set) = predefined(translator, escaped, flags)? {
        translator.out.push_str(&set);
        return Ok(None);
    }
    escaped_literal(translator, escaped).map(Some)
}

/// The set that an escape names, as a class of its own.
pub(super) fn predefined(
    translator: &mut Translator<'_>,
    escaped: char,
    flags: Flags,
) -> Result<Option<String>, String> {
    let set = match (escaped, flags.unicode_classes) {
        ('d', false) => "[0-9]",
        ('D', false) => "[^0-9]",
        ('w', false) => "[a-zA-Z_0-9]",
        ('W', false) => "[^a-zA-Z_0-9]",
        ('s', false) => r"[ \t\n\x0b\x0c\r]",
        ('S', false) => r"[^ \t\n\x0b\x0c\r]",
        ('d', true) => r"[\p{Nd}]",
        ('D', true) => r"[^\p{Nd}]",
        ('w', true) => r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}]",
        ('W', true) => r"[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}]",
        ('s', true) => r"[\p{White_Space}]",
        ('S', true) => r"[^\p{White_Space}]",
        ('h', _) => r"[ \t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]",
        ('H', _) => r"[^ \t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]",
        ('v', _) => r"[\n\x0b\x0c\r\x{85}\x{2028}\x{2029}]",
        ('V', _) => r"[^\n\x0b\x0c\r\x{85}\x{2028}\x{2029}]",
        ('p' | 'P', _) => return property(translator, escaped == 'P', flags).map(Some),
        _ => return Ok(None),
    };
    Ok(Some(set.to_owned()))
}

/// `\p{…}`: Java's POSIX names are ASCII without `(?U)`; the others are Unicode's. Where case is ignored, those of one case are those of all.
fn property(translator: &mut Translator<'_>, negated: bool, flags: Flags) -> Result<String, String> {
    let name = match translator.rest.next() {
        Some('{') => translator.braced()?,
        Some(char) => char.to_string(),
        None => return Err(r"\p needs a name".to_owned()),
    };
    let caret = if negated { "^" } else { "" };
    if let Some(set) = if flags.unicode_classes { unicode_posix(&name) } else { posix(&name) } {
        let set = match (name.as_str(), flags) {
            ("Lower" | "Upper", Flags { ignore_case: true, unicode_classes: false, .. }) => "a-zA-Z",
            ("Lower" | "Upper", Flags { ignore_case: true, .. }) => r"\p{Lowercase}\p{Uppercase}\p{Lt}",
            _ => set,
        };
        return Ok(format!("[{caret}{set}]"));
    }
    let unicode = match name.as_str() {
        "javaLowerCase" => "Lowercase",
        "javaUpperCase" => "Uppercase",
        "javaWhitespace" => "White_Space",
        "javaLetter" | "javaAlphabetic" => "Alphabetic",
        "L1" | "all" => return Err(format!("no property {name} here")),
        other => {
            let value = other.rsplit_once('=').map_or(other, |(_, value)| value);
            value.strip_prefix("Is").filter(|rest| !rest.is_empty()).unwrap_or(value)
        }
    };
    if unicode.is_empty()
        || unicode.starts_with("In")
        || !unicode.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(format!("no property {name} here"));
    }
    Ok(match unicode {
        "Ll" | "Lu" | "Lt" if flags.ignore_case => format!(r"[{caret}\p{{Ll}}\p{{Lu}}\p{{Lt}}]"),
        "Lowercase" | "Uppercase" | "LOWERCASE" | "UPPERCASE" if flags.ignore_case => {
            format!(r"[{caret}\p{{Lowercase}}\p{{Uppercase}}\p{{Lt}}]")
        }
        _ => format!(r"[{caret}\p{{{unicode}}}]"),
    })
}

/// What a POSIX name stands for.
fn posix(name: &str) -> Option<&'static str> {
    Some(match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => r"\x00-\x7f",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
        "Graph" => r"\x21-\x7e",
        "Print" => r"\x20-\x7e",
        "Blank" => r" \t",
        "Cntrl" => r"\x00-\x1f\x7f",
        "XDigit" => "0-9a-fA-F",
        "Space" => r" \t\n\x0b\x0c\r",
        _ => return None,
    })
}

/// What it stands for with `(?U)`.
fn unicode_posix(name: &str) -> Option<&'static str> {
    Some(match name {
        "Lower" => r"\p{Lowercase}",
        "Upper" => r"\p{Uppercase}",
        "Alpha" => r"\p{Alphabetic}",
        "Digit" => r"\p{Nd}",
        "Alnum" => r"\p{Alphabetic}\p{Nd}",
        "Punct" => r"\p{P}",
        "Graph" => r"[^\p{White_Space}\p{Cc}\p{Cn}]",
        "Print" => r"\p{Zs}[^\p{White_Space}\p{Cc}\p{Cn}]",
        "Blank" => r"\p{Zs}\t",
        "Cntrl" => r"\p{Cc}",
        "XDigit" => r"\p{Nd}\p{Hex_Digit}",
        "Space" => r"\p{White_Space}",
        name => return posix(name),
    })
}

/// The character that an escape stands for.
pub(super) fn escaped_literal(translator: &mut Translator<'_>, escaped: char) -> Result<char, String> {
    Ok(match escaped {
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'f' => '\x0c',
        'a' => '\x07',
        'e' => '\x1b',
        '0' => octal(translator)?,
        'x' => {
            let code = if translator.rest.next_if_eq(&'{').is_some() {
                let digits = translator.braced()?;
                u32::from_str_radix(&digits, 16).ok()
            } else {
                Some(hexadecimal(translator, 2)?)
            };
            code.and_then(char::from_u32).ok_or(r"\x needs a code point")?
        }
        'u' => unicode(translator)?,
        'c' => {
            let control = translator.rest.next().filter(char::is_ascii).ok_or(r"\c needs a character")?;
            char::from_u32(u32::from(control) ^ 64).unwrap_or(control)
        }
        char if char.is_ascii_alphanumeric() => return Err(format!(r"no escape \{char}")),
        char => char,
    })
}

fn octal(translator: &mut Translator<'_>) -> Result<char, String> {
    let mut code = None;
    for _ in 0..3 {
        let Some(digit) = translator.rest.peek().and_then(|char| char.to_digit(8)) else { break };
        let longer = code.unwrap_or(0) * 8 + digit;
        if longer > 0o377 {
            break;
        }
        code = Some(longer);
        translator.rest.next();
    }
    code.and_then(char::from_u32).ok_or_else(|| r"\0 needs octal digits".to_owned())
}

fn hexadecimal(translator: &mut Translator<'_>, digits: usize) -> Result<u32, String> {
    let mut code = 0;
    for _ in 0..digits {
        let digit = translator
            .rest
            .next()
            .and_then(|char| char.to_digit(16))
            .ok_or_else(|| format!("{digits} hexadecimal digits are needed"))?;
        code = code * 16 + digit;
    }
    Ok(code)
}

/// `\uXXXX`, two of them where the first is half of a character.
fn unicode(translator: &mut Translator<'_>) -> Result<char, String> {
    let first = hexadecimal(translator, 4)?;
    if let Some(char) = char::from_u32(first) {
        return Ok(char);
    }
    if translator.rest.next() != Some('\\') || translator.rest.next() != Some('u') {
        return Err("half a character stands alone".to_owned());
    }
    let units = [first, hexadecimal(translator, 4)?].map(|unit| u16::try_from(unit).unwrap_or(0));
    char::decode_utf16(units).next().and_then(Result::ok).ok_or_else(|| "half a character stands alone".to_owned())
}
