//! Cuts what comes in pieces into whole lines, and shapes each: as it is, behind its instance's id, or as a document. Pure.

use bytes::Bytes;
use serde::Serialize;

/// Longest line that is kept together, bytes.
const LONGEST_LINE: usize = 1 << 20;

/// How lines of one of these instances are printed.
pub(super) fn shape(json: bool, ids: &[String], id: &str, stream: &'static str) -> Shape {
    match ids.len() {
        _ if json => Shape::Json { instance: id.to_string(), stream },
        0 | 1 => Shape::Plain,
        _ => Shape::Prefixed(format!("{id} | ")),
    }
}

/// How lines are printed.
pub(super) enum Shape {
    /// As they come.
    Plain,
    /// Each behind this.
    Prefixed(String),
    /// Each as a document.
    Json { instance: String, stream: &'static str },
}

/// One line as JSON.
#[derive(Debug, Serialize)]
struct Document<'a> {
    instance: &'a str,
    stream: &'a str,
    line: &'a str,
}

/// Cuts pieces into whole lines and shapes them.
pub(super) struct Lines {
    shape: Shape,
    partial: Vec<u8>,
}

impl Lines {
    pub(super) fn new(shape: Shape) -> Lines {
        Lines { shape, partial: Vec::new() }
    }

    /// The whole lines there are with this piece.
    pub(super) fn take(&mut self, piece: &Bytes) -> Vec<u8> {
        if matches!(self.shape, Shape::Plain) {
            return piece.to_vec();
        }
        self.partial.extend_from_slice(piece);
        let end = match self.partial.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if self.partial.len() > LONGEST_LINE => self.partial.len(),
            None => return Vec::new(),
        };
        let whole: Vec<u8> = self.partial.drain(..end).collect();
        self.shaped(&whole)
    }

    /// The last line, when it has no end.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        let rest = std::mem::take(&mut self.partial);
        if rest.is_empty() { rest } else { self.shaped(&rest) }
    }

    fn shaped(&self, whole: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(whole.len() + 64);
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            match &self.shape {
                Shape::Plain => text.extend_from_slice(line),
                Shape::Prefixed(prefix) => {
                    text.extend_from_slice(prefix.as_bytes());
                    text.extend_from_slice(line);
                }
                Shape::Json { instance, stream } => {
                    let line = String::from_utf8_lossy(line);
                    let document = Document { instance, stream, line: line.trim_end_matches('\r') };
                    // Three strings: writing them as JSON can't fail.
                    text.extend(serde_json::to_vec(&document).unwrap_or_default());
                }
            }
            text.push(b'\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_several_instances_are_whole_and_prefixed() {
        let mut lines = Lines::new(Shape::Prefixed("7f3a | ".into()));
        assert!(lines.take(&Bytes::from_static(b"hal")).is_empty());
        assert_eq!(lines.take(&Bytes::from_static(b"f\nnext\nlast")), b"7f3a | half\n7f3a | next\n");
        assert_eq!(lines.rest(), b"7f3a | last\n");
        assert!(lines.rest().is_empty());
        assert_eq!(Lines::new(Shape::Plain).take(&Bytes::from_static(b"as it is")), b"as it is");
    }

    #[test]
    fn as_json_each_line_is_a_document() {
        let mut lines = Lines::new(shape(true, &["7f3a".into()], "7f3a", "stderr"));
        let text = lines.take(&Bytes::from_static(b"said \"no\"\r\n\xff\nla"));
        let expected = "{\"instance\":\"7f3a\",\"stream\":\"stderr\",\"line\":\"said \\\"no\\\"\"}\n\
                        {\"instance\":\"7f3a\",\"stream\":\"stderr\",\"line\":\"\u{fffd}\"}\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
        assert_eq!(lines.rest(), b"{\"instance\":\"7f3a\",\"stream\":\"stderr\",\"line\":\"la\"}\n");
    }
}
