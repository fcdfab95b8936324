//! A compiled pattern: matching whole texts, groups, replacing.
//!
//! Each pattern is compiled once for whole texts and, where it is needed, once for searching. Patterns that come from data are kept in a small cache of the
//! process; those that stand in an expression are kept with it.

use std::sync::{Arc, LazyLock, OnceLock};

use fancy_regex::{Regex, RegexBuilder};
use indexmap::{Equivalent, IndexMap};
use parking_lot::Mutex;

use crate::error::{Code, Fault};
use crate::function::Context;
use crate::value::Text;

use super::java::translate;
use super::replacement::Replacement;

/// How many patterns from data are kept.
const CACHE_SIZE: usize = 256;
/// Longer ones are refused.
const LONGEST: usize = 10_000;
/// Bytes that a compiled pattern may take.
const LARGEST: usize = 4 << 20;
/// What looking for a match costs, in steps: backtracking may take its time.
const MATCH_COST: usize = 500;
/// How many bytes of a text each match may have to read again for a step.
const UNREAD: usize = 1024;
/// What compiling a pattern costs, in steps a byte.
const COMPILE_COST: usize = 20;

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

/// Patterns by text and limit.
#[derive(Default)]
struct Cache {
    patterns: IndexMap<(Text, usize), Arc<Pattern>>,
    /// What was thrown out last.
    last: usize,
}

/// A key as it is looked for.
#[derive(Hash)]
struct Wanted<'a>(&'a str, usize);

impl Equivalent<(Text, usize)> for Wanted<'_> {
    fn equivalent(&self, (text, backtracking): &(Text, usize)) -> bool {
        self.0 == text.as_str() && self.1 == *backtracking
    }
}

impl Cache {
    fn get(&self, java: &str, backtracking: usize) -> Option<Arc<Pattern>> {
        self.patterns.get(&Wanted(java, backtracking)).cloned()
    }

    /// Keeps a pattern. One is thrown out for it where there is no room: now this, now that one, so that a few patterns too many, used in turn, don't all
    /// miss each time.
    fn keep(&mut self, java: &str, pattern: Arc<Pattern>) {
        let key = (Text::new(java), pattern.backtracking);
        if self.patterns.len() >= CACHE_SIZE && !self.patterns.contains_key(&key) {
            self.last = self.last.wrapping_mul(5).wrapping_add(101) % CACHE_SIZE;
            self.patterns.swap_remove_index(self.last);
        }
        self.patterns.insert(key, pattern);
    }
}

/// A pattern of `java.util.regex`.
#[derive(Debug)]
pub(super) struct Pattern {
    whole: Regex,
    /// How many steps back one match may take; the regexes were made with it.
    backtracking: usize,
    translated: String,
    search: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Compiles a pattern, for matches of so many steps back.
    pub(super) fn compile(java: &str, backtracking: usize) -> Result<Self, Fault> {
        if java.len() > LONGEST {
            return Err(Fault::argument(format!("a pattern of {} bytes; the limit is {LONGEST}", java.len())));
        }
        let wrong = |message: &str| Fault::argument(format!("pattern {java:?}: {message}"));
        let translated = translate(java).map_err(|error| wrong(&error))?;
        let whole = build(&format!(r"\A(?:{translated})\z"), backtracking).map_err(|error| wrong(&error))?;
        Ok(Self { whole, backtracking, translated, search: OnceLock::new() })
    }

    /// The pattern from the cache, or compiled.
    pub(super) fn cached(java: &str, context: &mut Context<'_>) -> Result<Arc<Self>, Fault> {
        let backtracking = context.environment().limits.backtracking;
        if let Some(pattern) = CACHE.lock().get(java, backtracking) {
            return Ok(pattern);
        }
        context.spend(java.len() * COMPILE_COST)?;
        let pattern = Arc::new(Self::compile(java, backtracking)?);
        CACHE.lock().keep(java, pattern.clone());
        Ok(pattern)
    }

    /// Whether it was compiled for the limits of this evaluation.
    pub(super) fn fits(&self, context: &Context<'_>) -> bool {
        self.backtracking == context.environment().limits.backtracking
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str, context: &mut Context<'_>) -> Result<bool, Fault> {
        context.spend(MATCH_COST + text.len() / 8)?;
        self.whole.is_match(text).map_err(|_| gave_up(context))
    }

    /// What a group matched, if the whole text matches and there is such a group.
    pub(super) fn group<'t>(
        &self,
        text: &'t str,
        group: usize,
        context: &mut Context<'_>,
    ) -> Result<Option<&'t str>, Fault> {
        context.spend(MATCH_COST + text.len() / 8)?;
        let captures = self.whole.captures(text).map_err(|_| gave_up(context))?;
        Ok(captures.and_then(|captures| captures.get(group)).map(|group| group.as_str()))
    }

    /// The text with every match replaced.
    pub(super) fn replace(&self, text: &str, value: &str, context: &mut Context<'_>) -> Result<String, Fault> {
        context.spend(MATCH_COST + text.len() / 8)?;
        let search = self.search.get_or_init(|| build(&self.translated, self.backtracking).ok()).as_ref();
        let search = search.ok_or_else(|| Fault::argument("this pattern can't be searched for"))?;
        // A replacement that makes no sense is an error only where there is something to replace.
        let mut replacement = None;
        let mut out = String::new();
        let mut from = 0;
        let mut at = 0;
        // As in Java an empty match may stand right behind another match: `.*` matches "ab" twice.
        while at <= text.len() {
            context.spend(4 + (text.len() - at) / UNREAD)?;
            let Some(captures) = search.captures_from_pos(text, at).map_err(|_| gave_up(context))? else { break };
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
}

fn build(pattern: &str, backtracking: usize) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(pattern);
    builder.backtrack_limit(backtracking).delegate_size_limit(LARGEST);
    builder.build().map_err(|error| error.to_string())
}

fn gave_up(context: &Context<'_>) -> Fault {
    let limit = context.environment().limits.backtracking;
    Fault::new(Code::TooManySteps, format!("the pattern needs more than {limit} backtracking steps on this text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern, 100_000).unwrap().whole.is_match(text).unwrap()
    }

    #[test]
    fn classes_are_those_of_ascii_and_lines_end_as_in_java() {
        assert!(whole(r"\d\w\s", "1a "));
        assert!(!whole(r"\d", "\u{663}"));
        assert!(!whole("a.b", "a\u{85}b"));
        assert!(whole("(?s)a.b", "a\nb"));
        assert!(whole(r"a$\n", "a\n"));
        assert!(whole("(?m)a$\n^b", "a\nb"));
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
        for pattern in ["(", ")", "*a", "[a", r"\", "a{", "a{2,1}", r"\y", "(?<n", r"\p{Nothing}", "[z-a]", "(?z)"] {
            assert!(Pattern::compile(pattern, 100_000).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_explodes_is_given_up() {
        let pattern = Pattern::compile(r"(?:(a+)+\1)+[^a][^c]", 100_000).unwrap();
        assert!(pattern.whole.is_match(&("a".repeat(64) + "xc")).is_err());
    }

    #[test]
    fn patterns_are_kept_by_text_and_limit_and_a_few_too_many_do_not_all_miss() {
        let mut cache = Cache::default();
        let pattern = |limit| Arc::new(Pattern::compile("a", limit).unwrap());
        cache.keep("a", pattern(1));
        cache.keep("a", pattern(2));
        cache.keep("a", pattern(2));
        assert_eq!(cache.patterns.len(), 2);
        assert_eq!(cache.get("a", 1).unwrap().backtracking, 1);
        let mut cache = Cache::default();
        let texts: Vec<String> = (0..=CACHE_SIZE).map(|number| format!("a{number}")).collect();
        let mut round = || {
            let missed = texts.iter().filter(|text| {
                let missed = cache.get(text, 1).is_none();
                if missed {
                    cache.keep(text, pattern(1));
                }
                missed
            });
            missed.count()
        };
        let rounds: Vec<usize> = (0..10).map(|_| round()).collect();
        assert_eq!(rounds[0], texts.len());
        assert!(rounds[1..].iter().all(|missed| *missed < CACHE_SIZE / 2), "{rounds:?}");
        assert!(cache.patterns.len() <= CACHE_SIZE);
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
