//! Lines of a file or of standard input, read by a thread of their own.
//!
//! A file is followed to whatever is appended, unless it is read once; one that is replaced under its name or made shorter is read from its new beginning.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Error, Source};
use crate::event::{Place, Raw};
use crate::pipeline::LONGEST_LINE;

/// Lines that are given at once.
const BATCH: usize = 512;
/// Bytes that are given at once, roughly.
const BATCH_BYTES: usize = 1 << 20;
/// Batches that wait to be taken.
const AHEAD: usize = 4;
/// How often the end of a file is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub struct Lines {
    batches: mpsc::Receiver<Result<Vec<Raw>, Error>>,
    /// Dropped with this: the thread's reason to end.
    _stop: Sender<()>,
}

impl Lines {
    /// The lines of a file; at its end it waits for more, unless it is read once.
    pub fn file(path: &Path, once: bool) -> Result<Self, Error> {
        let name = path.display().to_string();
        let open = || Tail::open(path.to_owned());
        let tail = open().map_err(|source| Error::Unreadable { name: name.clone(), source })?;
        Self::start(name, move |reader, stopped| tail.read(reader, once, stopped))
    }

    /// The lines of standard input. Each run gives its lines guids of their own, since nothing tells one input from another.
    pub fn standard_input() -> Result<Self, Error> {
        let identity: Arc<str> = format!("stdin {}", Uuid::new_v4()).into();
        Self::start("standard input".into(), move |sender, _| {
            let mut lines = LineReader::new(BufReader::new(io::stdin()), identity, 0);
            while let Some(batch) = lines.batch()? {
                if sender.blocking_send(Ok(batch)).is_err() {
                    return Ok(());
                }
            }
            if let Some(last) = lines.rest() {
                // An Err says that nobody reads any more.
                let _ = sender.blocking_send(Ok(vec![last]));
            }
            Ok(())
        })
    }

    fn start(
        name: String,
        read: impl FnOnce(&mpsc::Sender<Result<Vec<Raw>, Error>>, &Receiver<()>) -> io::Result<()> + Send + 'static,
    ) -> Result<Self, Error> {
        let (sender, batches) = mpsc::channel(AHEAD);
        let (stop, stopped) = channel();
        let of = name.clone();
        let thread = thread::Builder::new().name("lines".into()).spawn(move || {
            if let Err(source) = read(&sender, &stopped) {
                // An Err says that nobody reads any more.
                let _ = sender.blocking_send(Err(Error::Unreadable { name: of, source }));
            }
        });
        thread.map_err(|source| Error::Unreadable { name, source })?;
        Ok(Self { batches, _stop: stop })
    }
}

#[async_trait(?Send)]
impl Source for Lines {
    async fn next(&mut self) -> Result<Option<Vec<Raw>>, Error> {
        self.batches.recv().await.transpose()
    }

    fn acknowledge(&mut self, _: &[Place]) {}

    async fn close(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// A file that is followed.
struct Tail {
    path: PathBuf,
    file: File,
    inode: u64,
}

impl Tail {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path)?;
        let inode = file.metadata()?.ino();
        Ok(Self { path, file, inode })
    }

    fn read(
        mut self,
        sender: &mpsc::Sender<Result<Vec<Raw>, Error>>,
        once: bool,
        stopped: &Receiver<()>,
    ) -> io::Result<()> {
        loop {
            let shown = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
            let identity: Arc<str> = format!("{} {}", shown.display(), self.inode).into();
            let mut lines = LineReader::new(BufReader::with_capacity(256 << 10, &self.file), identity, 0);
            loop {
                while let Some(batch) = lines.batch()? {
                    if sender.blocking_send(Ok(batch)).is_err() {
                        return Ok(());
                    }
                }
                if once {
                    if let Some(last) = lines.rest() {
                        // An Err says that nobody reads any more.
                        let _ = sender.blocking_send(Ok(vec![last]));
                    }
                    return Ok(());
                }
                if stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                    return Ok(());
                }
                if self.file.metadata()?.len() < lines.offset || self.is_replaced() {
                    break;
                }
            }
            match Self::open(self.path.clone()) {
                Ok(tail) => self = tail,
                // Between being taken away and made again.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.file.seek(SeekFrom::End(0))?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn is_replaced(&self) -> bool {
        self.path.metadata().is_ok_and(|found| found.ino() != self.inode)
    }
}

/// Cuts bytes into lines and knows where each begins.
struct LineReader<R> {
    input: R,
    identity: Arc<str>,
    /// Of the line that is being read.
    start: u64,
    /// Of the next byte.
    offset: u64,
    /// The line so far; one that is too long keeps a byte more than the longest may have.
    line: Vec<u8>,
}

impl<R: BufRead> LineReader<R> {
    fn new(input: R, identity: Arc<str>, offset: u64) -> Self {
        Self { input, identity, start: offset, offset, line: Vec::new() }
    }

    /// The lines that can be read without waiting long; none at the end of what there is. A line without its end stays for the next time.
    fn batch(&mut self) -> io::Result<Option<Vec<Raw>>> {
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

    /// The last line, where it has no end.
    fn rest(&mut self) -> Option<Raw> {
        self.take()
    }

    /// The line that is complete; none where it is blank.
    fn take(&mut self) -> Option<Raw> {
        let mut bytes = std::mem::take(&mut self.line);
        let start = std::mem::replace(&mut self.start, self.offset);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let place = Place::File { identity: self.identity.clone(), offset: start };
        (!bytes.is_empty()).then(|| Raw::new(bytes, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn texts(batch: &[Raw]) -> Vec<(u64, String)> {
        let one = |raw: &Raw| match &raw.place {
            Place::File { offset, .. } => (*offset, String::from_utf8_lossy(&raw.bytes).into_owned()),
            Place::Topic { .. } => unreachable!("lines stand in files"),
        };
        batch.iter().map(one).collect()
    }

    #[tokio::test]
    async fn a_file_is_read_to_its_end_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\r\n\ntwo\nthree").unwrap();
        let mut lines = Lines::file(file.path(), true).unwrap();
        let mut all = Vec::new();
        while let Some(batch) = lines.next().await.unwrap() {
            all.extend(texts(&batch));
        }
        assert_eq!(all, [(0, "one".into()), (6, "two".into()), (10, "three".into())]);
    }

    #[tokio::test]
    async fn a_file_is_followed_and_read_anew_when_it_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        std::fs::write(&path, "one\nhal").unwrap();
        let mut lines = Lines::file(&path, false).unwrap();
        assert_eq!(texts(&lines.next().await.unwrap().unwrap()), [(0, "one".into())]);
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"f\nmore\n").unwrap();
        assert_eq!(texts(&lines.next().await.unwrap().unwrap()), [(4, "half".into()), (9, "more".into())]);
        std::fs::write(directory.path().join("new"), "fresh\n").unwrap();
        std::fs::rename(directory.path().join("new"), &path).unwrap();
        assert_eq!(texts(&lines.next().await.unwrap().unwrap()), [(0, "fresh".into())]);
    }

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
}
