//! A log that a cluster's node has: its end, and what is appended, through the node's own HTTP.
//!
//! A NodeManager gives the last bytes of a file with its length before them. It leaves to [`super::logs`] whose log it is.

use super::error::Refusal;
use bytes::Bytes;
use maas_cli::ErrorCode;
use std::time::Duration;

/// The most that is asked of a node at once, bytes.
const MOST: u64 = 1 << 20;
/// What is asked of it again and again.
const LITTLE: u64 = 16 << 10;
/// How long it may take.
const ANSWERS_IN: Duration = Duration::from_secs(10);

/// A file of a node, read up to somewhere.
pub(super) struct NodeFile {
    node: String,
    path: String,
    /// How much of it was given.
    seen: u64,
}

impl NodeFile {
    /// Its last lines, and the file to go on with.
    pub(super) async fn open(node: &str, path: &str, lines: usize) -> Result<(Bytes, NodeFile), Refusal> {
        let mut file = NodeFile { node: node.to_string(), path: path.to_string(), seen: 0 };
        let answer = file.ask(MOST).await.map_err(|why| {
            let detail = format!("{node} does not give it: {why}; maas_deploy logs has it after the application's end");
            Refusal::new(ErrorCode::NoLogs, detail)
        })?;
        let said = Said::read(&answer, MOST);
        file.seen = said.length;
        let all: Vec<&[u8]> = said.text.split_inclusive(|byte| *byte == b'\n').collect();
        let skipped = all.len().saturating_sub(lines);
        Ok((Bytes::from(all.get(skipped..).unwrap_or_default().concat()), file))
    }

    /// What was appended since it was asked last. What is more than a node gives at once loses its beginning.
    pub(super) async fn more(&mut self) -> Result<Bytes, String> {
        let (mut answer, mut asked) = (self.ask(LITTLE).await?, LITTLE);
        if Said::read(&answer, asked).length > self.seen.saturating_add(asked) {
            (answer, asked) = (self.ask(MOST).await?, MOST);
        }
        let said = Said::read(&answer, asked);
        let text = Bytes::copy_from_slice(said.after(self.seen));
        self.seen = said.length;
        Ok(text)
    }

    async fn ask(&self, bytes: u64) -> Result<Bytes, String> {
        crate::service::fetch(&self.node, &format!("{}?size=-{bytes}", self.path), ANSWERS_IN).await
    }
}

/// A node's answer without what it puts around a log.
#[derive(Debug, PartialEq)]
struct Said<'a> {
    /// Of the whole file.
    length: u64,
    /// Its end.
    text: &'a [u8],
}

impl Said<'_> {
    /// Reads the answer to a question for the last `asked` bytes.
    fn read(answer: &[u8], asked: u64) -> Said<'_> {
        const LENGTH: &[u8] = b"\nLogLength:";
        const BEGIN: &[u8] = b"\nLogContents:\n";
        let plain = || Said { length: u64::try_from(answer.len()).unwrap_or(u64::MAX), text: answer };
        let Some(begin) = find(answer, BEGIN) else { return plain() };
        let (head, rest) = answer.split_at(begin);
        let rest = rest.get(BEGIN.len()..).unwrap_or_default();
        let digits = find(head, LENGTH).and_then(|at| head.get(at + LENGTH.len()..)).unwrap_or_default();
        let digits = digits.split(|byte| !byte.is_ascii_digit()).next().unwrap_or_default();
        let Some(length) = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok()) else {
            return plain();
        };
        // What follows the text is the node's own.
        let given = usize::try_from(length.min(asked)).unwrap_or(usize::MAX).min(rest.len());
        Said { length, text: rest.get(..given).unwrap_or_default() }
    }

    /// What lies behind the first `seen` bytes of the file. One that became shorter was begun anew.
    fn after(&self, seen: u64) -> &[u8] {
        let new = if self.length < seen { self.length } else { self.length - seen };
        let new = usize::try_from(new).unwrap_or(usize::MAX).min(self.text.len());
        self.text.get(self.text.len() - new..).unwrap_or_default()
    }
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    text.windows(mark.len()).position(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, asked: u64) -> Said<'_> {
        Said::read(text.as_bytes(), asked)
    }

    #[test]
    fn what_a_node_puts_around_a_log_is_taken_off() {
        let whole = "Container: c on n:1\nLogType:stdout\nLogLength:8\nLogContents:\none\ntwo\n\nEnd of LogType:stdout.This log file\n***\n";
        assert_eq!(said(whole, 100), Said { length: 8, text: b"one\ntwo\n" });
        let end = "LogType:stdout\nLogLength:100\nLogContents:\ntwo\n\nEnd of LogType:stdout";
        assert_eq!(said(end, 4), Said { length: 100, text: b"two\n" });
        assert_eq!(said("one\ntwo", 4), Said { length: 7, text: b"one\ntwo" }, "what is put around nothing");
        assert_eq!(said("LogLength:9\nLogContents:\none", 4).text.len(), 28, "what nothing was ever put around so");
        assert_eq!(said("x\nLogLength:9\nLogContents:\none", 4).text, b"one", "cut off");
    }

    #[test]
    fn only_what_is_new_is_given() {
        let end = said("LogType:stdout\nLogLength:100\nLogContents:\nthree\nfour\n\nEnd of LogType:stdout", 11);
        assert_eq!(end.after(95), b"four\n");
        assert_eq!(end.after(100), b"");
        assert_eq!(end.after(20), b"three\nfour\n", "what is left of it");
        assert_eq!(said("x\nLogLength:4\nLogContents:\none\n", 9).after(100), b"one\n", "begun anew");
    }
}
