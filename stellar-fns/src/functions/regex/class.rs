//! Character classes and escapes that stand for characters, in and outside of brackets.

use super::java::{Translator, write_literal};

/// How deep classes may be nested.
const DEEPEST: usize = 20;

/// A class whose opening bracket was read.
pub(super) fn class(translator: &mut Translator<'_>, depth: usize, comments: bool) -> Result<(), String> {
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
            '[' => class(translator, depth + 1, comments)?,
            '&' if translator.rest.next_if_eq(&'&').is_some() => {
                translator.out.push_str("&&");
                continue;
            }
            char if comments && char.is_ascii_whitespace() => continue,
            char => item(translator, char)?,
        }
        empty = false;
    }
    translator.out.push(']');
    Ok(())
}

/// A character, a range, a quotation, or a set named by an escape.
fn item(translator: &mut Translator<'_>, char: char) -> Result<(), String> {
    let low = match single(translator, char)? {
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
    match single(translator, char)? {
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
fn single(translator: &mut Translator<'_>, char: char) -> Result<Option<char>, String> {
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
    if let Some(set) = predefined(translator, escaped)? {
        translator.out.push_str(&set);
        return Ok(None);
    }
    escaped_literal(translator, escaped).map(Some)
}

/// The set that an escape names, as a class of its own.
pub(super) fn predefined(translator: &mut Translator<'_>, escaped: char) -> Result<Option<String>, String> {
    let set = match escaped {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[a-zA-Z_0-9]",
        'W' => "[^a-zA-Z_0-9]",
        's' => r"[ \t\n\x0b\x0c\r]",
        'S' => r"[^ \t\n\x0b\x0c\r]",
        'h' => r"[ \t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]",
        'H' => r"[^ \t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]",
        'v' => r"[\n\x0b\x0c\r\x{85}\x{2028}\x{2029}]",
        'V' => r"[^\n\x0b\x0c\r\x{85}\x{2028}\x{2029}]",
        'p' | 'P' => return property(translator, escaped == 'P').map(Some),
        _ => return Ok(None),
    };
    Ok(Some(set.to_owned()))
}

/// `\p{…}`: Java's POSIX names are ASCII; the others are Unicode's.
fn property(translator: &mut Translator<'_>, negated: bool) -> Result<String, String> {
    let name = match translator.rest.next() {
        Some('{') => translator.braced()?,
        Some(char) => char.to_string(),
        None => return Err(r"\p needs a name".to_owned()),
    };
    let caret = if negated { "^" } else { "" };
    let ascii = match name.as_str() {
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
        _ => "",
    };
    if !ascii.is_empty() {
        return Ok(format!("[{caret}{ascii}]"));
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
    Ok(format!(r"[{caret}\p{{{unicode}}}]"))
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
