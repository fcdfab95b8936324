//! Choosing and reading, on a file that Hadoop wrote and on what else may lie beside it.

use super::super::{Stream, Wanted, Which};
use super::collected::{Collected, gather, identity, in_one_line};
use super::files::Files;
use super::pour::{Source, Tally, pour};
use hadoop_yarn::config::Configuration;
use hadoop_yarn::logs::{LogDirectory, LogPlaces};
use hadoop_yarn::types::ApplicationId;
use maas_cli::{ErrorCode, Failure};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Cursor;

/// Written by Hadoop 3.5.0: two instances of dga 1.0, 1-1-aaaa and 1-2-bbbb, each with 40 lines on stdout and nothing on stderr.
const RECORDED: &[u8] = include_bytes!("recorded/gz.tfile");
const DIRECTORY: &str = "/tmp/logs/alice/bucket-logs-tfile/0004/application_1795236020553_0004";

/// Files by their paths. Directories that are named end with why they can't be listed.
#[derive(Default)]
pub(super) struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    refused: Vec<String>,
}

impl Files for Memory {
    type File = Cursor<Vec<u8>>;

    fn names(&self, directory: &LogDirectory) -> Result<Vec<String>, Failure> {
        if self.refused.iter().any(|refused| directory.path.starts_with(refused)) {
            return Err(Failure::new(ErrorCode::NotPermitted, "HDFS refused"));
        }
        let prefix = format!("{}/", directory.path);
        Ok(self.files.keys().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_string).collect())
    }

    fn open(&self, directory: &LogDirectory, name: &str) -> Result<Option<Self::File>, Failure> {
        Ok(self.files.get(&format!("{}/{name}", directory.path)).cloned().map(Cursor::new))
    }
}

/// A file system that does not answer.
struct Away<'a> {
    names: &'a Cell<u32>,
}

impl Files for Away<'_> {
    type File = Cursor<Vec<u8>>;

    fn names(&self, _directory: &LogDirectory) -> Result<Vec<String>, Failure> {
        self.names.set(self.names.get() + 1);
        Err(Failure::new(ErrorCode::StoreUnreachable, "HDFS does not answer"))
    }

    fn open(&self, _directory: &LogDirectory, _name: &str) -> Result<Option<Self::File>, Failure> {
        Ok(None)
    }
}

pub(super) fn memory(files: &[(&str, &[u8])]) -> Memory {
    let files = files.iter().map(|(name, bytes)| (format!("{DIRECTORY}/{name}"), bytes.to_vec())).collect();
    Memory { files, ..Memory::default() }
}

/// The recorded file.
pub(super) fn recorded() -> &'static [u8] {
    RECORDED
}

pub(super) fn id() -> ApplicationId {
    "application_1795236020553_0004".parse().unwrap()
}

pub(super) fn collected(files: &Memory) -> Collected {
    let places = LogPlaces::new(&Configuration::new()).unwrap();
    gather(files, &places, id(), &["root".to_string(), "alice".to_string()])
}

pub(super) fn wanted(name: &str, version: Option<&str>, instance: Option<&str>) -> Wanted {
    Wanted {
        name: name.parse().unwrap(),
        version: version.map(|version| version.parse().unwrap()),
        instance: instance.map(str::to_string),
        streams: Stream::Both.names(),
        tail: None,
        follow: false,
        json: false,
        which: Which::Named(id().to_string()),
    }
}

/// The text of each stream.
fn poured(files: &Memory, collected: &Collected, tail: Option<u64>) -> Vec<String> {
    let instances = collected.chosen(&wanted("dga", None, None)).unwrap();
    let streams: Vec<Source> = instances
        .iter()
        .flat_map(|instance| ["stdout", "stderr"].map(|stream| Source { parts: instance.parts_of(stream) }))
        .collect();
    let mut texts = vec![String::new(); streams.len()];
    pour(files, collected, &streams, tail, |at, piece| {
        texts[at].push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        true
    });
    texts
}

#[test]
fn the_streams_of_every_instance_are_read_whole_or_from_near_their_end() {
    let files = memory(&[("node7_8041", RECORDED)]);
    let collected = collected(&files);
    let texts = poured(&files, &collected, None);
    assert_eq!(texts.iter().map(|text| text.lines().count()).collect::<Vec<_>>(), [40, 0, 40, 0]);
    assert!(texts[0].starts_with("line 1 of the first\n"), "{}", texts[0]);
    let texts = poured(&files, &collected, Some(2));
    assert_eq!(texts[2], "line 39 of the second\nline 40 of the second\n");
    assert_eq!(poured(&files, &collected, Some(0)), ["", "", "", ""]);
    assert_eq!(poured(&files, &collected, Some(1000))[0].lines().count(), 40);
}

#[test]
fn nobody_who_wants_more_ends_the_reading() {
    let files = memory(&[("node7_8041", RECORDED)]);
    let collected = collected(&files);
    let instances = collected.chosen(&wanted("dga", None, None)).unwrap();
    let streams: Vec<Source> = instances.iter().map(|instance| Source { parts: instance.parts_of("stdout") }).collect();
    let mut given = 0;
    pour(&files, &collected, &streams, None, |_, _| {
        given += 1;
        false
    });
    assert_eq!(given, 1);
}

#[test]
fn an_instance_is_chosen_by_its_id_or_its_end_in_the_order_of_their_starts() {
    let collected = collected(&memory(&[("node7_8041", RECORDED)]));
    let ids = |instance| -> Result<Vec<String>, Failure> {
        let chosen = collected.chosen(&wanted("dga", Some("1.0"), instance))?;
        Ok(chosen.iter().map(|instance| instance.identity.instance.clone()).collect())
    };
    assert_eq!(ids(None).unwrap(), ["1-1-aaaa", "1-2-bbbb"]);
    assert_eq!(ids(Some("bbbb")).unwrap(), ["1-2-bbbb"]);
    assert_eq!(ids(Some("cccc")).unwrap_err().code(), ErrorCode::NoInstance);
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let all = collected(&memory(&[("node7_8041", RECORDED)]));
    let failure = all.if_any(&wanted("fraud", Some("2.0"), None), id()).err().unwrap();
    let expected = format!("the collected logs of {} have none of fraud 2.0; they have dga 1.0", id());
    assert_eq!((failure.message(), failure.exit()), (expected.as_str(), 4));
    let none = collected(&Memory::default());
    let failure = none.if_any(&wanted("dga", None, None), id()).err().unwrap();
    assert!(failure.exit() == 4 && failure.message().contains("retain-seconds"), "{failure}");
    let refused = Memory { refused: vec!["/tmp/logs/alice".to_string()], ..Memory::default() };
    let failure = collected(&refused).if_any(&wanted("dga", None, None), id()).err().unwrap();
    assert_eq!(failure.code(), ErrorCode::NotPermitted);
}

#[test]
fn one_file_that_can_t_be_read_does_not_keep_the_others() {
    let files = memory(&[("node6_8041", &RECORDED[..300]), ("node7_8041", RECORDED), ("node8_8041.tmp", b"begun")]);
    let both = collected(&files);
    assert!(in_one_line(both.trouble().unwrap()).contains("node6_8041 can't be read: it is no TFile"));
    let chosen = both.chosen(&wanted("dga", None, None)).unwrap();
    assert_eq!(chosen.len(), 2);
    let alone = collected(&memory(&[("node6_8041", &RECORDED[..300])]));
    let failure = alone.if_any(&wanted("dga", None, None), id()).err().unwrap();
    assert_eq!(failure.code(), ErrorCode::Unreadable);
}

#[test]
fn a_model_can_t_give_its_instance_a_name_that_moves_the_cursor() {
    let read = |text: &str| identity(text.as_bytes()).map(|identity| identity.instance);
    let plain = r#"{"instance":"1-1-aaaa","name":"dga","version":"1.0","later":1}"#;
    assert_eq!(read(plain).as_deref(), Some("1-1-aaaa"));
    for instance in ["", "\\u001b[2J", "a b", &"x".repeat(129)] {
        assert_eq!(read(&plain.replace("1-1-aaaa", instance)), None, "{instance}");
    }
    assert_eq!(read(&plain.replace("dga", "../x")), None);
    assert_eq!(read("[1]"), None);
}

#[test]
fn a_file_whose_server_is_away_ends_the_looking() {
    let names = Cell::new(0);
    let away = Away { names: &names };
    let places = LogPlaces::new(&Configuration::new()).unwrap();
    let users: Vec<String> = (0..100).map(|number| format!("user{number}")).collect();
    let collected = gather(&away, &places, id(), &users);
    assert_eq!(names.get(), 1);
    assert_eq!(collected.trouble().unwrap().code(), ErrorCode::StoreUnreachable);
}

#[test]
fn directories_of_others_do_not_fill_the_memory_and_one_that_is_away_is_said_first() {
    let files = Memory { refused: vec!["/tmp/logs/".to_string()], ..Memory::default() };
    let places = LogPlaces::new(&Configuration::new()).unwrap();
    let users: Vec<String> = (0..100).map(|number| format!("user{number}")).collect();
    let collected = gather(&files, &places, id(), &users);
    assert_eq!(collected.trouble().unwrap().code(), ErrorCode::NotPermitted);
    assert!(collected.is_empty());
}

#[test]
fn streams_that_all_fail_are_a_failure_and_one_of_several_is_none() {
    let files = memory(&[("node7_8041", RECORDED)]);
    let collected = collected(&files);
    let sources = || -> Vec<Source> {
        let instances = collected.chosen(&wanted("dga", None, None)).unwrap();
        let streams = instances.iter().map(|instance| Source { parts: instance.parts_of("stdout") });
        streams.chain([Source { parts: Vec::new() }]).collect()
    };
    let outcome = |files: &Memory| {
        let sources = sources();
        let mut tally = Tally::of(&sources);
        pour(files, &collected, &sources, None, |_, piece| {
            if let Err(failure) = piece {
                tally.take(failure);
            }
            true
        });
        tally.outcome()
    };
    assert_eq!(outcome(&files), Ok(()));
    // Deleted in between.
    let failure = outcome(&Memory::default()).unwrap_err();
    assert_eq!((failure.code(), failure.causes().len()), (ErrorCode::NoLogs, 1));
    let mut tally = Tally::of(&sources());
    tally.take(Failure::new(ErrorCode::StoreUnreachable, "a DataNode is away"));
    assert_eq!(tally.outcome(), Ok(()));
    assert_eq!(Tally::of(&[]).outcome(), Ok(()));
}
