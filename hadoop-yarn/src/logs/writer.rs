//! Writes aggregated log files for the tests, in the layout that the reader's modules describe.

use std::io::Write as _;

use flate2::write::ZlibEncoder;

use super::block::{INDEX, MAGIC, META, TFILE};

/// Appends a number of variable length.
pub(super) fn number(out: &mut Vec<u8>, value: i64) {
    if (-32..128).contains(&value) {
        return out.push(value.to_be_bytes()[7]);
    }
    let bytes = value.to_be_bytes();
    // For each length: the half-open range of the first byte's share, and what is taken from it.
    for (more, high, base) in [(1, 20, 52), (2, 16, 88), (3, 8, 112)] {
        let share = value >> (8 * more);
        if (-high..high).contains(&share) {
            out.push((share - base).to_be_bytes()[7]);
            return out.extend(&bytes[8 - more as usize..]);
        }
    }
    let more = (4..8).find(|more| (-(1i64 << (8 * more - 1))..1i64 << (8 * more - 1)).contains(&value)).unwrap_or(8);
    out.push((more as i64 - 129).to_be_bytes()[7]);
    out.extend(&bytes[8 - more as usize..]);
}

/// A text with its length in two bytes in front.
pub(super) fn utf(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    out.extend(text.as_bytes());
}

/// A container's log files as a value.
pub(super) fn logs(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut value = Vec::new();
    for (name, bytes) in files {
        utf(&mut value, name);
        utf(&mut value, &bytes.len().to_string());
        value.extend(*bytes);
    }
    value
}

/// An aggregated log file in the making.
pub(super) struct Writer {
    bytes: Vec<u8>,
    compression: &'static str,
    chunk: usize,
    block: Vec<u8>,
    regions: Vec<[usize; 3]>,
}

impl Writer {
    /// Compressed by this, values in chunks of so many bytes.
    pub(super) fn new(compression: &'static str, chunk: usize) -> Self {
        let mut writer = Self { bytes: MAGIC.to_vec(), compression, chunk, block: Vec::new(), regions: Vec::new() };
        writer.record("VERSION", &1u32.to_be_bytes());
        let mut acls = Vec::new();
        ["MODIFY_APP", " ", "VIEW_APP", " "].iter().for_each(|text| utf(&mut acls, text));
        writer.record("APPLICATION_ACL", &acls);
        let mut owner = Vec::new();
        utf(&mut owner, "alice");
        writer.record("APPLICATION_OWNER", &owner);
        writer
    }

    /// Adds a key and its value.
    pub(super) fn record(&mut self, key: &str, value: &[u8]) {
        let mut bytes = Vec::new();
        utf(&mut bytes, key);
        number(&mut self.block, bytes.len() as i64);
        self.block.extend(bytes);
        let mut rest = value;
        while rest.len() > self.chunk {
            number(&mut self.block, -(self.chunk as i64));
            self.block.extend(&rest[..self.chunk]);
            rest = &rest[self.chunk..];
        }
        number(&mut self.block, rest.len() as i64);
        self.block.extend(rest);
    }

    /// Ends the block that is being written.
    pub(super) fn end_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        let region = self.add(&block, self.compression);
        self.regions.push(region);
    }

    /// Lists the last block once more.
    pub(super) fn repeat_block(&mut self) {
        self.regions.extend(self.regions.last().copied());
    }

    fn add(&mut self, block: &[u8], compression: &str) -> [usize; 3] {
        let begin = self.bytes.len();
        if compression == "gz" {
            let mut encoder = ZlibEncoder::new(&mut self.bytes, flate2::Compression::fast());
            encoder.write_all(block).unwrap();
            encoder.finish().unwrap();
        } else {
            self.bytes.extend(block);
        }
        [begin, self.bytes.len() - begin, block.len()]
    }

    /// The whole file.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.end_block();
        let compression = self.compression;
        let mut list = Vec::new();
        text(&mut list, compression);
        number(&mut list, self.regions.len() as i64);
        self.regions.iter().flatten().for_each(|part| number(&mut list, *part as i64));
        let meta = self.add(&[0, 1, 0, 0, 3, 0], "none");
        let index = self.add(&[0, 0], compression);
        let list = self.add(&list, compression);
        let at = self.bytes.len() as u64;
        number(&mut self.bytes, 3);
        for (name, compression, region) in
            [(INDEX, compression, list), ("TFile.index", compression, index), (TFILE, "none", meta)]
        {
            text(&mut self.bytes, &format!("{META}{name}"));
            text(&mut self.bytes, compression);
            region.iter().for_each(|part| number(&mut self.bytes, *part as i64));
        }
        self.bytes.extend(at.to_be_bytes());
        self.bytes.extend([0, 1, 0, 0]);
        self.bytes.extend(MAGIC);
        self.bytes
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len() as i64);
    out.extend(text.as_bytes());
}
