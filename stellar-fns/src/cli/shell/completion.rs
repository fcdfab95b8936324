//! What can come next: completion and hints. Pure but for the names of models, which come from what was read last.

use crate::function::Functions;
use crate::lex::{Symbol, TokenKind, lex};

use super::commands;

/// Bytes of a line that is read at each key. A longer one was pasted, and nobody waits for help with it.
const LONGEST: usize = 4_096;

/// What completion knows.
pub(super) struct Words<'a> {
    pub functions: &'a Functions,
    pub variables: Vec<String>,
    pub models: Vec<String>,
}

/// Where what is completed begins, and what it can become.
pub(super) fn complete(line: &str, words: &Words<'_>) -> (usize, Vec<String>) {
    if line.len() > LONGEST {
        return (line.len(), Vec::new());
    }
    let trimmed = line.trim_start();
    if trimmed.starts_with('%') && !trimmed.contains(char::is_whitespace) {
        return (line.len() - trimmed.len(), beginning(commands::names(), trimmed));
    }
    if let Some(begins) = open_text(line) {
        let typed = &line[begins + 1..];
        let quote = &line[begins..=begins];
        let models = beginning(words.models.iter().map(String::as_str), typed);
        let asks =
            call_around(line, begins).is_some_and(|(name, argument)| name == "MAAS_GET_ENDPOINT" && argument == 0);
        let models = models.into_iter().filter(|_| asks).map(|name| format!("{name}{quote}"));
        return (begins + 1, models.collect());
    }
    let start = line
        .rfind(|char: char| !is_part_of_name(char))
        .map_or(0, |index| index + line[index..].chars().next().map_or(1, char::len_utf8));
    let typed = &line[start..];
    if let Some(question) = trimmed.strip_prefix('?') {
        let known = words.functions.iter().map(|function| function.doc().name);
        return (start, beginning(known, &question.trim().to_uppercase()));
    }
    if typed.is_empty() {
        return (start, Vec::new());
    }
    let mut found: Vec<String> = words
        .functions
        .iter()
        .map(|function| function.doc())
        .filter(|doc| doc.name.starts_with(&typed.to_uppercase()))
        .map(|doc| format!("{}({}", doc.name, if doc.parameters.is_empty() { ")" } else { "" }))
        .collect();
    found.extend(beginning(words.variables.iter().map(String::as_str), typed));
    (start, found)
}

fn beginning<'a>(all: impl Iterator<Item = &'a str>, typed: &str) -> Vec<String> {
    all.filter(|one| one.starts_with(typed)).map(str::to_owned).collect()
}

fn is_part_of_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || "_.:$".contains(char)
}

/// Where a text begins that isn't closed.
fn open_text(line: &str) -> Option<usize> {
    let (_, errors) = lex(line);
    errors.iter().find(|error| error.code == crate::error::Code::OpenText).map(|error| error.span.from)
}

/// The innermost call that is open at a place, and which of its arguments that place lies in.
fn call_around(line: &str, end: usize) -> Option<(String, usize)> {
    let (tokens, _) = lex(&line[..end]);
    let mut open: Vec<(Option<String>, usize)> = Vec::new();
    let mut before: Option<&TokenKind> = None;
    for token in &tokens {
        match &token.kind {
            TokenKind::Symbol(Symbol::Open) => {
                let name = before
                    .and_then(|kind| if let TokenKind::Name(name) = kind { Some(name.to_string()) } else { None });
                open.push((name, 0));
            }
            TokenKind::Symbol(Symbol::OpenList | Symbol::OpenMap) => open.push((None, 0)),
            TokenKind::Symbol(Symbol::Close | Symbol::CloseList | Symbol::CloseMap) => drop(open.pop()),
            TokenKind::Symbol(Symbol::Comma) => {
                if let Some((_, argument)) = open.last_mut() {
                    *argument += 1;
                }
            }
            _ => {}
        }
        before = Some(&token.kind);
    }
    let (name, argument) = open.pop()?;
    Some((name?, argument))
}

/// The parameters that the innermost open call still takes, shown behind what is typed.
pub(super) fn hint(line: &str, functions: &Functions) -> Option<String> {
    // Behind an argument only its end is to come; the parameters are shown where one begins.
    if line.len() > LONGEST || !line.trim_end().ends_with(['(', ',']) {
        return None;
    }
    if line.trim_start().starts_with(['#', '%', '?']) || open_text(line).is_some() {
        return None;
    }
    let (name, argument) = call_around(line, line.len())?;
    let doc = functions.get(&name)?.doc();
    let left: Vec<String> = doc
        .parameters
        .iter()
        .skip(argument)
        .map(|parameter| format!("{}{}", parameter.name, if parameter.optional { "?" } else { "" }))
        .collect();
    let space = if line.ends_with(',') { " " } else { "" };
    Some(format!("{space}{})", left.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(line: &str) -> (usize, Vec<String>) {
        let functions = Functions::standard();
        let words = Words {
            functions: &functions,
            variables: vec!["name".to_owned(), "nature".to_owned(), "ip.src".to_owned()],
            models: vec!["dga".to_owned(), "squid".to_owned()],
        };
        complete(line, &words)
    }

    #[test]
    fn functions_and_variables_are_completed_in_either_case() {
        assert_eq!(completed("1 + url_to_h"), (4, vec!["URL_TO_HOST(".to_owned()]));
        assert_eq!(completed("x := na"), (5, vec!["name".to_owned(), "nature".to_owned()]));
        assert_eq!(completed("F(ip.s"), (2, vec!["ip.src".to_owned()]));
        assert_eq!(completed("é+na").0, 3);
        assert_eq!(completed("GET_HASHES_A").1, ["GET_HASHES_AVAILABLE()"]);
        assert_eq!(completed("").1, [""; 0]);
    }

    #[test]
    fn commands_questions_and_models_are_completed() {
        assert_eq!(completed("%un"), (0, vec!["%undefine".to_owned()]));
        assert_eq!(completed("?url_to_h"), (1, vec!["URL_TO_HOST".to_owned()]));
        assert_eq!(completed("MAAS_GET_ENDPOINT('d"), (19, vec!["dga'".to_owned()]));
        assert_eq!(completed("F(MAAS_GET_ENDPOINT(\"").1, ["dga\"", "squid\""]);
        assert_eq!(completed("TO_UPPER('d").1, [""; 0]);
        assert_eq!(completed("MAAS_GET_ENDPOINT('dga', '").1, [""; 0]);
    }

    #[test]
    fn the_parameters_to_come_are_shown() {
        let functions = Functions::standard();
        let hint = |line| hint(line, &functions);
        assert_eq!(hint("MAAS_GET_ENDPOINT(").as_deref(), Some("name, version?)"));
        assert_eq!(hint("F(1, MAAS_GET_ENDPOINT('x',").as_deref(), Some(" version?)"));
        assert_eq!(hint("MAAS_GET_ENDPOINT('x'"), None);
        assert_eq!(hint("MAAS_GET_ENDPOINT(["), None);
        assert_eq!(hint("UNKNOWN("), None);
        let pasted = format!("F('{}', MAAS_GET_ENDPOINT(", "x".repeat(LONGEST));
        assert_eq!(hint(&pasted), None);
        assert_eq!(completed(&(pasted + "na")).1, [""; 0]);
    }
}
