//! Cuts bytes into lines. Where the bytes come from, and when there are more, is `lines`' and `tail`'s.

use std::io::{self, BufRead};
use std::sync::Arc;

use uuid::Uuid;

use crate::event::{Place, Raw};
use crate::pipeline::LONGEST_LINE;

/// Lines that are given at once.
const BATCH: usize = 512;
/// Bytes that are given at once, roughly.
const BATCH_BYTES: usize = 1 << 20;

/// Of the bytes that were read last, as many are known, and at times some more.
const RECENT: usize = 256;

/// Cuts bytes into lines and knows where each begins.
pub(super) struct LineReader<R> {
    input: R,
    identity: Arc<str>,
    /// Of the line that is being read.
    start: u64,
    /// Of the next byte.
    offset: u64,
    /// The line so far; one that is too long keeps a byte more than the longest may have.
    line: Vec<u8>,
    recent: Vec<u8>,
    /// Digest of the lines so far.
    so_far: Uuid,
}

impl<R: BufRead> LineReader<R> {
    pub(super) fn new(input: R, identity: Arc<str>, offset: u64) -> Self {
        Self { input, identity, start: offset, offset, line: Vec::new(), recent: Vec::new(), so_far: Uuid::nil() }
    }

    /// The lines that can be read without waiting long; none at the end of what there is. A line without its end stays for the next time.
    pub(super) fn batch(&mut self) -> io::Result<Option<Vec<Raw>>> {
        let mut lines = Vec::new();
        let mut bytes = 0;
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                return Ok((!lines.is_empty()).then_some(lines));
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = (LONGEST_LINE + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            let is_last = used == buffer.len();
            self.recent.extend_from_slice(&buffer[used.saturating_sub(RECENT)..used]);
            if self.recent.len() > 4 * RECENT {
                self.recent.drain(..self.recent.len() - RECENT);
            }
            self.input.consume(used);
            self.offset += used as u64;
            if end.is_some() {
                if let Some(raw) = self.take() {
                    bytes += raw.bytes.len();
                    lines.push(raw);
                }
                // What is left in the buffer is worth going on for, a read that may wait is not.
                if lines.len() >= BATCH || bytes >= BATCH_BYTES || (is_last && !lines.is_empty()) {
                    return Ok(Some(lines));
                }
            }
        }
    }

    /// Where the next byte stands.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes right before the next one.
    pub(super) fn recent(&self) -> &[u8] {
        &self.recent
    }

    /// What is read.
    pub(super) fn input(&self) -> &R {
        &self.input
    }

    /// The last line, where it has no end.
    pub(super) fn rest(&mut self) -> Option<Raw> {
        self.take()
    }

    /// The line that is complete; none where it is blank.
    fn take(&mut self) -> Option<Raw> {
        let mut bytes = std::mem::take(&mut self.line);
        let start = std::mem::replace(&mut self.start, self.offset);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        if bytes.is_empty() {
            return None;
        }
        self.so_far = Uuid::new_v5(&self.so_far, &bytes);
        let place = Place::File { identity: self.identity.clone(), offset: start, so_far: self.so_far };
        Some(Raw::new(bytes, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        let text = format!("{}\nshort\n", "x".repeat(LONGEST_LINE * 3));
        let mut reader = LineReader::new(text.as_bytes(), "f".into(), 0);
        let mut all = Vec::new();
        while let Some(batch) = reader.batch().unwrap() {
            all.extend(batch);
        }
        assert_eq!(all[0].bytes.len(), LONGEST_LINE + 1);
        assert_eq!(all[1].bytes, b"short");
    }

    fn guids(text: &str) -> Vec<String> {
        let mut reader = LineReader::new(text.as_bytes(), "f".into(), 0);
        let mut all = Vec::new();
        while let Some(batch) = reader.batch().unwrap() {
            all.extend(batch);
        }
        all.extend(reader.rest());
        all.iter().map(|line| line.guid("")).collect()
    }

    #[test]
    fn a_line_has_the_same_guid_for_as_long_as_nothing_before_it_is_another() {
        let (long, short) = (guids("header\n\none\nsame\n"), guids("header\n\none"));
        assert_eq!(long[..2], short);
        let other = guids("header\n\ntwo\nsame\n");
        assert_eq!(long[0], other[0]);
        assert_ne!(long[1], other[1], "another line at the same byte");
        assert_ne!(long[2], other[2], "the same line at the same byte, in a file that was another one before it");
        assert_ne!(guids("a\na\n")[0], guids("a\na\n")[1]);
    }
}
