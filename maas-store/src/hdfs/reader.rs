//! A file of HDFS that is read from any place in it, blocking. Each reading is a connection to a DataNode, so it takes more
//! than it is asked for: little after a jump, and twice as much each time while the reading goes straight on.

use super::files::Files;
use bytes::Bytes;
use hdfs_native::file::FileReader;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Bytes read after a jump.
const LEAST: u64 = 64 << 10;
/// Most bytes read at once.
const MOST: u64 = 4 << 20;

/// A file of HDFS, open for reading. It is as long as it was when it was opened.
pub struct SharedReader {
    files: Files,
    file: Arc<FileReader>,
    length: u64,
    /// Where the next byte is read.
    position: u64,
    /// What was read ahead, and where that begins in the file.
    window: Bytes,
    window_at: u64,
    ahead: u64,
}

impl SharedReader {
    pub(super) fn new(files: Files, file: FileReader) -> SharedReader {
        let length = file.file_length() as u64;
        let (window, window_at) = (Bytes::new(), 0);
        SharedReader { files, file: Arc::new(file), length, position: 0, window, window_at, ahead: LEAST }
    }

    /// What of the window lies at the position.
    fn here(&self) -> &[u8] {
        let at = self.position.checked_sub(self.window_at).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.window.get(at..)).unwrap_or_default()
    }

    fn read_ahead(&mut self) -> io::Result<()> {
        let goes_on = self.position == self.window_at + self.window.len() as u64;
        self.ahead = if goes_on { (self.ahead * 2).min(MOST) } else { LEAST };
        let length = self.ahead.min(self.length - self.position);
        let too_long = |_| io::Error::other("the file is too long for this machine");
        let (offset, length) =
            (usize::try_from(self.position).map_err(too_long)?, usize::try_from(length).map_err(too_long)?);
        self.window = self.files.read_part(&self.file, offset, length)?;
        self.window_at = self.position;
        Ok(())
    }
}

impl Read for SharedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.position >= self.length {
            return Ok(0);
        }
        if self.here().is_empty() {
            self.read_ahead()?;
        }
        let here = self.here();
        let count = here.len().min(buffer.len());
        buffer[..count].copy_from_slice(&here[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SharedReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = target.ok_or_else(|| io::Error::other("a place before the file's beginning"))?;
        Ok(self.position)
    }
}

impl fmt::Debug for SharedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedReader").field("position", &self.position).field("length", &self.length).finish()
    }
}
