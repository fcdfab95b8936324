//! The lines of the input: whatever the bytes are, each line ends in a case or in what is wrong with it.

use std::io::{self, BufRead};

use serde_json::Value as Json;

use super::case::Unreadable;

/// Bytes that a line may have.
const LONGEST: usize = 64 << 20;

/// Cuts an input into lines that aren't blank.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    first: bool,
    /// Whether a line that isn't blank was read already and waits in the input.
    more: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::new(), first: true, more: false }
    }

    /// Whether more lines must be waited for.
    pub(super) fn are_all_read(&self) -> bool {
        !self.more
    }

    /// The next line, without its end and without a byte order mark at the start of the input; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<String, Unreadable>>> {
        loop {
            self.line.clear();
            let length = self.read_line()?;
            if length == 0 {
                return Ok(None);
            }
            let unreadable = |message: String| Ok(Some(Err(Unreadable { id: Json::Null, message })));
            if length > LONGEST {
                return unreadable(format!("a line of {length} bytes; the limit is {LONGEST}"));
            }
            let mut line = self.line.as_slice();
            if std::mem::take(&mut self.first) {
                line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            }
            let line = line.trim_ascii();
            if !line.is_empty() {
                return match std::str::from_utf8(line) {
                    Ok(line) => Ok(Some(Ok(line.to_owned()))),
                    Err(error) => unreadable(format!("not UTF-8 from byte {}", error.valid_up_to())),
                };
            }
        }
    }

    /// Reads up to the end of a line and gives the bytes there were; no more than fit are kept.
    fn read_line(&mut self) -> io::Result<usize> {
        let mut length = 0;
        loop {
            let available = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                available => available?,
            };
            let (used, ended) = match available.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (available.len(), available.is_empty()),
            };
            if length <= LONGEST {
                self.line.extend_from_slice(&available[..used]);
            }
            length += used;
            self.more = holds_line(&available[used..]);
            self.input.consume(used);
            if ended {
                return Ok(length);
            }
        }
    }
}

/// Whether there is a whole line that isn't blank.
fn holds_line(mut bytes: &[u8]) -> bool {
    while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
        if !bytes[..end].trim_ascii().is_empty() {
            return true;
        }
        bytes = &bytes[end + 1..];
    }
    false
}
