//! The store's contract, for the file and for the memory; loading, and what it leaves behind when it fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::memory::MemoryStore;
use super::{
    BadLine, Columns, EnrichmentStore, Error, FileStore, Format, Group, Load, Loaded, Record, Source, delete, load,
};
use crate::services::Services;
use crate::{AllNull, Code, Compiler, Environment, Limits};

const CSV: Format = Format::Csv { separator: b',', columns: Columns::Heading };

fn group(kind: &str) -> Group {
    Group { table: "enrichment".into(), family: "t".into(), kind: kind.into() }
}

fn source<'a>(format: &Format, text: &'a str) -> Source<'a> {
    Source { name: "list".into(), format: format.clone(), input: Box::new(text.as_bytes()) }
}

/// A store in a directory of its own.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("enrichment.redb")
    }

    fn store(&self) -> FileStore {
        FileStore::looking(self.path(), Duration::ZERO)
    }

    fn load(&self, kind: &str, format: &Format, text: &str) -> Result<Loaded, Error> {
        self.load_with(kind, format, text, |_| ()).0
    }

    fn load_with(
        &self,
        kind: &str,
        format: &Format,
        text: &str,
        change: impl FnOnce(&mut Load<'_>),
    ) -> (Result<Loaded, Error>, Vec<String>) {
        let (path, group) = (self.path(), group(kind));
        let mut what = Load { store: &path, group: &group, indicator: None, replace: false, skip_bad: false };
        change(&mut what);
        let mut bad = Vec::new();
        let mut told = |line: BadLine<'_>| bad.push(format!("{}:{}: {}", line.file, line.line, line.reason));
        let loaded = load(&what, [source(format, text)], &mut told);
        (loaded, bad)
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.dir.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.ends_with(".lock")).collect();
        names.sort();
        names
    }
}

fn known(store: &dyn EnrichmentStore, kind: &str, indicator: &str) -> Option<Json> {
    let record = store.get(&group(kind), indicator).unwrap().map(|found| Json::Object(found.record));
    assert_eq!(store.exists(&group(kind), indicator).unwrap(), record.is_some());
    record
}

/// What every store does; it holds of the type `whois` what is known of cnn.com.
fn keeps_the_contract(store: &dyn EnrichmentStore) {
    assert_eq!(known(store, "whois", "cnn.com"), Some(json!({"domain": "cnn.com", "owner": "Turner"})));
    for (kind, indicator) in [("whois", "cnn"), ("whois", "cnn.com "), ("whois", ""), ("who", "iscnn.com"), ("", "")] {
        assert_eq!(known(store, kind, indicator), None, "{kind} {indicator}");
    }
    let elsewhere = Group { table: "threat_intel".into(), ..group("whois") };
    assert!(!store.exists(&elsewhere, "cnn.com").unwrap());
    let family = Group { family: "cf".into(), ..group("whois") };
    assert!(store.get(&family, "cnn.com").unwrap().is_none());
}

#[test]
fn file_and_memory_keep_the_same_contract() {
    let record = json!({"domain": "cnn.com", "owner": "Turner"});
    let entry = ((group("whois"), "cnn.com".to_owned()), record.as_object().cloned().unwrap());
    keeps_the_contract(&MemoryStore([entry].into()));
    let place = Place::new();
    place.load("whois", &CSV, "domain,owner\ncnn.com,Turner\n").unwrap();
    keeps_the_contract(&place.store());
}

#[test]
fn loading_twice_is_loading_once() {
    let place = Place::new();
    let text = "domain,owner\ncnn.com,Turner\n\"a,b\",\"line\nbreak\"\n";
    let first = place.load("whois", &CSV, text).unwrap();
    assert_eq!(first, Loaded { added: 2, stored: true, ..Loaded::default() });
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let before = inode(&place.path());
    let second = place.load("whois", &CSV, text).unwrap();
    assert_eq!(second, Loaded { unchanged: 2, stored: true, ..Loaded::default() });
    assert_eq!(inode(&place.path()), before, "nothing changed, so nothing is written");
    assert_eq!(known(&place.store(), "whois", "a,b"), Some(json!({"domain": "a,b", "owner": "line\nbreak"})));
    assert_eq!(place.files(), ["enrichment.redb"]);
}

#[test]
fn a_reader_sees_a_new_load_without_being_opened_again() {
    let place = Place::new();
    let store = place.store();
    assert!(store.get(&group("whois"), "cnn.com").is_err(), "there is no store yet");
    place.load("whois", &CSV, "domain,owner\ncnn.com,Turner\n").unwrap();
    keeps_the_contract(&store);
    place.load("whois", &Format::JsonLines, "{\"indicator\": \"cnn.com\", \"ranks\": [1, 2.5]}\n").unwrap();
    assert_eq!(known(&store, "whois", "cnn.com"), Some(json!({"indicator": "cnn.com", "ranks": [1, 2.5]})));
    let text = "indicator\nother.example\n";
    let (replaced, _) = place.load_with("whois", &CSV, text, |what| what.replace = true);
    assert_eq!(replaced.unwrap(), Loaded { added: 1, removed: 1, stored: true, ..Loaded::default() });
    assert_eq!(known(&store, "whois", "cnn.com"), None);
}

#[test]
fn one_bad_line_keeps_all_from_being_loaded_unless_bad_lines_are_skipped() {
    let place = Place::new();
    assert!(!place.load("whois", &CSV, "domain,owner\ncnn.com\n").unwrap().stored);
    assert_eq!(place.files(), [""; 0]);
    place.load("whois", &CSV, "domain,owner\ncnn.com,Turner\n").unwrap();
    let text = "domain,owner\nnew.example,X\nthree,values,here\n\n,nobody\nlast.example,Y\n";
    let (loaded, bad) = place.load_with("whois", &CSV, text, |_| ());
    let loaded = loaded.unwrap();
    assert_eq!((loaded.bad, loaded.stored), (2, false));
    assert_eq!(bad, ["list:3: 3 values where there are 2 columns", "list:5: the indicator is empty"]);
    assert_eq!(known(&place.store(), "whois", "new.example"), None);
    keeps_the_contract(&place.store());
    let (loaded, _) = place.load_with("whois", &CSV, text, |what| what.skip_bad = true);
    assert_eq!(loaded.unwrap(), Loaded { added: 2, bad: 2, stored: true, ..Loaded::default() });
    assert!(known(&place.store(), "whois", "last.example").is_some());
}

#[test]
fn json_lines_name_their_indicator_and_are_counted() {
    let place = Place::new();
    let long = format!("{{\"ip\": \"1.1.1.1\", \"x\": \"{}\"}}", "x".repeat(1 << 20));
    let text = format!(
        "{{\"ip\": \"8.8.8.8\"}}\n\nnonsense\n[1]\n{{\"ip\": 7}}\n{{\"ip\": []}}\n{{}}\n{long}\n{{\"ip\": \"9\"}}"
    );
    let (loaded, bad) = place.load_with("rep", &Format::JsonLines, &text, |what| {
        what.indicator = Some("ip");
        what.skip_bad = true;
    });
    assert_eq!((loaded.unwrap().added, bad.len()), (3, 5));
    let lines: Vec<&str> = bad.iter().map(|line| line.split(':').nth(1).unwrap()).collect();
    assert_eq!(lines, ["3", "4", "6", "7", "8"]);
    assert!(known(&place.store(), "rep", "7").is_some() && known(&place.store(), "rep", "9").is_some());
}

#[test]
fn columns_are_named_by_the_heading_or_by_hand() {
    let place = Place::new();
    let format = Format::Csv { separator: b';', columns: Columns::Named(vec!["rank".into(), "domain".into()]) };
    place.load_with("top", &format, "1;google.com\n2;cnn.com\n", |what| what.indicator = Some("domain")).0.unwrap();
    assert_eq!(known(&place.store(), "top", "cnn.com"), Some(json!({"rank": "2", "domain": "cnn.com"})));
    let (missing, _) = place.load_with("top", &CSV, "a,b\n1,2\n", |what| what.indicator = Some("domain"));
    assert_eq!(missing.unwrap_err().to_string(), "list: no column domain; there are a, b");
    assert!(place.load("top", &CSV, "a,a\n1,2\n").unwrap_err().to_string().contains("named twice"));
    let open = format!("a,b\n1,\"{}", "x\n".repeat(1 << 20));
    let error = place.load("top", &CSV, &open).unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("quote that isn't closed"));
}

#[test]
fn what_is_deleted_is_gone_and_what_stands_beside_it_stays() {
    let place = Place::new();
    for kind in ["a", "a\u{1}", "b"] {
        place.load(kind, &CSV, "x\n1\n2\n").unwrap();
    }
    let store = place.store();
    assert_eq!(delete(&place.path(), &group("a"), Some("1")).unwrap(), 1);
    assert_eq!(delete(&place.path(), &group("a"), Some("1")).unwrap(), 0);
    assert_eq!(delete(&place.path(), &group("a"), None).unwrap(), 1);
    let left: Vec<(String, u64)> =
        store.list().unwrap().into_iter().map(|listed| (listed.group.kind, listed.indicators)).collect();
    assert_eq!(left, [("a\u{1}".to_owned(), 2), ("b".to_owned(), 2)]);
}

#[test]
fn what_is_no_store_is_neither_read_nor_replaced() {
    let place = Place::new();
    fs::write(place.path(), "precious").unwrap();
    let error = place.store().get(&group("whois"), "x").unwrap_err();
    assert!(matches!(error, Error::Unusable { .. } | Error::Damaged { .. }), "{error:?}");
    assert!(place.load("whois", &CSV, "a\n1\n").is_err());
    assert_eq!(fs::read_to_string(place.path()).unwrap(), "precious");
    assert_eq!(place.files(), ["enrichment.redb"]);
}

#[test]
fn two_cant_change_a_store_at_once_and_what_a_killed_one_left_is_thrown_away() {
    let place = Place::new();
    let lock = fs::File::create(place.dir.path().join("enrichment.redb.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(place.load("whois", &CSV, "a\n1\n"), Err(Error::Busy { .. })));
    drop(lock);
    fs::write(place.dir.path().join("enrichment.redb.new"), "half a store").unwrap();
    assert_eq!(place.load("whois", &CSV, "a\n1\n").unwrap().added, 1);
    assert_eq!(place.files(), ["enrichment.redb"]);
}

#[test]
fn a_damaged_store_gives_errors_and_no_panic() {
    let place = Place::new();
    let rows: String = (0..2000).map(|row| format!("key{row},value{row}\n")).collect();
    place.load("whois", &CSV, &format!("a,b\n{rows}")).unwrap();
    let good = fs::read(place.path()).unwrap();
    for position in (0..good.len()).step_by(good.len() / 97) {
        let mut bad = good.clone();
        bad[position..].iter_mut().take(64).for_each(|byte| *byte ^= 0x5a);
        let path = place.dir.path().join(format!("bad{position}"));
        fs::write(&path, bad).unwrap();
        let store = FileStore::looking(path, Duration::ZERO);
        let _ = store.list();
        for key in ["key1", "key1999", "none"] {
            let _ = store.get(&group("whois"), key);
        }
    }
}

#[test]
fn a_broken_file_in_a_stores_place_is_told_once_and_the_old_state_goes_on_answering() {
    let place = Place::new();
    place.load("whois", &CSV, "domain,owner\ncnn.com,Turner\n").unwrap();
    let store = place.store();
    assert!(known(&store, "whois", "cnn.com").is_some() && store.trouble().is_none());
    let beside = place.dir.path().join("broken");
    fs::write(&beside, "no store").unwrap();
    fs::rename(&beside, place.path()).unwrap();
    assert!(known(&store, "whois", "cnn.com").is_some());
    let trouble = store.trouble().unwrap().to_string();
    assert!(trouble.contains("can't be opened"), "{trouble}");
    assert!(store.trouble().is_none());
}

#[test]
fn a_record_costs_what_its_bytes_cost() {
    let record = Record::from_iter([("many".to_owned(), json!(vec![0; 100_000]))]);
    let store = MemoryStore([((group("whois"), "a".to_owned()), record)].into());
    let services = Services { enrichment: Some(Arc::new(store)), ..Services::default() };
    let limits = Limits { steps: 1_000, ..Limits::default() };
    let environment = Environment { services, limits, ..Environment::default() };
    let program = Compiler::default().compile("ENRICHMENT_GET('whois', 'a', 'enrichment', 't')").unwrap();
    assert_eq!(program.evaluate(&AllNull, &environment).unwrap_err().code, Code::TooManySteps);
}
