//! REGEX_SELECT: the name of the first group of patterns of which one is found in the field.

use fancy_regex::{Regex, RegexBuilder};
use stellar_fns::Value;
use stellar_fns::regex::translate;
use stellar_fns::value::Text;

use super::Trouble;
use crate::config::Error;
use crate::message::Message;

/// Steps of backtracking before a pattern is given up.
const BACKTRACKING: usize = 100_000;

#[derive(Debug)]
pub(super) struct RegexSelect(Vec<Choice>);

#[derive(Debug)]
struct Choice {
    name: Text,
    key: String,
    patterns: Vec<(String, Regex)>,
}

impl RegexSelect {
    pub(super) fn compile(key: &str, config: &Message) -> Result<Self, Error> {
        let mut choices = Vec::with_capacity(config.len());
        for (name, value) in config.iter() {
            let key = format!("{key}.config.{name}");
            let mut patterns = Vec::new();
            match value {
                Value::Text(pattern) => patterns.push(compile(&key, pattern)?),
                Value::List(list) => {
                    for pattern in list.read().iter() {
                        patterns.push(compile(&key, &pattern.to_string())?);
                    }
                }
                _ => return Err(Error::value(key, "must be a pattern or a list of patterns")),
            }
            choices.push(Choice { name: name.clone(), key, patterns });
        }
        Ok(Self(choices))
    }

    pub(super) fn choose(&self, value: &Value) -> Result<Option<Text>, Trouble> {
        if value.is_null() {
            return Ok(None);
        }
        let text = value.to_string();
        for choice in &self.0 {
            for (source, pattern) in &choice.patterns {
                let found = pattern
                    .is_match(&text)
                    .map_err(|_| Trouble::Pattern { key: choice.key.clone(), pattern: source.clone() })?;
                if found {
                    return Ok(Some(choice.name.clone()));
                }
            }
        }
        Ok(None)
    }
}

fn compile(key: &str, pattern: &str) -> Result<(String, Regex), Error> {
    let wrong = |error: String| Error::value(key, format!("{pattern:?} is no pattern: {error}"));
    let translated = translate(pattern).map_err(wrong)?;
    let mut builder = RegexBuilder::new(&translated);
    builder.backtrack_limit(BACKTRACKING);
    Ok((pattern.to_owned(), builder.build().map_err(|error| wrong(error.to_string()))?))
}
