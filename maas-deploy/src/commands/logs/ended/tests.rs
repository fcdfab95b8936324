//! Choosing and reading, on a file that Hadoop wrote and on what else may lie beside it.

use super::super::Stream as StreamChoice;
use super::collected::{Collected, gather};
use super::files::Files;
use super::pour::{Stream, pour};
use super::*;
use hadoop_yarn::logs::LogDirectory;
use std::collections::BTreeMap;
use std::io::Cursor;

/// Two instances of dga 1.0, 1-1-aaaa and 1-2-bbbb, each with 40 lines on stdout and nothing on stderr.
const RECORDED: &[u8] = include_bytes!("../../../../../hadoop-yarn/src/logs/recorded/gz.tfile");
const DIRECTORY: &str = "/tmp/logs/alice/bucket-logs-tfile/0004/application_1795236020553_0004";

/// Files by their paths. Directories that are named end with why they can't be listed.
#[derive(Default)]
struct Memory {
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

fn memory(files: &[(&str, &[u8])]) -> Memory {
    let files = files.iter().map(|(name, bytes)| (format!("{DIRECTORY}/{name}"), bytes.to_vec())).collect();
    Memory { files, ..Memory::default() }
}

fn id() -> ApplicationId {
    "application_1795236020553_0004".parse().unwrap()
}

fn collected(files: &Memory) -> Collected {
    let places = LogPlaces::new(&Configuration::new()).unwrap();
    gather(files, &places, id(), &["root".to_string(), "alice".to_string()])
}

fn wanted(name: &str, version: Option<&str>, instance: Option<&str>) -> Wanted {
    Wanted {
        name: name.parse().unwrap(),
        version: version.map(|version| version.parse().unwrap()),
        instance: instance.map(str::to_string),
        streams: StreamChoice::Both.names(),
        tail: None,
        follow: false,
        json: false,
        which: Which::Named(id().to_string()),
    }
}

/// The text of each stream.
fn poured(files: &Memory, collected: &Collected, tail: Option<u64>) -> Vec<String> {
    let instances = choose(collected, &wanted("dga", None, None)).unwrap();
    let streams: Vec<Stream> = instances
        .iter()
        .flat_map(|instance| ["stdout", "stderr"].map(|stream| Stream { parts: instance.parts_of(stream) }))
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
    let instances = choose(&collected, &wanted("dga", None, None)).unwrap();
    let streams: Vec<Stream> = instances.iter().map(|instance| Stream { parts: instance.parts_of("stdout") }).collect();
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
    let ids = |instance| -> Result<Vec<String>, Error> {
        let chosen = choose(&collected, &wanted("dga", Some("1.0"), instance))?;
        Ok(chosen.iter().map(|instance| instance.identity.instance.clone()).collect())
    };
    assert_eq!(ids(None).unwrap(), ["1-1-aaaa", "1-2-bbbb"]);
    assert_eq!(ids(Some("bbbb")).unwrap(), ["1-2-bbbb"]);
    assert_eq!(ids(Some("cccc")).unwrap_err().into_failure().code(), ErrorCode::NoInstance);
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
    let chosen = choose(&both, &wanted("dga", None, None)).unwrap();
    assert_eq!(chosen.len(), 2);
    let alone = collected(&memory(&[("node6_8041", &RECORDED[..300])]));
    let failure = alone.if_any(&wanted("dga", None, None), id()).err().unwrap();
    assert_eq!(failure.code(), ErrorCode::Unreadable);
}

#[test]
fn a_model_can_t_give_its_instance_a_name_that_moves_the_cursor() {
    let read = |text: &str| collected::identity(text.as_bytes()).map(|identity| identity.instance);
    let plain = r#"{"instance":"1-1-aaaa","name":"dga","version":"1.0","later":1}"#;
    assert_eq!(read(plain).as_deref(), Some("1-1-aaaa"));
    for instance in ["", "\\u001b[2J", "a b", &"x".repeat(129)] {
        assert_eq!(read(&plain.replace("1-1-aaaa", instance)), None, "{instance}");
    }
    assert_eq!(read(&plain.replace("dga", "../x")), None);
    assert_eq!(read("[1]"), None);
}

#[test]
fn logs_are_waited_for_while_they_are_collected_and_not_for_ever() {
    let ended = 1_795_236_020_553;
    let after = |seconds: i64| Timestamp::from_millisecond(ended + seconds * 1000).unwrap();
    assert!(is_pending(LogAggregation::NotStarted, ended, after(1)));
    assert!(is_pending(LogAggregation::Running, ended, after(-30)));
    assert!(!is_pending(LogAggregation::NotStarted, ended, after(601)));
    for status in [LogAggregation::Succeeded, LogAggregation::Failed, LogAggregation::Disabled] {
        assert!(!is_pending(status, ended, after(1)), "{status}");
    }
}
