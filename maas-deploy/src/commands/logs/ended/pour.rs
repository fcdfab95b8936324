//! Reads streams out of collected files and gives them away in pieces. Blocking; of no stream more than a piece is held.

use super::collected::{Collected, Part, unreadable};
use super::decide::beneath;
use super::files::Files;
use bytes::Bytes;
use hadoop_yarn::logs::AggregatedLog;
use maas_cli::{ErrorCode, Failure};
use std::io::Read;

/// Bytes given at once.
const PIECE: usize = 64 << 10;

/// What a stream is read from: its parts, oldest first.
pub(super) struct Source {
    pub(super) parts: Vec<Part>,
}

/// Gives the last `tail` lines of each stream, or all, one stream after another, with the stream's place in the list. A
/// stream that can't be read ends with why, and the others go on. Ends early once `give` says that nobody wants more.
pub(super) fn pour<F: Files>(
    files: &F,
    collected: &Collected,
    streams: &[Source],
    tail: Option<u64>,
    mut give: impl FnMut(usize, Result<Bytes, Failure>) -> bool,
) {
    for (at, stream) in streams.iter().enumerate() {
        let mut is_wanted = true;
        let poured = one(files, collected, stream, tail, |piece| {
            is_wanted = give(at, Ok(Bytes::copy_from_slice(piece)));
            is_wanted
        });
        let goes_on = match poured {
            Ok(()) => is_wanted,
            Err(failure) => give(at, Err(failure)),
        };
        if !goes_on {
            return;
        }
    }
}

/// How many streams there are to read, and what became of those that could not be.
pub(super) struct Tally {
    there: usize,
    failed: usize,
    first: Option<Failure>,
}

impl Tally {
    /// Of these: what has no parts can't fail.
    pub(super) fn of(streams: &[Source]) -> Tally {
        Tally { there: streams.iter().filter(|stream| !stream.parts.is_empty()).count(), failed: 0, first: None }
    }

    /// One could not be read to its end.
    pub(super) fn take(&mut self, failure: Failure) {
        self.failed += 1;
        self.first.get_or_insert(failure);
    }

    /// A failure where none could be read: one of several does not count.
    pub(super) fn outcome(self) -> Result<(), Failure> {
        match self.first {
            Some(first) if self.failed >= self.there => {
                Err(beneath("none of the collected logs could be read to the end".to_string(), &first))
            }
            _ => Ok(()),
        }
    }
}

fn one<F: Files>(
    files: &F,
    collected: &Collected,
    stream: &Source,
    tail: Option<u64>,
    mut give: impl FnMut(&[u8]) -> bool,
) -> Result<(), Failure> {
    let mut surplus = Surplus(0);
    if let Some(tail) = tail {
        let mut lines = LineCount::default();
        each_piece(files, collected, stream, |piece| {
            lines.count(piece);
            true
        })?;
        surplus = Surplus(lines.all().saturating_sub(tail));
    }
    each_piece(files, collected, stream, |piece| {
        let rest = surplus.cut(piece);
        rest.is_empty() || give(rest)
    })
}

/// Reads a stream until its end, or until `take` has enough.
fn each_piece<F: Files>(
    files: &F,
    collected: &Collected,
    stream: &Source,
    mut take: impl FnMut(&[u8]) -> bool,
) -> Result<(), Failure> {
    let mut buffer = vec![0; PIECE];
    for part in &stream.parts {
        let file = &collected.files[part.file];
        let path = format!("{}/{}", file.directory.path, file.name);
        let Some(opened) = files.open(&file.directory, &file.name)? else {
            return Err(Failure::new(
                ErrorCode::NoLogs,
                format!("the collected logs in {path} were deleted meanwhile"),
            ));
        };
        let mut log = AggregatedLog::open(opened).map_err(|error| unreadable(&path, error))?;
        let mut contents = log.contents(&part.entry).map_err(|error| unreadable(&path, error))?;
        loop {
            let count = contents.read(&mut buffer).map_err(|error| unreadable(&path, error.into()))?;
            if count == 0 {
                break;
            }
            if !take(&buffer[..count]) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Counts lines, the last one also without its end.
#[derive(Default)]
struct LineCount {
    ends: u64,
    is_open: bool,
}

impl LineCount {
    fn count(&mut self, piece: &[u8]) {
        self.ends += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.is_open = piece.last().map_or(self.is_open, |byte| *byte != b'\n');
    }

    fn all(&self) -> u64 {
        self.ends + u64::from(self.is_open)
    }
}

/// Lines that are still to be left out.
struct Surplus(u64);

impl Surplus {
    /// What of a piece lies behind them.
    fn cut<'a>(&mut self, mut piece: &'a [u8]) -> &'a [u8] {
        while self.0 > 0 {
            let Some(end) = piece.iter().position(|byte| *byte == b'\n') else { return &[] };
            piece = &piece[end + 1..];
            self.0 -= 1;
        }
        piece
    }
}
