//! A value inside a block: a row of chunks, each with its length in front, as Hadoop's `io.file.tfile.Chunk` writes them.
//!
//! A negative length stands before a chunk that another follows; the length of the last one is not negative.

use std::io::{Read, Seek};

use super::Error;
use super::block::Block;

/// Where the reading of a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Chunk {
    /// Bytes of this chunk that are left.
    left: u64,
    is_last: bool,
}

/// A block, and how many of its bytes were taken.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) block: Block,
    pub(super) offset: u64,
    pub(super) chunk: Chunk,
}

impl Cursor {
    pub(super) fn new(block: Block) -> Self {
        Self { block, offset: 0, chunk: Chunk::default() }
    }

    /// A number outside of values; `None` at the end of the block.
    pub(super) fn number<R: Read + Seek>(&mut self, reader: &mut R) -> Result<Option<i64>, Error> {
        let Some((value, length)) = self.block.number(reader)? else { return Ok(None) };
        self.offset += length as u64;
        Ok(Some(value))
    }

    /// Bytes outside of values.
    pub(super) fn exact<R: Read + Seek>(&mut self, reader: &mut R, into: &mut [u8]) -> Result<(), Error> {
        self.block.exact(reader, into)?;
        self.offset += into.len() as u64;
        Ok(())
    }

    /// A value begins here.
    pub(super) fn begin_value(&mut self) {
        self.chunk = Chunk::default();
    }

    /// Goes to a place of this block, ahead, that lies inside a value.
    pub(super) fn go_to<R: Read + Seek>(&mut self, reader: &mut R, offset: u64, chunk: Chunk) -> Result<(), Error> {
        self.offset += self.block.skip(reader, offset.saturating_sub(self.offset))?;
        self.chunk = chunk;
        if self.offset == offset { Ok(()) } else { Err(self.block.damaged("a block that ends early")) }
    }

    /// Bytes that the value has here; 0 at its end.
    fn chunk_left<R: Read + Seek>(&mut self, reader: &mut R) -> Result<u64, Error> {
        while self.chunk.left == 0 && !self.chunk.is_last {
            let Some(length) = self.number(reader)?.and_then(|length| i32::try_from(length).ok()) else {
                return Err(self.block.damaged("the length of a chunk"));
            };
            self.chunk = Chunk { left: length.unsigned_abs().into(), is_last: length >= 0 };
        }
        Ok(self.chunk.left)
    }

    /// Some bytes of the value, into this; 0 at its end.
    pub(super) fn read_value<R: Read + Seek>(&mut self, reader: &mut R, into: &mut [u8]) -> Result<usize, Error> {
        let left = self.chunk_left(reader)?;
        if left == 0 || into.is_empty() {
            return Ok(0);
        }
        let there = self.block.fill(reader)?;
        let most = usize::try_from(left).map_or(into.len(), |left| left.min(into.len()));
        let count = there.len().min(most);
        into[..count].copy_from_slice(&there[..count]);
        if count == 0 {
            return Err(self.block.damaged("a chunk that ends early"));
        }
        self.take(count as u64);
        self.block.consume(count);
        Ok(count)
    }

    /// Leaves bytes of the value out, and says how many there were of those.
    pub(super) fn skip_value<R: Read + Seek>(&mut self, reader: &mut R, count: u64) -> Result<u64, Error> {
        let mut skipped = 0;
        while skipped < count {
            let now = self.chunk_left(reader)?.min(count - skipped);
            if now == 0 {
                break;
            }
            if self.block.skip(reader, now)? < now {
                return Err(self.block.damaged("a chunk that ends early"));
            }
            self.take(now);
            skipped += now;
        }
        Ok(skipped)
    }

    fn take(&mut self, count: u64) {
        self.chunk.left -= count;
        self.offset += count;
    }

    /// Fills this with bytes of the value; `false` when the value ends before the first of them.
    pub(super) fn exact_value<R: Read + Seek>(&mut self, reader: &mut R, into: &mut [u8]) -> Result<bool, Error> {
        let mut at = 0;
        while at < into.len() {
            match self.read_value(reader, &mut into[at..])? {
                0 if at == 0 => return Ok(false),
                0 => return Err(self.block.damaged("a value that ends early")),
                count => at += count,
            }
        }
        Ok(true)
    }
}
