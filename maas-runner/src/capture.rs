//! What the model writes to stdout and stderr: read all the time, kept in two files of bounded size each.
//!
//! A thread per stream reads the pipe, so neither a slow disk nor a flood of output holds up the supervision, and a
//! model never blocks on a full pipe. A file that can't be written (full disk) loses lines, nothing else. Of stderr the
//! last lines are kept in memory for `exit.json`.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{PipeReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many lines of stderr are kept.
pub(crate) const TAIL_LINES: usize = 20;
/// Longest part of one line that is kept, bytes.
const TAIL_LINE_BYTES: usize = 2048;

/// The last lines of a stream.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    lines: VecDeque<Vec<u8>>,
    /// Whether the newest line still waits for its end.
    open: bool,
}

impl Tail {
    /// Takes in what was read, in pieces of any size.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !self.open {
                if self.lines.len() == TAIL_LINES {
                    self.lines.pop_front();
                }
                self.lines.push_back(Vec::new());
            }
            self.open = piece.last() != Some(&b'\n');
            if let Some(line) = self.lines.back_mut() {
                let text = piece.strip_suffix(b"\n").unwrap_or(piece);
                let room = TAIL_LINE_BYTES.saturating_sub(line.len());
                line.extend_from_slice(&text[..text.len().min(room)]);
            }
        }
    }

    /// The lines, oldest first; bytes that are no UTF-8 are replaced.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }
}

/// A file that is set aside as `<name>.1` when it has reached its limit, and begun anew.
#[derive(Debug)]
struct Rotated {
    path: PathBuf,
    limit: u64,
    written: u64,
    file: Option<File>,
}

impl Rotated {
    fn open(path: PathBuf, limit: u64) -> Self {
        let file = File::create(&path).ok();
        Rotated { path, limit: limit.max(1), written: 0, file }
    }

    /// Writes what it can and drops the rest.
    fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.written >= self.limit {
                self.rotate();
            }
            let room = usize::try_from(self.limit - self.written).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            if self.file.as_mut().is_none_or(|file| file.write_all(now).is_err()) {
                // Full disk: what was begun goes on in a new file as soon as there is room.
                self.file = fs::OpenOptions::new().append(true).create(true).open(&self.path).ok();
            }
            self.written += now.len() as u64;
            bytes = later;
        }
    }

    fn rotate(&mut self) {
        let mut older = self.path.clone().into_os_string();
        older.push(".1");
        let _full_disk = fs::rename(&self.path, older);
        self.file = File::create(&self.path).ok();
        self.written = 0;
    }
}

/// Both streams of one model.
#[derive(Debug)]
pub(crate) struct Capture {
    stderr: Arc<Mutex<Tail>>,
    ends: Receiver<()>,
    streams: usize,
}

impl Capture {
    /// Reads both pipes to their ends, into `directory/stdout` and `directory/stderr`.
    pub(crate) fn start(
        stdout: PipeReader,
        stderr: PipeReader,
        directory: &Path,
        limit: u64,
    ) -> std::io::Result<Capture> {
        let tail = Arc::new(Mutex::new(Tail::default()));
        let (sender, ends) = channel();
        for (name, mut pipe, kept) in [("stdout", stdout, None), ("stderr", stderr, Some(Arc::clone(&tail)))] {
            let mut file = Rotated::open(directory.join(name), limit);
            let sender = sender.clone();
            std::thread::Builder::new().name(name.to_string()).spawn(move || {
                let mut buffer = vec![0u8; 64 << 10];
                loop {
                    match pipe.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(length) => {
                            if let Some(tail) = &kept {
                                tail.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..length]);
                            }
                            file.write(&buffer[..length]);
                        }
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        Err(_) => break,
                    }
                }
                let _nobody_waits = sender.send(());
            })?;
        }
        Ok(Capture { stderr: tail, ends, streams: 2 })
    }

    /// The last lines of stderr, once both pipes are read to their ends or `patience` is over.
    pub(crate) fn last_lines(&mut self, patience: Duration) -> Vec<String> {
        while self.streams > 0 && self.ends.recv_timeout(patience).is_ok() {
            self.streams -= 1;
        }
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).lines()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_whatever_the_pieces() {
        let mut tail = Tail::default();
        let text: String = (0..30).map(|number| format!("line {number}\n")).collect();
        for piece in text.as_bytes().chunks(3) {
            tail.push(piece);
        }
        tail.push(b"unfinished");
        let lines = tail.lines();
        assert_eq!(lines.len(), TAIL_LINES);
        assert_eq!(lines.first().unwrap(), "line 11");
        assert_eq!(lines.last().unwrap(), "unfinished");
    }

    #[test]
    fn a_line_without_end_does_not_grow_for_ever() {
        let mut tail = Tail::default();
        for _ in 0..100 {
            tail.push(&[b'x'; 1000]);
        }
        assert_eq!(tail.lines(), ["x".repeat(TAIL_LINE_BYTES)]);
    }

    #[test]
    fn output_beyond_the_limit_is_kept_in_two_files_of_that_size() {
        let directory = tempfile::tempdir().unwrap();
        let (stdout, mut writer) = std::io::pipe().unwrap();
        let (stderr, _) = std::io::pipe().unwrap();
        let mut capture = Capture::start(stdout, stderr, directory.path(), 1000).unwrap();
        for _ in 0..50 {
            writer.write_all(&[b'y'; 777]).unwrap();
        }
        writer.write_all(b"end").unwrap();
        drop(writer);
        assert!(capture.last_lines(Duration::from_secs(10)).is_empty());
        let newest = fs::read(directory.path().join("stdout")).unwrap();
        assert!(newest.ends_with(b"end") && newest.len() <= 1000);
        assert_eq!(fs::read(directory.path().join("stdout.1")).unwrap().len(), 1000);
    }

    #[test]
    fn a_directory_that_cannot_be_written_does_not_stop_the_reading() {
        let (stdout, mut writer) = std::io::pipe().unwrap();
        let (stderr, mut errors) = std::io::pipe().unwrap();
        let mut capture = Capture::start(stdout, stderr, Path::new("/nowhere/at/all"), 10).unwrap();
        errors.write_all(b"kept\n").unwrap();
        writer.write_all(&[b'z'; 300_000]).unwrap();
        drop((writer, errors));
        assert_eq!(capture.last_lines(Duration::from_secs(10)), ["kept"]);
    }
}
