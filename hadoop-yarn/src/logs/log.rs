//! Keys and values of a TFile, and what Hadoop's `yarn.logaggregation.AggregatedLogFormat` puts into them: the key is a container's id, the value a row of
//! its log files, each as name, length in digits, and bytes. Keys that are no container's id (`VERSION`, `APPLICATION_OWNER`, …) are passed over.

use std::io::{self, Read, Seek};

use super::Error;
use super::block::{Block, Blocks};
use super::value::{Chunk, Cursor};
use crate::types::ContainerId;

/// Longest key.
const LONGEST_KEY: i64 = 64 << 10;

/// An aggregated log file: what the containers of one application wrote on one node.
#[derive(Debug)]
pub struct AggregatedLog<R> {
    reader: R,
    blocks: Blocks,
    /// The block that comes after the cursor's.
    next_block: usize,
    cursor: Option<Cursor>,
    /// The container whose files are being listed.
    container: Option<ContainerId>,
}

/// One log file of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The container that wrote it.
    pub container: ContainerId,
    /// Its name in the container's log directory.
    pub name: String,
    /// Its length.
    pub length: u64,
    block: usize,
    offset: u64,
    chunk: Chunk,
}

impl<R: Read + Seek> AggregatedLog<R> {
    /// Reads where everything is. The bytes of log files are not touched.
    pub fn open(mut reader: R) -> Result<Self, Error> {
        let blocks = Blocks::read(&mut reader)?;
        Ok(Self { reader, blocks, next_block: 0, cursor: None, container: None })
    }

    /// The next log file, in the order in which they were collected; `None` after the last. It is passed over here, and read by
    /// [`contents`](Self::contents). An error may be about one container alone: what comes after it is the next container's, or nothing where the file
    /// can't be read on.
    pub fn next_entry(&mut self) -> Result<Option<LogEntry>, Error> {
        let entry = self.look_on();
        if let Err(error) = &entry
            && !(matches!(error, Error::Damaged { .. }) && self.leave_value())
        {
            (self.cursor, self.container, self.next_block) = (None, None, self.blocks.regions.len());
        }
        entry
    }

    /// Goes to the end of the value that is being read, which its chunks tell whatever they hold. Whether it could.
    fn leave_value(&mut self) -> bool {
        let (Some(_), Some(cursor)) = (self.container.take(), &mut self.cursor) else { return false };
        cursor.skip_value(&mut self.reader, u64::MAX).is_ok()
    }

    fn look_on(&mut self) -> Result<Option<LogEntry>, Error> {
        loop {
            let Some(cursor) = &mut self.cursor else {
                let Some(region) = self.blocks.regions.get(self.next_block) else { return Ok(None) };
                self.cursor = Some(Cursor::new(Block::new(*region, self.blocks.compression)));
                self.next_block += 1;
                continue;
            };
            if let Some(container) = self.container {
                match name_and_length(cursor, &mut self.reader)? {
                    Some((name, announced)) => {
                        let (offset, chunk) = (cursor.offset, cursor.chunk);
                        // One that shrank while it was collected has fewer bytes than were announced.
                        let length = cursor.skip_value(&mut self.reader, announced)?;
                        let block = self.next_block - 1;
                        return Ok(Some(LogEntry { container, name, length, block, offset, chunk }));
                    }
                    None => self.container = None,
                }
                continue;
            }
            match key(cursor, &mut self.reader)? {
                Some(key) => {
                    cursor.begin_value();
                    self.container = key.parse().ok();
                    if self.container.is_none() {
                        cursor.skip_value(&mut self.reader, u64::MAX)?;
                    }
                }
                None => self.cursor = None,
            }
        }
    }

    /// The bytes of a log file that [`next_entry`](Self::next_entry) has named.
    pub fn contents(&mut self, entry: &LogEntry) -> Result<Contents<'_, R>, Error> {
        let Some(region) = self.blocks.regions.get(entry.block) else {
            return Err(Error::Damaged { what: "an entry of another file", at: 0 });
        };
        let mut cursor = Cursor::new(Block::new(*region, self.blocks.compression));
        cursor.go_to(&mut self.reader, entry.offset, entry.chunk)?;
        Ok(Contents { reader: &mut self.reader, cursor, left: entry.length })
    }
}

/// The key of the next record; `None` at the end of the block.
fn key<R: Read + Seek>(cursor: &mut Cursor, reader: &mut R) -> Result<Option<String>, Error> {
    let Some(length) = cursor.number(reader)? else { return Ok(None) };
    // Two bytes of length stand before the text.
    if !(2..=LONGEST_KEY).contains(&length) {
        return Err(cursor.block.damaged("the length of a key"));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    cursor.exact(reader, &mut bytes)?;
    Ok(Some(text(bytes.split_off(2))))
}

/// A log file's name and the length that it was announced with; `None` at the end of the value.
fn name_and_length<R: Read + Seek>(cursor: &mut Cursor, reader: &mut R) -> Result<Option<(String, u64)>, Error> {
    let Some(name) = text_of_value(cursor, reader)? else { return Ok(None) };
    let length = text_of_value(cursor, reader)?.and_then(|length| length.parse().ok());
    match length {
        Some(length) => Ok(Some((name, length))),
        None => Err(cursor.block.damaged("the length of a log file")),
    }
}

/// A text with its length in two bytes in front, as Java's `writeUTF` has it; `None` at the end of the value.
fn text_of_value<R: Read + Seek>(cursor: &mut Cursor, reader: &mut R) -> Result<Option<String>, Error> {
    let mut length = [0; 2];
    if !cursor.exact_value(reader, &mut length)? {
        return Ok(None);
    }
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    if bytes.is_empty() || cursor.exact_value(reader, &mut bytes)? {
        Ok(Some(text(bytes)))
    } else {
        Err(cursor.block.damaged("a value that ends early"))
    }
}

/// Java's own form of UTF-8 differs from it only where names of log files have no business: NUL, and what is beyond the first 65,536 characters.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The bytes of one log file.
#[derive(Debug)]
pub struct Contents<'a, R> {
    reader: &'a mut R,
    cursor: Cursor,
    left: u64,
}

impl<R: Read + Seek> Read for Contents<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        let count = match self.cursor.read_value(self.reader, &mut into[..most]) {
            Ok(count) => count,
            Err(Error::Read(error)) => return Err(error),
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        };
        self.left -= count as u64;
        Ok(count)
    }
}
