//! Data to stdout: lines, JSON, tables. A reader that closes the pipe is no error: the rest is thrown away.

use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// A writer that treats a closed pipe as the end of interest, not as an error.
pub struct Out<W: Write> {
    inner: W,
    closed: bool,
}

impl Out<io::Stdout> {
    /// Standard output.
    pub fn stdout() -> Self {
        Out::new(io::stdout())
    }
}

impl<W: Write> Out<W> {
    /// Wraps any writer.
    pub fn new(inner: W) -> Self {
        Out { inner, closed: false }
    }

    /// True once the reader has gone: streams may end then.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes one line and flushes it.
    pub fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        self.bytes(format!("{}\n", text.as_ref()).as_bytes())
    }

    /// Writes bytes as they are and flushes them.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = self.inner.write_all(bytes).and_then(|()| self.inner.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }

    /// Writes one JSON document on one line.
    pub fn json(&mut self, document: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(document)?;
        text.push(b'\n');
        self.bytes(&text)
    }

    /// Writes a table: a heading, then the rows, columns aligned, two spaces apart, no trailing blanks.
    pub fn table(&mut self, heading: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        self.bytes(table(heading, rows).as_bytes())
    }
}

/// A table as text. Control characters in cells are shown escaped.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let clean = |cell: &str| -> String {
        cell.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
    };
    let heading: Vec<String> = heading.iter().map(|cell| cell.to_string()).collect();
    let rows: Vec<Vec<String>> =
        std::iter::once(heading).chain(rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect())).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Whether stderr may have colour: a terminal, and no `NO_COLOR`.
pub fn stderr_is_colourful() -> bool {
    io::stderr().is_terminal() && !no_color()
}

fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_can_be_asked_for() {
        let mut out = Out::new(Closed);
        out.line("one").unwrap();
        assert!(out.is_closed());
        out.json(&1).unwrap();
    }

    #[test]
    fn a_table_is_aligned_and_shows_control_characters() {
        let rows = vec![vec!["dga".to_string(), "1.0".to_string()], vec!["long\tname".to_string(), String::new()]];
        assert_eq!(table(&["NAME", "VERSION"], &rows), "NAME        VERSION\ndga         1.0\nlong\\tname\n");
    }
}
