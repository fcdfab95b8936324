//! A file that is followed to whatever is appended.
//!
//! Logs are rotated in two ways: the file is renamed and another one takes its name, or it is copied and cut to nothing (logrotate's copytruncate). A file that was renamed
//! is read to its end before the next one is opened, since its writer goes on with it for a while. One that was cut is read from its start, also where it has grown again since.
//! What was renamed twice between two looks is not found: which names a file goes by then, only the one that rotates knows.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, ErrorKind, Seek};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::Error;
use super::line_reader::LineReader;
use crate::event::Raw;

/// How often the end of a file is looked at.
const LOOK: Duration = Duration::from_millis(100);

type Reader = LineReader<BufReader<File>>;
type Sender = mpsc::Sender<Result<Vec<Raw>, Error>>;

/// See the module.
pub(super) struct Tail {
    path: PathBuf,
    lines: Reader,
    identity: Arc<str>,
    /// Device and inode.
    key: (u64, u64),
}

impl Tail {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let shown = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let identity: Arc<str> = format!("{} {}", shown.display(), metadata.ino()).into();
        let lines = reader(file, &identity);
        Ok(Self { path: path.to_owned(), lines, identity, key: key(&metadata) })
    }

    /// Sends all lines there are; unless it is read once, then those that come until it is stopped.
    pub(super) fn read(mut self, sender: &Sender, once: bool, stopped: &Receiver<()>) -> io::Result<()> {
        loop {
            if !self.send_lines(sender)? || (once && !self.send_rest(sender)) {
                return Ok(());
            }
            if once || stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                return Ok(());
            }
            if let Some(next) = self.successor()? {
                // The next one has lines: whoever writes has done with this one.
                if !self.send_lines(sender)? || !self.send_rest(sender) {
                    return Ok(());
                }
                self = next;
            }
        }
    }

    /// Sends what can be read to the end of the file. False where nobody takes it any more.
    fn send_lines(&mut self, sender: &Sender) -> io::Result<bool> {
        loop {
            // Only before the file is read again: what was read before it was cut are lines too.
            if self.lines.input().buffer().is_empty() && self.is_cut()? {
                if !self.send_rest(sender) {
                    return Ok(false);
                }
                self.begin_anew()?;
            }
            let Some(batch) = self.lines.batch()? else { return Ok(true) };
            if sender.blocking_send(Ok(batch)).is_err() {
                return Ok(false);
            }
        }
    }

    /// Sends the line that has no end, where no more of it can come. False where nobody takes it any more.
    fn send_rest(&mut self, sender: &Sender) -> bool {
        self.lines.rest().is_none_or(|last| sender.blocking_send(Ok(vec![last])).is_ok())
    }

    /// The file that has this one's name now, once there is something in it.
    fn successor(&self) -> io::Result<Option<Self>> {
        // Nothing has the name between a file's being taken away and the next one's being made.
        if !self.path.metadata().is_ok_and(|found| key(&found) != self.key && found.len() > 0) {
            return Ok(None);
        }
        match Self::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            next => next.map(Some),
        }
    }

    /// Whether the bytes that were read last are no longer where they stood.
    fn is_cut(&self) -> io::Result<bool> {
        let (file, read) = (self.lines.input().get_ref(), self.lines.recent());
        if !file.metadata()?.is_file() {
            return Ok(false);
        }
        let mut now = vec![0; read.len()];
        match file.read_exact_at(&mut now, self.lines.offset() - read.len() as u64) {
            Ok(()) => Ok(now != read),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        let mut file = self.lines.input().get_ref().try_clone()?;
        file.rewind()?;
        self.lines = reader(file, &self.identity);
        Ok(())
    }
}

fn reader(file: File, identity: &Arc<str>) -> Reader {
    LineReader::new(BufReader::with_capacity(256 << 10, file), identity.clone(), 0)
}

fn key(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
