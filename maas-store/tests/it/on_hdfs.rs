//! The contract on HDFS, and what is particular to it. Needs a NameNode and a DataNode: `MAAS_TEST_HDFS`, the url of a
//! directory in which the user who runs the tests may write, such as `hdfs://127.0.0.1:8020/tmp`.

use crate::contract::{Behind, Subject, at, contract};
use crate::fixture::ModelDir;
use hdfs_native::sync::{Client, ClientBuilder};
use hdfs_native::{HdfsError, WriteOptions};
use maas_store::hdfs::SharedFiles;
use maas_store::location;
use maas_store::store::{Found, Put};
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicU32, Ordering};

contract!(subject);

fn base() -> String {
    let url = std::env::var("MAAS_TEST_HDFS").expect(
        "MAAS_TEST_HDFS is not set: start a NameNode and a DataNode, then run with MAAS_TEST_HDFS=hdfs://HOST:PORT/DIR, \
         DIR one that this user may write to",
    );
    url.trim_end_matches('/').to_string()
}

/// The same directory, seen by another client.
struct Directory {
    client: Client,
    root: String,
}

impl Directory {
    /// One that no other test uses.
    fn new() -> (Directory, String) {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let base = base();
        let own = format!("maas-test-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let (authority, dir) =
            base.trim_start_matches("hdfs://").split_once('/').unwrap_or((&base["hdfs://".len()..], ""));
        let client = ClientBuilder::new().with_url(format!("hdfs://{authority}")).build().unwrap();
        let root = format!("/{dir}/{own}").replace("//", "/");
        (Directory { client, root }, format!("{base}/{own}"))
    }

    fn names(&self, path: &str) -> Vec<String> {
        let found = self.client.list_status(&format!("{}{path}", self.root), true);
        let found = match found {
            Err(HdfsError::FileNotFound(_)) => Vec::new(),
            found => found.unwrap(),
        };
        found.into_iter().filter(|entry| !entry.isdir).map(|entry| entry.path[self.root.len()..].to_string()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.client.delete(&self.root, true).unwrap();
    }
}

impl Behind for Directory {
    fn write(&self, path: &str, bytes: &[u8]) {
        let options = WriteOptions::default().overwrite(true);
        let mut file = self.client.create(&format!("{}/{path}", self.root), options).unwrap();
        file.write_all(bytes).unwrap();
        file.close().unwrap();
    }

    fn read(&self, path: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut file = self.client.read(&format!("{}/{path}", self.root)).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn by_content(&self) -> bool {
        false
    }
}

fn subject() -> Subject {
    let (directory, url) = Directory::new();
    Subject { store: location::open(&url).unwrap(), behind: Box::new(directory) }
}

#[test]
fn the_tree_and_its_permissions_are_kept_and_nothing_else_is_left() {
    let (directory, url) = Directory::new();
    let subject = Subject { store: location::open(&url).unwrap(), behind: Box::new(()) };
    subject.put(&at("/models/dga/1.0"), &ModelDir::with_script().file("lib/a/b.py", "x = 1")).unwrap();
    let expected =
        ["/files/lib/a/b.py", "/files/run.sh", "/manifest.json"].map(|file| format!("/models/dga/1.0{file}"));
    let mut names = directory.names("");
    names.sort();
    assert_eq!(names, expected);
    let mode = |file: &str| directory.client.get_file_info(&format!("{}{file}", directory.root)).unwrap().permission;
    assert_eq!(mode(&expected[0]) & 0o777, 0o644);
    assert_eq!(mode(&expected[1]) & 0o777, 0o755);
}

#[test]
fn a_file_of_many_packets_comes_back_as_it_was() {
    let subject = subject();
    let (path, large) = (at("/models/big/1"), "0123456789abcdef".repeat(3 << 16));
    let (_, manifest) = subject.put(&path, &ModelDir::with_script().file("weights", &large)).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let to = cache.path().join("payload");
    assert_eq!(subject.store.fetch(&path, &to, &mut |_| {}).unwrap(), manifest);
    assert!(std::fs::read_to_string(to.join("files/weights")).unwrap() == large);
}

#[test]
fn an_empty_directory_gives_way_and_a_file_does_not() {
    let (directory, url) = Directory::new();
    let subject = Subject { store: location::open(&url).unwrap(), behind: Box::new(()) };
    directory.client.mkdirs(&format!("{}/models/dga/1.0", directory.root), 0o755, true).unwrap();
    let (put, _) = subject.put(&at("/models/dga/1.0"), &ModelDir::with_script()).unwrap();
    assert_eq!(put, Put::Written);
    directory.write("models/dga/2.0", b"a file");
    assert_eq!(subject.store.look(&at("/models/dga/2.0")).unwrap(), Found::Nothing);
    assert_eq!(subject.store.look(&at("/models/dga/2.0/below")).unwrap(), Found::Nothing);
    let error = subject.put(&at("/models/dga/2.0"), &ModelDir::with_script()).unwrap_err();
    assert_eq!(error.code(), "conflict_content", "{error:?}");
}

#[test]
fn what_a_dead_program_left_is_invisible_and_cleared_after_a_day() {
    let (directory, url) = Directory::new();
    let subject = Subject { store: location::open(&url).unwrap(), behind: Box::new(()) };
    for name in ["dead", "alive"] {
        directory.write(&format!("models/dga/.maas-tmp-{name}/files/run.sh"), b"");
    }
    let dead = format!("{}/models/dga/.maas-tmp-dead", directory.root);
    let modified = directory.client.get_file_info(&dead).unwrap().modification_time;
    directory.client.set_times(&dead, modified - 25 * 3600 * 1000, u64::MAX).unwrap();
    assert_eq!(subject.store.look(&at("/models/dga")).unwrap(), Found::Nothing);
    assert!(subject.store.list(None).unwrap().is_empty());
    subject.put(&at("/models/dga/1.0"), &ModelDir::with_script()).unwrap();
    let left: Vec<String> = directory.names("").into_iter().filter(|name| name.contains(".maas-tmp-")).collect();
    assert_eq!(left, ["/models/dga/.maas-tmp-alive/files/run.sh"]);
}

#[test]
fn a_namenode_that_does_not_answer_is_named_with_what_happened() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("hdfs://127.0.0.1:{port}/x");
    let error = location::open(&url).unwrap().look(&at("/models")).unwrap_err();
    assert!(error.code() == "store_unreachable" && error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains(&url), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("refused"), "{cause}");
}

#[test]
fn a_single_file_is_read_from_any_place_in_it() {
    let (directory, url) = Directory::new();
    // Longer than what is read at once, and no multiple of it.
    let bytes: Vec<u8> = (0..9_000_001u32).map(|number| (number / 7) as u8 ^ (number >> 13) as u8).collect();
    directory.write("large", &bytes);
    let path = format!("{}/large", directory.root);
    let authority = url.trim_start_matches("hdfs://").split('/').next().unwrap();
    let files = SharedFiles::open(&format!("hdfs://{authority}")).unwrap();
    let mut file = files.open_file(&path).unwrap().unwrap();
    let mut whole = Vec::new();
    file.read_to_end(&mut whole).unwrap();
    assert!(whole == bytes);
    for (from, length) in
        [(8_999_990, 100), (0, 1), (70_000, 3), (70_003, 5_000_000), (1, 2), (9_000_001, 5), (9_000_900, 5)]
    {
        let mut part = Vec::new();
        assert_eq!(file.seek(SeekFrom::Start(from)).unwrap(), from);
        file.by_ref().take(length).read_to_end(&mut part).unwrap();
        let from = usize::try_from(from).unwrap().min(bytes.len());
        let to = bytes.len().min(from + usize::try_from(length).unwrap());
        assert!(part == bytes[from..to], "{from} to {to}");
    }
    assert_eq!(file.seek(SeekFrom::End(-1)).unwrap(), 9_000_000);
    assert!(file.seek(SeekFrom::Current(-9_000_001)).is_err());
    assert!(files.open_file(&format!("{path}.none")).unwrap().is_none());
}

/// For tests that look behind the store themselves.
impl Behind for () {
    fn write(&self, _: &str, _: &[u8]) {
        unreachable!("the test has a client of its own")
    }

    fn read(&self, _: &str) -> Vec<u8> {
        unreachable!("the test has a client of its own")
    }

    fn by_content(&self) -> bool {
        false
    }
}
