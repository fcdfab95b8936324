//! The last lines of a rotated log file, and what is appended to it. Blocking file reads; knows nothing of instances.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The most bytes given at once.
const MOST_BYTES: u64 = 4 << 20;
/// How much is read at a time, from the end backwards.
const BLOCK: u64 = 64 << 10;

/// Reads what is appended to a log file, across rotations.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    file: Option<File>,
    inode: u64,
    offset: u64,
}

impl Follower {
    /// True while there is no such file.
    pub fn is_missing(&self) -> bool {
        self.file.is_none()
    }

    /// What was appended since the last call; empty when nothing was.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        if let Some(file) = &mut self.file {
            let length = file.metadata()?.len();
            if length < self.offset {
                // Truncated in place.
                self.offset = 0;
            }
            file.seek(SeekFrom::Start(self.offset))?;
            let read = file.take(MOST_BYTES).read_to_end(&mut text)?;
            self.offset += read as u64;
        }
        if text.is_empty() && self.was_replaced()? {
            self.open()?;
            if self.file.is_some() {
                return self.read();
            }
        }
        Ok(text)
    }

    fn was_replaced(&self) -> io::Result<bool> {
        match std::fs::metadata(&self.path) {
            Ok(metadata) => Ok(self.file.is_none() || metadata.ino() != self.inode),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn open(&mut self) -> io::Result<()> {
        match File::open(&self.path) {
            Ok(file) => {
                self.inode = file.metadata()?.ino();
                self.file = Some(file);
                self.offset = 0;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The last `lines` lines of the file and of the older part beside it (`.1`), and a follower that goes on from there.
pub fn last_lines(path: &Path, lines: usize) -> io::Result<(Vec<u8>, Follower)> {
    let mut follower = Follower { path: path.to_path_buf(), file: None, inode: 0, offset: 0 };
    follower.open()?;
    let mut text = Vec::new();
    let mut found = 0;
    if let Some(file) = &mut follower.file {
        let length = file.metadata()?.len();
        (text, found) = end_of(file, length, lines, MOST_BYTES)?;
        follower.offset = length;
    }
    if found < lines {
        let older = File::open(older_part(path));
        if let Ok(mut older) = older {
            let length = older.metadata()?.len();
            let room = MOST_BYTES.saturating_sub(text.len() as u64);
            let (mut before, _) = end_of(&mut older, length, lines - found, room)?;
            before.append(&mut text);
            text = before;
        }
    }
    Ok((text, follower))
}

fn older_part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".1");
    PathBuf::from(name)
}

/// The last `lines` lines of the first `length` bytes, at most `room` bytes, and how many lines that is.
fn end_of(file: &mut File, length: u64, lines: usize, room: u64) -> io::Result<(Vec<u8>, usize)> {
    let mut text: Vec<u8> = Vec::new();
    let mut start = length;
    let floor = length.saturating_sub(room);
    while start > floor && lines_in(&text) <= lines {
        let from = start.saturating_sub(BLOCK).max(floor);
        let mut block = vec![0; usize::try_from(start - from).unwrap_or(0)];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut block)?;
        block.append(&mut text);
        text = block;
        start = from;
    }
    let surplus = lines_in(&text).saturating_sub(lines);
    let cut = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(surplus.wrapping_sub(1));
    match (surplus, cut) {
        (0, _) => {}
        (_, Some((at, _))) => drop(text.drain(..=at)),
        (_, None) => text.clear(),
    }
    let count = lines_in(&text);
    Ok((text, count))
}

/// Lines, the last one counted also without its line end.
fn lines_in(text: &[u8]) -> usize {
    let ends = text.iter().filter(|byte| **byte == b'\n').count();
    ends + usize::from(text.last().is_some_and(|byte| *byte != b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn text_of(path: &Path, lines: usize) -> String {
        String::from_utf8(last_lines(path, lines).unwrap().0).unwrap()
    }

    #[test]
    fn the_last_lines_reach_into_the_older_part() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stdout");
        assert_eq!(text_of(&path, 3), "");
        std::fs::write(&path, "d\ne\nf").unwrap();
        std::fs::write(dir.path().join("stdout.1"), "a\nb\nc\n").unwrap();
        assert_eq!(text_of(&path, 0), "");
        assert_eq!(text_of(&path, 1), "f");
        assert_eq!(text_of(&path, 2), "e\nf");
        assert_eq!(text_of(&path, 4), "c\nd\ne\nf");
        assert_eq!(text_of(&path, 100), "a\nb\nc\nd\ne\nf");
    }

    #[test]
    fn long_files_are_read_from_the_end_in_blocks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stdout");
        let all: String = (0..50_000).map(|n| format!("line {n}\n")).collect();
        std::fs::write(&path, &all).unwrap();
        assert_eq!(text_of(&path, 2), "line 49998\nline 49999\n");
        assert_eq!(text_of(&path, 20_000).lines().next(), Some("line 30000"));
        assert_eq!(text_of(&path, 60_000), all);
    }

    #[test]
    fn a_follower_sees_what_is_appended_before_and_after_a_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stdout");
        let (_, mut follower) = last_lines(&path, 1).unwrap();
        assert!(follower.is_missing() && follower.read().unwrap().is_empty());
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\n").unwrap();
        assert_eq!(follower.read().unwrap(), b"one\n");
        file.write_all(b"two\n").unwrap();
        std::fs::rename(&path, dir.path().join("stdout.1")).unwrap();
        std::fs::write(&path, "three\n").unwrap();
        assert_eq!(follower.read().unwrap(), b"two\n");
        assert_eq!(follower.read().unwrap(), b"three\n");
        assert!(follower.read().unwrap().is_empty());
    }
}
