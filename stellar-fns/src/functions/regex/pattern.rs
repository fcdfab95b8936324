//! A compiled pattern: matching whole texts, groups, replacing.
//!
//! A pattern is read at once and compiled when it is first used: for whole texts, for searching, and for each limit on backtracking that is needed. A match
//! begins with a low limit, which all ordinary patterns keep; one that needs more pays for it and tries again. The longer the text, the lower the limit,
//! since each step back may read all of it again. Patterns that come from data are kept in the process (`cache`); those that stand in an expression are kept
//! with it.

use std::sync::{Arc, LazyLock, OnceLock};

use fancy_regex::{Captures, CompileError, Regex, RegexBuilder, RegexInput};
use parking_lot::Mutex;

use crate::error::{Code, Fault, shown};
use crate::function::Context;

use super::cache::Cache;
use super::java::{Translated, translate};
use super::replacement::Replacement;

/// Longer ones are refused.
const LONGEST: usize = 10_000;
/// What is said where [`LARGEST`] is not enough.
const TOO_LARGE: &str = "it is too large to be compiled";
/// Bytes that one part of a compiled pattern may take.
const LARGEST: usize = 4 << 20;
/// What looking for a match costs, in steps: backtracking may take its time.
const MATCH_COST: usize = 500;
/// How many bytes of a text each match may have to read again for a step.
const UNREAD: usize = 1024;
/// The same for a pattern that steps back.
const UNREAD_STEPPING_BACK: usize = 16;
/// What each further match of a pattern that steps back costs.
const FURTHER_COST: usize = 100;
/// Steps back that cost a step, where all are paid for.
const STEPS_BACK: usize = 20;
/// Bytes that steps back may read again for a step.
const READ_AGAIN: usize = 2048;
/// What compiling a pattern costs.
const COMPILE_COST: usize = 100;
/// What it costs more for each byte and for each character that the pattern may match.
const WEIGHT_COST: usize = 20;
/// Patterns of no more weight read a text as quickly as any.
const LIGHT: usize = 64;
/// For how many bytes of a text, each by all the weight above that, a step is taken.
const HEAVY: usize = 256;
/// Bytes of a text that a pattern may look ahead in again and again.
const LOOKED_THROUGH: usize = 16 << 10;

/// By what the limit on steps back is divided: for the first try, then for texts of up to so many bytes.
const FIRST_TRY: usize = 200;
const TIERS: [(usize, usize); 4] = [(16 << 10, 1), (128 << 10, 8), (1 << 20, 64), (usize::MAX, 1024)];

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

/// A regex for the first try and one for each length of text, made when it is first needed; or what is wrong with it.
type Tiers = [OnceLock<Result<Regex, String>>; TIERS.len() + 1];

/// A pattern of `java.util.regex`.
#[derive(Debug)]
pub(super) struct Pattern {
    java: Box<str>,
    translated: Translated,
    /// How many steps back one match may take in a short text; the regexes are made with it.
    backtracking: usize,
    whole: Tiers,
    search: Tiers,
}

impl Pattern {
    /// Reads a pattern, for matches of so many steps back. It is compiled when it is first used.
    pub(super) fn read(java: &str, backtracking: usize) -> Result<Self, Fault> {
        if java.len() > LONGEST {
            return Err(Fault::argument(format!("a pattern of {} bytes; the limit is {LONGEST}", java.len())));
        }
        let translated = translate(java).map_err(|error| wrong(java, &error))?;
        Ok(Self { java: java.into(), translated, backtracking, whole: Tiers::default(), search: Tiers::default() })
    }

    /// The pattern from the cache, or read.
    pub(super) fn cached(java: &str, context: &mut Context<'_>) -> Result<Arc<Self>, Fault> {
        let backtracking = context.environment().limits.backtracking;
        if let Some(pattern) = CACHE.lock().get(java, backtracking) {
            return Ok(pattern);
        }
        context.spend(java.len())?;
        let pattern = Arc::new(Self::read(java, backtracking)?);
        CACHE.lock().keep(java, pattern.clone());
        Ok(pattern)
    }

    /// Whether it was made for the limits of this evaluation.
    pub(super) fn fits(&self, context: &Context<'_>) -> bool {
        self.backtracking == context.environment().limits.backtracking
    }

    /// How many steps back one match may take in a short text.
    pub(super) fn backtracking(&self) -> usize {
        self.backtracking
    }

    /// What it takes to keep and to compile it.
    pub(super) fn weight(&self) -> usize {
        self.java.len() + self.translated.weight
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str, context: &mut Context<'_>) -> Result<bool, Fault> {
        self.pay_for_reading(Use::Whole, text, context)?;
        self.attempt(Use::Whole, text, context, |regex| regex.is_match_input(at_start(text)))
    }

    /// What a group matched, if the whole text matches and there is such a group.
    pub(super) fn group<'t>(
        &self,
        text: &'t str,
        group: usize,
        context: &mut Context<'_>,
    ) -> Result<Option<&'t str>, Fault> {
        self.pay_for_reading(Use::Whole, text, context)?;
        let captures = self.attempt(Use::Whole, text, context, |regex| regex.captures_input(at_start(text)))?;
        Ok(captures.and_then(|captures| captures.get(group)).map(|group| group.as_str()))
    }

    /// The text with every match replaced.
    pub(super) fn replace(&self, text: &str, value: &str, context: &mut Context<'_>) -> Result<String, Fault> {
        self.pay_for_reading(Use::Search, text, context)?;
        // A replacement that makes no sense is an error only where there is something to replace.
        let mut replacement = None;
        let mut out = String::new();
        let mut from = 0;
        let mut at = 0;
        // As in Java an empty match may stand right behind another match: `.*` matches "ab" twice.
        while at <= text.len() {
            let unread = text.len() - at;
            context.spend(if self.translated.steps_back {
                FURTHER_COST + unread / UNREAD_STEPPING_BACK
            } else {
                4 + unread / UNREAD
            })?;
            let Some((captures, search)) = self.find(text, at, context)? else { break };
            let Some(whole) = captures.get(0) else { break };
            at = whole.end();
            if whole.range().is_empty() {
                at += text[at..].chars().next().map_or(1, char::len_utf8);
            }
            let replacement = match &mut replacement {
                Some(replacement) => replacement,
                none => none.insert(Replacement::parse(value, search)?),
            };
            let length = out.len();
            out.push_str(&text[from..whole.start()]);
            replacement.append(&captures, &mut out);
            context.check_text(out.len())?;
            context.spend_text(out.len() - length)?;
            from = whole.end();
        }
        out.push_str(&text[from..]);
        Ok(out)
    }

    /// The next match, and the regex that knows its groups.
    fn find<'p, 't>(
        &'p self,
        text: &'t str,
        at: usize,
        context: &mut Context<'_>,
    ) -> Result<Option<(Captures<'t, str>, &'p Regex)>, Fault> {
        self.attempt(Use::Search, text, context, |regex| {
            Ok(regex.captures_from_pos(text, at)?.map(|captures| (captures, regex)))
        })
    }

    /// How often a text is read for each of its places, and for each of the places then, and so on.
    fn looks(&self, used: Use) -> usize {
        match used {
            Use::Whole => self.translated.looks,
            Use::Search => self.translated.looks_in_search,
        }
    }

    fn pay_for_reading(&self, used: Use, text: &str, context: &mut Context<'_>) -> Result<(), Fault> {
        let heavy = text.len().saturating_mul(self.translated.weight.saturating_sub(LIGHT)) / HEAVY;
        let again = match u32::try_from(self.looks(used)) {
            Ok(0) => 0,
            looks => text.len().saturating_pow(looks.unwrap_or(u32::MAX).saturating_add(1)) / READ_AGAIN,
        };
        context.spend((MATCH_COST + text.len() / 8).saturating_add(heavy).saturating_add(again))
    }

    /// Looks for a match with a low limit on steps back, then, paid for, with the full one.
    fn attempt<'p, T>(
        &'p self,
        used: Use,
        text: &str,
        context: &mut Context<'_>,
        look: impl Fn(&'p Regex) -> fancy_regex::Result<T>,
    ) -> Result<T, Fault> {
        let nested = self.looks(used);
        if nested > 0 && text.len() > LOOKED_THROUGH >> (5 * (nested - 1)).min(14) {
            let message = "the pattern looks through the rest of the text at each place; it is for short texts only";
            return Err(Fault::new(Code::TooLarge, message));
        }
        let tier = TIERS.iter().position(|(most, _)| text.len() <= *most).unwrap_or(TIERS.len() - 1);
        let few = self.backtracking.div_ceil(FIRST_TRY);
        let many = self.backtracking.div_ceil(TIERS[tier].1);
        if few < many {
            if let Ok(found) = look(self.compiled(used, 0, few, context)?) {
                return Ok(found);
            }
            context.spend(many / STEPS_BACK + many.saturating_mul(text.len()) / READ_AGAIN)?;
        }
        look(self.compiled(used, tier + 1, many, context)?).map_err(|_| {
            let message = format!("the pattern needs more than {many} backtracking steps on this text");
            Fault::new(Code::TooManySteps, message)
        })
    }

    fn compiled(&self, used: Use, index: usize, steps_back: usize, context: &mut Context<'_>) -> Result<&Regex, Fault> {
        let kept = match used {
            Use::Whole => &self.whole[index],
            Use::Search => &self.search[index],
        };
        if kept.get().is_none() {
            context.spend(COMPILE_COST + self.weight() * WEIGHT_COST)?;
        }
        let pattern = &self.translated.pattern;
        let regex = kept.get_or_init(|| match used {
            Use::Whole => build(&format!(r"\A(?:{pattern})\z"), steps_back),
            Use::Search => build(pattern, steps_back),
        });
        regex.as_ref().map_err(|error| wrong(&self.java, error))
    }
}

/// What a pattern is compiled for.
#[derive(Clone, Copy)]
enum Use {
    Whole,
    Search,
}

fn build(pattern: &str, steps_back: usize) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(pattern);
    builder.backtrack_limit(steps_back).delegate_size_limit(LARGEST);
    builder.build().map_err(|error| match error {
        // Its place would be one in what the pattern was translated to.
        fancy_regex::Error::ParseError(_, error) => error.to_string(),
        fancy_regex::Error::CompileError(error) => match *error {
            CompileError::InnerError(error) if error.size_limit().is_some() => TOO_LARGE.to_owned(),
            CompileError::PatternTooComplex => TOO_LARGE.to_owned(),
            CompileError::InnerError(_) => "it names a set of characters that isn't known here".to_owned(),
            error => error.to_string(),
        },
        error => error.to_string(),
    })
}

/// A text in which a match is looked for at its start only: each other place would be a step back.
fn at_start(text: &str) -> RegexInput<'_, str> {
    RegexInput::new(text).anchored(true)
}

fn wrong(java: &str, message: &str) -> Fault {
    Fault::argument(format!("pattern {}: {message}", shown(java)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pattern: &str, text: &str) -> bool {
        matches(pattern, text).unwrap()
    }

    fn matches(pattern: &str, text: &str) -> Result<bool, Fault> {
        let environment = crate::Environment::default();
        Pattern::read(pattern, 100_000)?.matches(text, &mut Context::new(&environment, &crate::AllNull, None))
    }

    #[test]
    fn classes_are_those_of_ascii_and_lines_end_as_in_java() {
        assert!(whole(r"\d\w\s", "1a "));
        assert!(!whole(r"\d", "\u{663}"));
        assert!(!whole("a.b", "a\u{85}b"));
        assert!(whole("(?s)a.b", "a\nb"));
        assert!(whole(r"a$\n", "a\n"));
        assert!(whole("(?m)a$\n^b", "a\nb"));
        assert!(whole("[[:alpha:]]+", ":papal") && !whole("[[:alpha:]]", "c"), "a class in a class, not a name");
        assert!(whole("[^:alpha:]", "c") && whole("[:-<]+", ":;<"));
    }

    #[test]
    fn empty_matches_are_replaced_where_java_finds_them() {
        let program = |call: &str| {
            let value = crate::program::Compiler::default().compile(call).unwrap();
            value
                .evaluate(&crate::variables::AllNull, &crate::environment::Environment::default())
                .map(|value| value.to_string())
        };
        assert_eq!(program("REGEXP_REPLACE('ab', '.*', 'x')").unwrap(), "xx");
        assert_eq!(program("REGEXP_REPLACE('aéb', 'x*', '-')").unwrap(), "-a-é-b-");
        assert_eq!(program("REGEXP_REPLACE('ab', 'b?', '-')").unwrap(), "-a--");
        assert_eq!(program("REGEXP_REPLACE('ab', 'c', '$7')").unwrap(), "ab");
        assert!(program("REGEXP_REPLACE('ab', 'b', '$7')").is_err());
    }

    #[test]
    fn escapes_and_quotes_are_understood() {
        for (pattern, text) in [
            (r"\Qa.b\E+", "a.bb"),
            (r"\x41\u0042\0103\x{44}\cA", "ABCD\u{1}"),
            (r"\h\v\R", "\t\n\r\n"),
            (r"\p{Lower}\p{Punct}\p{IsAlphabetic}\p{L}\pL", "a!éßx"),
            (r"[a-c&&[^b]]+", "ac"),
            (r"[\w&&[^\d_]]+[\]\-x]", "ab-"),
            (r"(?<y>\d+)-\k<y>", "12-12"),
            (r"(?i)straSSe[A-C]", "STRASSEb"),
            (r"(?x) a b # comment", "ab"),
            (r"a{2,3}+b", "aaab"),
            (r"(?>a+)b", "aab"),
            (r"(?<!y)x{1}(?=z)z", "xz"),
            (r"}]", "}]"),
        ] {
            assert!(whole(pattern, text), "{pattern}");
        }
    }

    #[test]
    fn what_java_refuses_is_refused() {
        for pattern in [
            "(",
            ")",
            "*a",
            "[a",
            r"\",
            "a{",
            "a{2,1}",
            r"\y",
            "(?<n",
            r"\p{Nothing}",
            "[z-a]",
            "(?z)",
            "a{2",
            r"\p{L",
            r"\x{41",
            "[\\x{41",
            "(?<n>a)(?<n>b)",
        ] {
            assert!(matches(pattern, "a").is_err(), "{pattern}");
        }
    }

    #[test]
    fn unicode_is_asked_for_as_in_java() {
        for (pattern, text, is_match) in [
            ("(?i)é", "É", false),
            ("(?iu)é", "É", true),
            ("(?u)é", "É", false),
            ("(?iu)[é]", "É", true),
            ("(?i)(?u)é", "É", true),
            ("(?iu)(?-u)é", "É", false),
            ("(?iU)(?-U)é", "É", false),
            (r"(?iu)\Qé\E", "É", true),
            ("(?iu)s", "\u{17f}", true),
            ("(?i)s", "\u{17f}", false),
            (r"(?U)\w\d\s", "é\u{663}\u{a0}", true),
            (r"\w", "é", false),
            (r"(?U)\W", "é", false),
            (r"(?U)[\w]", "é", true),
            (r"(?U)(?-U)\w", "é", false),
            (r"(?U)\w+", "\u{301}\u{200c}_\u{203f}", true),
            (r"(?U)\p{Lower}\p{Upper}\p{Alpha}\p{Digit}\p{Alnum}\p{Punct}", "éÉé\u{663}é«", true),
            (r"(?U)\p{Graph}\p{Print}\p{Blank}\p{Cntrl}\p{XDigit}\p{Space}", "éé\u{a0}\u{85}\u{ff11}\u{a0}", true),
            (r"(?U)\p{ASCII}", "é", false),
            (r"(?i)\p{Lower}\p{Lu}\p{IsLowercase}[\p{Upper}]", "AaAa", true),
            (r"(?i)\P{Lower}", "A", false),
            (r"(?iU)\p{Lower}", "É", true),
            (r"(?i)(?-i)\p{Lower}", "A", false),
        ] {
            assert_eq!(whole(pattern, text), is_match, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_explodes_is_given_up() {
        assert!(matches(r"(?:(a+)+\1)+[^a][^c]", &("a".repeat(64) + "xc")).is_err());
    }

    #[test]
    fn a_pattern_that_reads_a_long_text_again_and_again_is_given_up() {
        let text = "x".repeat(1_000_000);
        for pattern in ["(?:.(?!.*z))*y", "(?:.(?=.*x))*y", "(?:.(?=(?:.(?=.*x))*))*y"] {
            assert!(matches(pattern, &text).is_err(), "{pattern}");
        }
        let text = "x".repeat(10_000);
        assert!(!whole("(?=.*y).*", &text));
    }

    #[test]
    fn what_the_engine_refuses_is_told_without_its_words() {
        for (pattern, message) in [
            ("(?=a)*a", "a look-around can't be repeated here"),
            (r"\p{Nope}", "it names a set of characters that isn't known here"),
            (r"\p{L}{900}", TOO_LARGE),
        ] {
            let fault = matches(pattern, "a").unwrap_err();
            assert!(fault.to_string().ends_with(message), "{fault}");
        }
    }

    #[test]
    fn looking_ahead_at_each_place_is_paid_for() {
        let text = "x".repeat(1_000);
        let limits = crate::Limits { steps: 5_000, ..crate::Limits::default() };
        let environment = crate::Environment { limits, ..crate::Environment::default() };
        let looking = Pattern::read("(?:.(?=.*x))*.", 100_000).unwrap();
        let mut context = Context::new(&environment, &crate::AllNull, None);
        let matched = (0..20).find(|_| looking.matches(&text, &mut context).is_err());
        assert!(matched.is_some_and(|times| times > 2), "{matched:?}");
        let nested = Pattern::read("(?=(?:(?=.*x)x)*)x", 100_000).unwrap();
        assert!(nested.replace(&text, "y", &mut Context::new(&environment, &crate::AllNull, None)).is_err());
    }

    #[test]
    fn a_pattern_that_repeats_too_much_is_refused() {
        let repeated = "(x)".to_owned() + r"[^a]{2000}\1".repeat(700).as_str();
        for pattern in [repeated.as_str(), "((a{300}){300}){2}b", r"(?:\p{L}{20}){300}"] {
            assert!(matches(pattern, "x").is_err(), "{pattern}");
        }
        assert!(whole(r"(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}", "1:2:3:4:5:6:7:8"));
    }

    #[test]
    fn the_limit_is_that_of_the_environment() {
        let program =
            crate::Compiler::default().compile(r"REGEXP_MATCH(text, '(?:(a+)+\\1)+b') == REGEXP_MATCH(text, pattern)");
        let program = program.unwrap();
        let pattern = crate::Value::from(r"(?:(a+)+\1)+c");
        let variables = crate::VariableMap::from_iter([("text", "aaaaaaaaaaaad".into()), ("pattern", pattern)]);
        let outcome = |backtracking| {
            let limits = crate::Limits { backtracking, ..crate::Limits::default() };
            program.evaluate(&crate::Layers::new([&variables]), &crate::Environment { limits, ..Default::default() })
        };
        for _ in 0..2 {
            assert_eq!(outcome(1_000_000), Ok(crate::Value::Bool(true)));
            assert_eq!(outcome(50).unwrap_err().code, Code::TooManySteps);
        }
    }
}
