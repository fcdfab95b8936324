//! Objects of a directory: what they become, how long they are kept, how large they may be.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, mpsc};

use maas_store::StorePath;
use maas_store::single::SingleFiles;
use maas_store::store::Error;
use serde_json::{Value as Json, json};

use super::{ObjectSettings, Objects};
use crate::asking::CallThread;
use crate::services::{Failure, Outcome};
use crate::value::Value;

fn objects(root: &Path, more: Json) -> Arc<Objects> {
    let mut globals = json!({"stellar.object.settings": {"store": root}});
    globals.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Arc::new(Objects::new(ObjectSettings::from_globals(globals.as_object().unwrap()).unwrap()))
}

fn get(objects: &Arc<Objects>, path: &str) -> Result<Value, Failure> {
    static CALLS: LazyLock<CallThread> = LazyLock::new(CallThread::default);
    let (objects, path) = (objects.clone(), path.parse().unwrap());
    CALLS.wait(async move { objects.get(path).await.map(|object| object.value()) }).unwrap()
}

fn text(value: &Value) -> String {
    format!("{} {value}", value.type_name())
}

#[test]
fn a_file_is_json_or_text_or_bytes() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [("a.json", &b"{\"a\": [1, 2.5]}"[..]), ("b.txt", b"plain words"), ("c.bin", b"\x00\xff\x80")]
    {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let objects = objects(dir.path(), json!({}));
    assert_eq!(text(&get(&objects, "/a.json").unwrap()), "map {a=[1, 2.5]}");
    assert_eq!(text(&get(&objects, "/b.txt").unwrap()), "string plain words");
    assert_eq!(text(&get(&objects, "/c.bin").unwrap()), "list [0, -1, -128]");
    assert!(get(&objects, "/none").unwrap().is_null());
}

#[test]
fn what_was_read_is_kept_and_each_who_asks_has_a_copy() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list.json");
    fs::write(&file, "[1]").unwrap();
    let kept = objects(dir.path(), json!({}));
    let Value::List(list) = get(&kept, "/list.json").unwrap() else { panic!() };
    list.push(Value::from(2));
    fs::write(&file, "[3]").unwrap();
    assert_eq!(get(&kept, "/list.json").unwrap().to_string(), "[1]");
    let fresh = objects(dir.path(), json!({"object.cache.size": "0"}));
    assert_eq!(get(&fresh, "/list.json").unwrap().to_string(), "[3]");
    fs::write(&file, "[4]").unwrap();
    let again = || get(&fresh, "/list.json").unwrap().to_string() == "[4]";
    // The cache drops what it has no room for a moment later.
    let start = std::time::Instant::now();
    while !again() {
        assert!(start.elapsed().as_secs() < 30, "the cache goes on giving what it has no room for");
        std::thread::yield_now();
    }
}

/// Counts who reads, and lets nobody end before it is told to.
#[derive(Debug)]
struct Slow {
    begun: AtomicUsize,
    go: Mutex<mpsc::Receiver<()>>,
}

impl SingleFiles for Slow {
    fn url(&self) -> String {
        "file:///".into()
    }

    fn read(&self, path: &StorePath, _: u64) -> Result<Option<Vec<u8>>, Error> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        // An error is told as well: then the test is over.
        let _ = self.go.lock().unwrap().recv();
        Ok(Some(path.as_str().into()))
    }
}

#[test]
fn those_who_ask_at_once_share_a_reading_and_few_are_read_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let objects = objects(dir.path(), json!({"object.cache.size": 0}));
    let (go, wait) = mpsc::channel();
    let slow = Arc::new(Slow { begun: AtomicUsize::new(0), go: Mutex::new(wait) });
    objects.read_from(slow.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ask = |path: String| {
            let objects = objects.clone();
            tokio::spawn(async move { objects.get(path.parse().unwrap()).await.map(|object| object.size()) })
        };
        let same: Vec<_> = (0..20).map(|_| ask("/same".into())).collect();
        tokio::task::yield_now().await;
        go.send(()).unwrap();
        for one in same {
            assert_eq!(one.await.unwrap(), Ok(5));
        }
        assert_eq!(slow.begun.swap(0, Ordering::Relaxed), 1);
        let others: Vec<_> = (0..40).map(|number| ask(format!("/{number}"))).collect();
        while slow.begun.load(Ordering::Relaxed) < 16 {
            tokio::task::yield_now().await;
        }
        assert_eq!(slow.begun.load(Ordering::Relaxed), 16, "the others wait for their turn");
        drop(go);
        for one in others {
            assert!(one.await.unwrap().is_ok());
        }
    });
}

#[test]
fn large_files_and_other_places_are_failures_that_say_why() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("large"), "x".repeat(101)).unwrap();
    let small = objects(dir.path(), json!({"object.cache.max.file.size": 100}));
    let failure = get(&small, "/large").unwrap_err();
    assert_eq!(failure.outcome, Outcome::TooLarge);
    assert!(failure.message.contains("object.cache.max.file.size"));
    if cfg!(not(feature = "s3")) {
        let failure = get(&objects(Path::new("s3://bucket/x"), json!({})), "/a").unwrap_err();
        assert!(failure.message.contains("--features s3"), "{}", failure.message);
    }
}

#[test]
fn settings_that_cant_be_used_are_refused() {
    for (bad, says) in [
        (json!({"stellar.object.settings": {"store": "ftp://x/y"}}), "file, hdfs and s3"),
        (json!({"stellar.object.settings": {}}), "can't be read"),
        (json!({"object.cache.size": -1}), "is no number"),
        (json!({"object.cache.time.unit": "FORTNIGHTS"}), "is no unit"),
    ] {
        let error = ObjectSettings::from_globals(bad.as_object().unwrap()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let given = json!({"object.cache.expiration": 2, "object.cache.time.unit": "HOURS"});
    let settings = ObjectSettings::from_globals(given.as_object().unwrap()).unwrap();
    assert_eq!(settings.cache_expiration.as_secs(), 7200);
}

/// Objects for the examples of the reference.
pub(crate) fn fixture() -> Arc<Objects> {
    static WORLD: LazyLock<(tempfile::TempDir, Arc<Objects>)> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("ports.json"), "{\"22\": \"ssh\"}").unwrap();
        fs::write(dir.path().join("note.txt"), "hello").unwrap();
        let objects = objects(dir.path(), json!({}));
        (dir, objects)
    });
    WORLD.1.clone()
}
