//! A file's blocks, as Hadoop's `io.file.tfile.BCFile` lays them out, and one block's bytes.
//!
//! The end of the file tells where the index of its meta blocks is; one of these, `BCFile.index`, lists the data blocks. The number of bytes that the list
//! gives for a block before it was compressed is not gone by: Hadoop counts them in 31 bits.

use std::io::{Read, Seek, SeekFrom};

use flate2::{Decompress, FlushDecompress, Status};

use super::Error;
use super::number;

/// What a file begins and ends with.
pub(super) const MAGIC: [u8; 16] =
    [0xd1, 0x11, 0xd3, 0x68, 0x91, 0xb5, 0xd7, 0xb6, 0x39, 0xdf, 0x41, 0x40, 0x92, 0xba, 0xe1, 0x50];
/// The end of a file: where the index is, the version in two halves, and [`MAGIC`].
const TRAILER: u64 = 8 + 2 + 2 + 16;
/// What stands in front of the name of every meta block.
pub(super) const META: &str = "data:";
/// The list of data blocks.
pub(super) const INDEX: &str = "BCFile.index";
/// A block that only a TFile has.
pub(super) const TFILE: &str = "TFile.meta";

/// Most meta blocks that are looked through; a TFile has three.
const MOST_META: i64 = 64;
/// Most data blocks: each holds a quarter of a mebibyte or more, unless it is the last.
const MOST_BLOCKS: i64 = 1 << 20;
/// Longest name.
const LONGEST_NAME: i64 = 256;
/// Bytes that are read at once.
const WINDOW: usize = 64 << 10;
/// Decompressed bytes that are kept at once.
const OUTPUT: usize = 16 << 10;

/// How blocks are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    /// Called `gz`, though what it writes is zlib's format.
    Zlib,
}

impl Compression {
    fn named(name: &str) -> Result<Self, Error> {
        match name {
            "none" => Ok(Self::None),
            "gz" => Ok(Self::Zlib),
            other => Err(Error::Compression(other.to_owned())),
        }
    }
}

/// Where a block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) begin: u64,
    pub(super) end: u64,
}

/// The data blocks of a file.
#[derive(Debug)]
pub(super) struct Blocks {
    pub(super) regions: Vec<Region>,
    pub(super) compression: Compression,
}

impl Blocks {
    /// Reads the end of a file, and the lists that it leads to.
    pub(super) fn read<R: Read + Seek>(reader: &mut R) -> Result<Self, Error> {
        let length = reader.seek(SeekFrom::End(0))?;
        let Some(trailer) = length.checked_sub(TRAILER) else { return Err(Error::NotTFile) };
        let mut end = Block::new(Region { begin: trailer, end: length }, Compression::None);
        let index = u64::from_be_bytes(end.array(reader)?);
        let (major, minor) = (u16::from_be_bytes(end.array(reader)?), u16::from_be_bytes(end.array(reader)?));
        if end.array(reader)? != MAGIC {
            return Err(Error::NotTFile);
        }
        if major != 1 {
            return Err(Error::Version { major, minor });
        }
        if index > trailer {
            return Err(Error::Damaged { what: "where its index is", at: trailer });
        }
        let mut meta = Block::new(Region { begin: index, end: trailer }, Compression::None);
        let (mut list, mut is_tfile) = (None, false);
        for _ in 0..meta.count(reader, MOST_META, "the number of its meta blocks")? {
            let (name, compression) = (meta.text(reader)?, meta.text(reader)?);
            let region = meta.region(reader, trailer)?;
            match name.strip_prefix(META) {
                Some(INDEX) => list = Some((region, Compression::named(&compression)?)),
                Some(TFILE) => is_tfile = true,
                _ => {}
            }
        }
        let (Some((region, compression)), true) = (list, is_tfile) else { return Err(Error::NotTFile) };
        let mut list = Block::new(region, compression);
        let compression = Compression::named(&list.text(reader)?)?;
        let count = list.count(reader, MOST_BLOCKS, "the number of its blocks")?;
        let mut regions: Vec<Region> = Vec::new();
        for _ in 0..count {
            let region = list.region(reader, trailer)?;
            // One after another, as they were written: else a few bytes could be listed as many blocks, and be read as often.
            if regions.last().is_some_and(|last| region.begin < last.end) {
                return Err(list.damaged("where a block is"));
            }
            regions.push(region);
        }
        Ok(Self { regions, compression })
    }
}

/// One block's bytes, decompressed, from its beginning. The reader is lent with each call and may be sought in between.
#[derive(Debug)]
pub(super) struct Block {
    /// What was read and not yet taken.
    window: Vec<u8>,
    taken: usize,
    /// Where the reading goes on.
    next: u64,
    end: u64,
    inflate: Option<Inflate>,
}

#[derive(Debug)]
struct Inflate {
    state: Decompress,
    output: Vec<u8>,
    taken: usize,
    is_over: bool,
}

impl Block {
    pub(super) fn new(region: Region, compression: Compression) -> Self {
        let inflate = match compression {
            Compression::None => None,
            Compression::Zlib => {
                Some(Inflate { state: Decompress::new(true), output: Vec::new(), taken: 0, is_over: false })
            }
        };
        Self { window: Vec::new(), taken: 0, next: region.begin, end: region.end, inflate }
    }

    /// Where in the file this is, about.
    pub(super) fn near(&self) -> u64 {
        self.next.saturating_sub((self.window.len() - self.taken) as u64)
    }

    pub(super) fn damaged(&self, what: &'static str) -> Error {
        Error::Damaged { what, at: self.near() }
    }

    /// Some bytes; none at the end of the block.
    pub(super) fn fill<R: Read + Seek>(&mut self, reader: &mut R) -> Result<&[u8], Error> {
        if self.inflate.is_none() {
            self.fill_window(reader)?;
            return Ok(&self.window[self.taken..]);
        }
        loop {
            let is_wanted =
                self.inflate.as_ref().is_some_and(|state| state.taken == state.output.len() && !state.is_over);
            if !is_wanted {
                break;
            }
            self.fill_window(reader)?;
            self.decompress()?;
        }
        Ok(self.inflate.as_ref().map_or(&[][..], |state| &state.output[state.taken..]))
    }

    fn fill_window<R: Read + Seek>(&mut self, reader: &mut R) -> Result<(), Error> {
        if self.taken < self.window.len() {
            return Ok(());
        }
        let room = usize::try_from(self.end - self.next).map_or(WINDOW, |left| left.min(WINDOW));
        self.taken = 0;
        self.window.resize(room, 0);
        if room > 0 {
            reader.seek(SeekFrom::Start(self.next))?;
            reader.read_exact(&mut self.window).inspect_err(|_| self.window.clear())?;
            self.next += room as u64;
        }
        Ok(())
    }

    fn decompress(&mut self) -> Result<(), Error> {
        let near = self.near();
        let Some(inflate) = &mut self.inflate else { return Ok(()) };
        let input = &self.window[self.taken..];
        let (before_in, before_out) = (inflate.state.total_in(), inflate.state.total_out());
        inflate.output.resize(OUTPUT, 0);
        let status = inflate.state.decompress(input, &mut inflate.output, FlushDecompress::None);
        // Neither is more than it was given.
        let used = (inflate.state.total_in() - before_in) as usize;
        let given = (inflate.state.total_out() - before_out) as usize;
        inflate.output.truncate(given);
        inflate.taken = 0;
        let is_stuck = used == 0 && given == 0;
        self.taken += used;
        match status {
            Ok(Status::StreamEnd) => inflate.is_over = true,
            Ok(_) if !is_stuck => {}
            Ok(_) | Err(_) => return Err(Error::Damaged { what: "what is compressed", at: near }),
        }
        Ok(())
    }

    /// Counts bytes of the last [`fill`](Block::fill) as taken.
    pub(super) fn consume(&mut self, count: usize) {
        match &mut self.inflate {
            Some(inflate) => inflate.taken = (inflate.taken + count).min(inflate.output.len()),
            None => self.taken = (self.taken + count).min(self.window.len()),
        }
    }

    /// Leaves bytes out, and says how many there were of those.
    pub(super) fn skip<R: Read + Seek>(&mut self, reader: &mut R, count: u64) -> Result<u64, Error> {
        if self.inflate.is_none() {
            let here = (self.window.len() - self.taken) as u64;
            if count > here {
                let far = (count - here).min(self.end - self.next);
                self.taken = self.window.len();
                self.next += far;
                return Ok(here + far);
            }
        }
        let mut left = count;
        while left > 0 {
            let there = self.fill(reader)?.len();
            if there == 0 {
                break;
            }
            let now = usize::try_from(left).map_or(there, |left| left.min(there));
            self.consume(now);
            left -= now as u64;
        }
        Ok(count - left)
    }

    /// The next byte; `None` at the end of the block.
    pub(super) fn byte<R: Read + Seek>(&mut self, reader: &mut R) -> Result<Option<u8>, Error> {
        let byte = self.fill(reader)?.first().copied();
        self.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// All of these bytes.
    pub(super) fn exact<R: Read + Seek>(&mut self, reader: &mut R, into: &mut [u8]) -> Result<(), Error> {
        let mut at = 0;
        while at < into.len() {
            let there = self.fill(reader)?;
            let now = there.len().min(into.len() - at);
            if now == 0 {
                return Err(self.damaged("a block that ends early"));
            }
            into[at..at + now].copy_from_slice(&there[..now]);
            self.consume(now);
            at += now;
        }
        Ok(())
    }

    fn array<const N: usize, R: Read + Seek>(&mut self, reader: &mut R) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.exact(reader, &mut bytes)?;
        Ok(bytes)
    }

    /// A number; `None` at the end of the block.
    pub(super) fn number<R: Read + Seek>(&mut self, reader: &mut R) -> Result<Option<(i64, usize)>, Error> {
        let Some(first) = self.byte(reader)? else { return Ok(None) };
        let Some(count) = number::more_bytes(first) else { return Err(self.damaged("a number")) };
        let mut more = [0; 8];
        self.exact(reader, &mut more[..count])?;
        Ok(Some((number::decode(first, &more[..count]), 1 + count)))
    }

    fn count<R: Read + Seek>(&mut self, reader: &mut R, most: i64, what: &'static str) -> Result<i64, Error> {
        match self.number(reader)? {
            Some((count, _)) if (0..=most).contains(&count) => Ok(count),
            _ => Err(self.damaged(what)),
        }
    }

    fn text<R: Read + Seek>(&mut self, reader: &mut R) -> Result<String, Error> {
        let length = self.count(reader, LONGEST_NAME, "the length of a name")?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.exact(reader, &mut bytes)?;
        String::from_utf8(bytes).map_err(|_| self.damaged("a name"))
    }

    /// Where a block lies: in the file's first `limit` bytes.
    fn region<R: Read + Seek>(&mut self, reader: &mut R, limit: u64) -> Result<Region, Error> {
        let mut part = || match self.number(reader)? {
            Some((part, _)) => Ok(u64::try_from(part).ok()),
            None => Ok::<_, Error>(None),
        };
        let (begin, size, _raw) = (part()?, part()?, part()?);
        let end = begin.zip(size).and_then(|(begin, size)| begin.checked_add(size)).filter(|end| *end <= limit);
        match begin.zip(end) {
            Some((begin, end)) => Ok(Region { begin, end }),
            None => Err(self.damaged("where a block is")),
        }
    }
}
