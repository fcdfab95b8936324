//! Quoting for launch contexts.
//!
//! A NodeManager joins a container's command by blanks and runs it as `exec /bin/bash -c "…"`, so it is read twice: once between double quotes,
//! once by the inner shell. Values of variables stand between double quotes. Checked on Hadoop 3.5.0 with all printable characters. `{{NAME}}`, `<LOG_DIR>`
//! and `<CPS>` are replaced by the NodeManager before any shell sees them, and can't be quoted.

/// A command of these words, each taken literally, for [`LaunchContext::commands`](crate::types::LaunchContext::commands). Redirections and other shell text are added by the caller.
///
/// ```
/// let line = format!("{} 1><LOG_DIR>/stdout", hadoop_yarn::shell::command(["echo", "it costs $5"]));
/// assert_eq!(line, r"'echo' 'it costs \$5' 1><LOG_DIR>/stdout");
/// ```
pub fn command<Word: AsRef<str>>(words: impl IntoIterator<Item = Word>) -> String {
    let words: Vec<String> = words
        .into_iter()
        .map(|word| between_double_quotes(&format!("'{}'", word.as_ref().replace('\'', r#"'"'"'"#))))
        .collect();
    words.join(" ")
}

/// A value, taken literally, for [`LaunchContext::environment`](crate::types::LaunchContext::environment).
pub fn environment_value(value: &str) -> String {
    between_double_quotes(value)
}

fn between_double_quotes(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if matches!(character, '\\' | '"' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// What a NodeManager's launch script does with a command and a variable.
    fn as_a_node_manager_runs_it(words: &[String], value: &str) -> String {
        let script = format!("export V=\"{}\"\nexec /bin/bash -c \"{}\"\n", environment_value(value), command(words));
        let output = Command::new("/bin/bash").arg("-c").arg(script).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn every_word_and_value_arrives_as_it_was(words in proptest::collection::vec("[ -~\t\u{e4}\u{20ac}]{0,12}", 0..4), value in "[ -~\t\u{e4}]{0,20}") {
            let mut call = vec!["/bin/sh".to_owned(), "-c".to_owned(), r#"printf '%s\n' "$V"; for w; do printf '<%s>' "$w"; done"#.to_owned(), "sh".to_owned()];
            call.extend(words.iter().cloned());
            let expected: String = words.iter().map(|word| format!("<{word}>")).collect();
            prop_assert_eq!(as_a_node_manager_runs_it(&call, &value), format!("{value}\n{expected}"));
        }
    }
}
