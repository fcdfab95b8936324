//! Files that Hadoop 3.5.0 wrote, files of our own in every layout, and files that were damaged.

use std::io::{Cursor, Read};

use proptest::prelude::*;

use super::writer::{Writer, logs};
use super::{AggregatedLog, Error};
use crate::hostile::{any_edits, edited, within_bounds};

/// Written by Hadoop 3.5.0's `AggregatedLogFormat.LogWriter` with `tfile.io.chunk.size` 100: two containers, each with `instance.json`, `stderr` (empty) and
/// `stdout` of 40 lines.
const RECORDED: [&[u8]; 2] = [include_bytes!("recorded/none.tfile"), include_bytes!("recorded/gz.tfile")];

const FIRST: &str = "container_1795236020553_0004_01_000002";
const SECOND: &str = "container_e08_1795236020553_0004_02_000003";

/// A container's log file: container, name, bytes.
type Found = (String, String, Vec<u8>);

/// Every log file of an aggregated file, in order.
fn all(file: &[u8]) -> Result<Vec<Found>, Error> {
    let mut log = AggregatedLog::open(Cursor::new(file))?;
    let mut found = Vec::new();
    while let Some(entry) = log.next_entry()? {
        let mut bytes = Vec::new();
        log.contents(&entry)?.read_to_end(&mut bytes)?;
        assert_eq!(bytes.len() as u64, entry.length);
        found.push((entry.container.to_string(), entry.name, bytes));
    }
    Ok(found)
}

/// Bytes that do not compress away.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn sample(compression: &'static str, chunk: usize) -> (Vec<u8>, Vec<Found>) {
    let long = noise(40_000);
    let first = vec![("instance.json", &b"{}"[..]), ("stderr", b""), ("stdout", &long)];
    let second = vec![("stdout", &b"one\ntwo\n"[..]), ("stdout.1", &long[..30_000])];
    let (mut writer, mut expected) = (Writer::new(compression, chunk), Vec::new());
    for (container, files) in [(FIRST, first), (SECOND, second)] {
        writer.record(container, &logs(&files));
        writer.end_block();
        expected.extend(files.iter().map(|(name, bytes)| (container.to_owned(), (*name).to_owned(), bytes.to_vec())));
    }
    (writer.finish(), expected)
}

#[test]
fn what_hadoop_wrote_is_read_whatever_the_compression() {
    for file in RECORDED {
        let found = all(file).unwrap();
        let names: Vec<_> = found.iter().map(|(container, name, _)| (container.as_str(), name.as_str())).collect();
        let files = ["instance.json", "stderr", "stdout"];
        let expected: Vec<_> = [FIRST, SECOND].iter().flat_map(|of| files.map(|name| (*of, name))).collect();
        assert_eq!(names, expected);
        assert_eq!(found[0].2, b"{\"instance\":\"1-1-aaaa\",\"name\":\"dga\",\"version\":\"1.0\"}\n");
        assert!(found[1].2.is_empty());
        let lines = String::from_utf8(found[5].2.clone()).unwrap();
        assert_eq!((lines.lines().count(), lines.lines().last()), (40, Some("line 40 of the second")));
    }
}

#[test]
fn files_of_any_chunk_and_compression_are_read_back() {
    for compression in ["none", "gz"] {
        for chunk in [1, 7, 4096, 1 << 20] {
            let (file, expected) = sample(compression, chunk);
            assert!(all(&file).unwrap() == expected, "{compression}, {chunk}");
        }
    }
}

#[test]
fn a_file_can_be_read_again_and_out_of_order() {
    let (file, expected) = sample("gz", 512);
    let mut log = AggregatedLog::open(Cursor::new(&file[..])).unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = log.next_entry().unwrap() {
        entries.push(entry);
    }
    for at in [4, 0, 2, 2] {
        let mut bytes = Vec::new();
        log.contents(&entries[at]).unwrap().read_to_end(&mut bytes).unwrap();
        assert!(bytes == expected[at].2, "{at}");
    }
    assert_eq!(log.next_entry().unwrap(), None);
}

#[test]
fn a_log_file_that_shrank_while_it_was_collected_ends_with_its_bytes() {
    let mut value = logs(&[("stderr", b"whole")]);
    super::writer::utf(&mut value, "stdout");
    super::writer::utf(&mut value, "1000");
    value.extend(b"cut short");
    let mut writer = Writer::new("none", 1 << 20);
    writer.record(FIRST, &value);
    writer.record(SECOND, &logs(&[("stdout", b"next")]));
    let found = all(&writer.finish()).unwrap();
    let texts: Vec<&[u8]> = found.iter().map(|(_, _, bytes)| &bytes[..]).collect();
    assert_eq!(texts, [&b"whole"[..], b"cut short", b"next"]);
}

#[test]
fn what_is_wrong_in_one_container_does_not_keep_the_others() {
    // More was announced than came, and the next log file of the same container fills it up; then what Hadoop writes where it can't read one.
    let mut shrunk = Vec::new();
    super::writer::utf(&mut shrunk, "stderr");
    super::writer::utf(&mut shrunk, "14");
    shrunk.extend(b"cut short");
    shrunk.extend(logs(&[("stdout", b"lost")]));
    let mut unread = logs(&[("stderr", b"whole")]);
    super::writer::utf(&mut unread, "stdout");
    unread.extend(b"Error aggregating log file. Log file : /logs/stdout. Permission denied");
    for compression in ["none", "gz"] {
        for chunk in [7, 1 << 20] {
            let mut writer = Writer::new(compression, chunk);
            writer.record(FIRST, &shrunk);
            writer.record(SECOND, &unread);
            writer.end_block();
            writer.record(SECOND, &logs(&[("stdout", b"next")]));
            let file = writer.finish();
            let mut log = AggregatedLog::open(Cursor::new(&file[..])).unwrap();
            let (mut names, mut errors) = (Vec::new(), 0);
            loop {
                match log.next_entry() {
                    Ok(Some(entry)) => names.push((entry.container.to_string(), entry.name)),
                    Ok(None) => break,
                    Err(Error::Damaged { .. }) => errors += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            let expected = [(FIRST, "stderr"), (SECOND, "stderr"), (SECOND, "stdout")];
            assert_eq!(names, expected.map(|(container, name)| (container.to_owned(), name.to_owned())));
            assert_eq!(errors, 2);
        }
    }
}

#[test]
fn blocks_that_overlap_are_refused() {
    let mut writer = Writer::new("none", 4096);
    writer.record(FIRST, &logs(&[("stdout", b"again")]));
    writer.end_block();
    writer.repeat_block();
    assert!(matches!(all(&writer.finish()), Err(Error::Damaged { what: "where a block is", .. })));
}

#[test]
fn what_is_no_tfile_or_another_kind_of_it_is_said() {
    let (file, _) = sample("none", 4096);
    for other in [&b""[..], b"short", &file[..file.len() - 1], &[7; 4096]] {
        assert!(matches!(all(other), Err(Error::NotTFile)));
    }
    let mut later = file.clone();
    let version = later.len() - 20;
    later[version + 1] = 2;
    assert!(matches!(all(&later), Err(Error::Version { major: 2, minor: 0 })));
    let (lzo, _) = sample("lzo", 4096);
    let error = all(&lzo).unwrap_err();
    assert!(matches!(&error, Error::Compression(name) if name == "lzo"), "{error}");
    let mut away = file;
    let index = away.len() - 28;
    away[index..index + 8].fill(0x7f);
    assert!(matches!(all(&away), Err(Error::Damaged { .. })));
}

#[test]
fn damaged_files_are_read_without_a_panic_and_in_little_memory() {
    within_bounds("logs::tests::damaged_files_are_read_without_a_panic_and_in_little_memory", || {
        let files = [sample("none", 64).0, sample("gz", 4096).0, RECORDED[0].to_vec(), RECORDED[1].to_vec()];
        let file = 0..files.len();
        proptest!(ProptestConfig::with_cases(600), |(at in file.clone(), other in file, edits in any_edits())| {
            drop(all_lengths(&edited(&files[at], &files[other], &edits)));
        });
        // In place, so that the index still leads to what was changed.
        let small = [RECORDED[0].to_vec(), RECORDED[1].to_vec()];
        proptest!(ProptestConfig::with_cases(3000), |(at in 0..2usize, place in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 1..6))| {
            let mut file = small[at].clone();
            let place = place.index(file.len());
            let end = file.len().min(place + bytes.len());
            file[place..end].copy_from_slice(&bytes[..end - place]);
            drop(all_lengths(&file));
        });
    });
}

#[test]
fn arbitrary_bytes_before_a_true_end_are_no_panic_and_take_little_memory() {
    within_bounds("logs::tests::arbitrary_bytes_before_a_true_end_are_no_panic_and_take_little_memory", || {
        let end = &RECORDED[0][RECORDED[0].len() - 20..];
        proptest!(ProptestConfig::with_cases(3000), |(mut bytes in prop::collection::vec(any::<u8>(), 0..300), index in any::<prop::sample::Index>())| {
            let index = index.index(bytes.len() + 1) as u64;
            bytes.extend(index.to_be_bytes());
            bytes.extend(end);
            drop(all_lengths(&bytes));
        });
    });
}

/// Reads everything that can be read and keeps nothing.
fn all_lengths(file: &[u8]) -> Result<u64, Error> {
    let mut log = AggregatedLog::open(Cursor::new(file))?;
    let mut sum = 0;
    loop {
        match log.next_entry() {
            Ok(Some(entry)) => sum += std::io::copy(&mut log.contents(&entry)?, &mut std::io::sink())?,
            Ok(None) => return Ok(sum),
            Err(_) => {}
        }
    }
}

#[test]
fn a_file_that_says_it_holds_more_than_memory_takes_little() {
    within_bounds("logs::tests::a_file_that_says_it_holds_more_than_memory_takes_little", || {
        // Four mebibytes of nothing, compressed a thousandfold and read a window at a time, 20 times over.
        let mut writer = Writer::new("gz", 1 << 20);
        let zeros = vec![0; 4 << 20];
        for _ in 0..20 {
            writer.record(FIRST, &logs(&[("stdout", &zeros)]));
            writer.end_block();
        }
        drop(zeros);
        assert_eq!(all_lengths(&writer.finish()).unwrap(), 80 << 20);
    });
}
