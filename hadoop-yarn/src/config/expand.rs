//! `${key}`, `${env.NAME}`, `${env.NAME-default}` and `${env.NAME:-default}` in values. Pure.

/// How many replacements Hadoop makes in one value.
const REPLACEMENTS: usize = 20;
/// Longest value that expansion may make.
const LONGEST: usize = 1 << 20;

/// A value that refers to others more often than Hadoop follows, or grows without bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooDeep;

/// Puts in what a value refers to. What is unknown stays as it is written.
pub(super) fn expand(
    value: &str,
    key: impl Fn(&str) -> Option<String>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<String, TooDeep> {
    let mut value = value.to_owned();
    // References that lead nowhere are stepped over.
    let mut from = 0;
    let mut replaced = 0;
    while let Some((start, end)) = innermost(&value, from) {
        let name = &value[start + 2..end];
        let found = match name.strip_prefix("env.") {
            Some(name) => of_environment(name, &env),
            None => key(name),
        };
        let Some(found) = found else {
            from = end;
            continue;
        };
        replaced += 1;
        if replaced > REPLACEMENTS || value.len() + found.len() > LONGEST {
            return Err(TooDeep);
        }
        value.replace_range(start..=end, &found);
        from = 0;
    }
    Ok(value)
}

/// The first reference after `from` that holds no other: where its `$` and its `}` are.
fn innermost(value: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while let Some(end) = value[at..].find('}').map(|found| at + found) {
        if let Some(start) = value[..end].rfind("${") {
            let name = &value[start + 2..end];
            if start >= from && !name.is_empty() && !name.contains(['$', ' ', '\n']) {
                return Some((start, end));
            }
        }
        at = end + 1;
    }
    None
}

fn of_environment(name: &str, env: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let (name, fallback, when_empty) = match (name.split_once(":-"), name.split_once('-')) {
        (Some((name, fallback)), _) => (name, Some(fallback), true),
        (None, Some((name, fallback))) => (name, Some(fallback), false),
        (None, None) => (name, None, false),
    };
    env(name).filter(|value| !(when_empty && value.is_empty())).or_else(|| fallback.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(value: &str) -> Result<String, TooDeep> {
        let key = |name: &str| match name {
            "a" => Some("1".to_owned()),
            "b" => Some("${a}2".to_owned()),
            "ab" => Some("inner".to_owned()),
            "n" => Some("b".to_owned()),
            "circle" => Some("${circle}x".to_owned()),
            _ => None,
        };
        let env = |name: &str| match name {
            "HOME" => Some("/root".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        expand(value, key, env)
    }

    #[test]
    fn references_are_followed_also_inside_one_another() {
        assert_eq!(known("x${a}y${b}z").unwrap(), "x1y12z");
        assert_eq!(known("${a${n}}").unwrap(), "inner");
        assert_eq!(known("${env.HOME}/x").unwrap(), "/root/x");
        assert_eq!(known("${env.NO-d}${env.NO:-e}${env.EMPTY-f}${env.EMPTY:-g}").unwrap(), "deg");
    }

    #[test]
    fn what_is_unknown_or_no_reference_stays() {
        for text in ["${unknown}", "${}", "$a", "${", "}", "${un known}", "${env.NO}", "a}b${unknown}c"] {
            assert_eq!(known(text).unwrap(), text);
        }
        assert_eq!(known("${unknown}${a}").unwrap(), "${unknown}1");
    }

    #[test]
    fn a_circle_is_an_error() {
        assert_eq!(known("${circle}"), Err(TooDeep));
    }

    proptest! {
        #[test]
        fn arbitrary_text_ends_without_a_panic(text in "[${}abe.:-]{0,60}") {
            let _ = known(&text);
        }
    }
}
