//! Which flags, widths and precisions Java's `Formatter` accepts with which conversion.

use crate::error::Fault;

use super::format_text::{Index, Specifier};

/// Refuses what Java refuses, whatever the value is.
pub(super) fn check(specifier: &Specifier) -> Result<(), Fault> {
    let Specifier { width, precision, conversion, .. } = *specifier;
    let wrong = |message: &str| Err(Fault::argument(format!("%{conversion}: {message}")));
    let Some(kind) = kind(specifier) else {
        return wrong("there is no such conversion");
    };
    if precision.is_some()
        && matches!(kind, Kind::Moment | Kind::Character | Kind::Whole | Kind::Bits | Kind::Sign | Kind::Line)
    {
        return wrong("takes no precision");
    }
    if kind == Kind::Line && width.is_some() {
        return wrong("takes no width");
    }
    let allowed = match kind {
        Kind::Moment | Kind::Character | Kind::Text | Kind::Sign => "-",
        Kind::Whole => "-+ 0,(",
        Kind::Bits | Kind::Scientific => "-#+ 0(",
        Kind::Fixed => "-#+ 0,(",
        Kind::Hexadecimal => "-#+ 0",
        Kind::General => "-+ 0,(",
        Kind::Line => "",
    };
    if let Some(flag) = specifier.flags.iter().find(|flag| !allowed.contains(**flag)) {
        return wrong(&format!("takes no flag {flag:?}"));
    }
    if specifier.index == Index::Same && matches!(kind, Kind::Sign | Kind::Line) {
        return wrong("takes no flag '<'");
    }
    if (specifier.has('-') || specifier.has('0')) && width.is_none() {
        return wrong("flag - or 0 needs a width");
    }
    if (specifier.has('-') && specifier.has('0')) || (specifier.has('+') && specifier.has(' ')) {
        return wrong("these flags exclude each other");
    }
    Ok(())
}

/// Conversions with the same rules.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Moment,
    Text,
    Character,
    Whole,
    Bits,
    Fixed,
    Scientific,
    General,
    Hexadecimal,
    Sign,
    Line,
}

fn kind(specifier: &Specifier) -> Option<Kind> {
    if specifier.moment.is_some() {
        return "HIklMSLNpzZsQBbhAaCYyjmdeRTrDFc".contains(specifier.conversion).then_some(Kind::Moment);
    }
    Some(match specifier.conversion {
        's' | 'S' | 'b' | 'B' | 'h' | 'H' => Kind::Text,
        'c' | 'C' => Kind::Character,
        'd' => Kind::Whole,
        'o' | 'x' | 'X' => Kind::Bits,
        'f' => Kind::Fixed,
        'e' | 'E' => Kind::Scientific,
        'g' | 'G' => Kind::General,
        'a' | 'A' => Kind::Hexadecimal,
        '%' => Kind::Sign,
        'n' => Kind::Line,
        _ => return None,
    })
}
