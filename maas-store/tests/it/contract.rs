//! What every model store must do: rules, and a macro that makes tests of them for one store.

use crate::fixture::ModelDir;
use maas_store::blobs::Blobs;
use maas_store::manifest::Manifest;
use maas_store::store::{Error, Found, Put};
use maas_store::{ModelStore, StorePath, payload};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

/// A store, and a way to change what it holds behind its back.
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn ModelStore>,
    pub(crate) behind: Box<dyn Behind>,
}

/// What a store stands on.
pub(crate) trait Behind {
    /// Puts bytes under a path relative to the store's root, as another program would.
    fn write(&self, path: &str, bytes: &[u8]);
    fn read(&self, path: &str) -> Vec<u8>;
    /// Whether a payload's files stand under their hashes and not under their names.
    fn by_content(&self) -> bool;
}

/// A directory.
impl Behind for tempfile::TempDir {
    fn write(&self, path: &str, bytes: &[u8]) {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.path().join(path)).unwrap()
    }

    fn by_content(&self) -> bool {
        false
    }
}

impl<B: Blobs> Behind for Arc<B> {
    fn write(&self, path: &str, mut bytes: &[u8]) {
        let size = bytes.len() as u64;
        self.put(path, &mut bytes, size).unwrap();
    }

    fn read(&self, path: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.get(path).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn by_content(&self) -> bool {
        true
    }
}

impl Subject {
    pub(crate) fn put(&self, path: &StorePath, dir: &ModelDir) -> Result<(Put, Manifest), Error> {
        let (bundle, manifest) = dir.bundle();
        self.store.put(path, &bundle, &manifest, &mut |_| {}).map(|put| (put, manifest))
    }

    /// Changes what the store holds; `file` is relative to the payload at `path`.
    fn tamper(&self, path: &StorePath, file: &str, change: impl Fn(&str) -> String) {
        let key = match file.strip_prefix("files/") {
            Some(name) if self.behind.by_content() => {
                let manifest = self.store.manifest(path).unwrap();
                let entry = manifest.files().iter().find(|entry| entry.path == name).unwrap();
                format!("{}/files/{}", path.relative(), entry.sha256)
            }
            _ => format!("{}/{file}", path.relative()),
        };
        let text = String::from_utf8(self.behind.read(&key)).unwrap();
        self.behind.write(&key, change(&text).as_bytes());
    }
}

pub(crate) fn at(path: &str) -> StorePath {
    path.parse().unwrap()
}

/// A test of each rule, on what `$subject` makes.
macro_rules! contract {
    ($subject:path) => {
        contract!(
            $subject:
            what_is_put_is_found_listed_and_fetched_with_bytes_and_bits,
            the_same_content_again_writes_nothing_and_other_content_is_refused_by_name,
            a_foreign_tree_is_never_overwritten,
            a_put_that_fails_half_way_leaves_nothing_under_the_path,
            many_at_once_put_one_payload,
            a_payload_whose_bytes_changed_is_not_fetched,
            a_fetch_over_a_damaged_or_other_directory_replaces_it,
            delete_says_whether_there_was_anything_and_the_version_can_be_published_again,
            a_tree_of_metrons_client_is_imported_once_and_stays_as_it_is,
            a_manifest_that_leads_out_of_the_payload_is_refused
        );
    };
    ($subject:path: $($rule:ident),+) => {
        $(
            #[test]
            fn $rule() {
                $crate::contract::$rule(&$subject());
            }
        )+
    };
}
pub(crate) use contract;

pub(crate) fn what_is_put_is_found_listed_and_fetched_with_bytes_and_bits(subject: &Subject) {
    let path = at("/user/root/models/dga/1.0");
    let dir = ModelDir::with_script().file("lib/[odd] #%~{}.py", "x = 1\n").file("empty", "");
    assert_eq!(subject.store.look(&path).unwrap(), Found::Nothing);
    let mut last = None;
    let (bundle, manifest) = dir.bundle();
    let mut progress =
        |p: maas_store::store::Progress<'_>| last = Some((p.bytes, p.total_bytes, p.files, p.total_files));
    assert_eq!(subject.store.put(&path, &bundle, &manifest, &mut progress).unwrap(), Put::Written);
    let total = manifest.total_bytes();
    assert_eq!(last, Some((total, total, 3, 3)));
    assert_eq!(subject.store.manifest(&path).unwrap(), manifest);
    let listed = subject.store.list(None).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].path.clone(), listed[0].digest.as_str()), (path.clone(), manifest.digest()));
    assert_eq!(subject.store.list(Some(&at("/user"))).unwrap(), listed);
    assert!(subject.store.list(Some(&at("/other"))).unwrap().is_empty());

    let cache = tempfile::tempdir().unwrap();
    let to = cache.path().join(manifest.digest_hex());
    assert_eq!(subject.store.fetch(&path, &to, &mut |_| {}).unwrap(), manifest);
    assert_eq!(payload::read(&to).unwrap().unwrap(), manifest);
    let work = cache.path().join("work");
    payload::copy_into(&to, &manifest, &work).unwrap();
    assert_eq!(fs::read_to_string(work.join("lib/[odd] #%~{}.py")).unwrap(), "x = 1\n");
    assert_eq!(fs::metadata(work.join("run.sh")).unwrap().permissions().mode() & 0o111, 0o111);
    assert_eq!(fs::metadata(work.join("empty")).unwrap().permissions().mode() & 0o111, 0);
}

pub(crate) fn the_same_content_again_writes_nothing_and_other_content_is_refused_by_name(subject: &Subject) {
    let path = at("/models/dga/1.0");
    subject.put(&path, &ModelDir::with_script().file("a", "1")).unwrap();
    assert_eq!(subject.put(&path, &ModelDir::with_script().file("a", "1")).unwrap().0, Put::Same);
    let error = subject.put(&path, &ModelDir::with_script().file("a", "2")).unwrap_err();
    assert_eq!(error.code(), "conflict_content");
    assert!(error.to_string().contains("a has other bytes"), "{error}");
    assert_eq!(subject.store.list(None).unwrap().len(), 1);
}

pub(crate) fn a_foreign_tree_is_never_overwritten(subject: &Subject) {
    subject.behind.write("models/dga/1.0/notes.txt", b"mine");
    let error = subject.put(&at("/models/dga/1.0"), &ModelDir::with_script()).unwrap_err();
    assert_eq!(error.code(), "conflict_content");
    assert_eq!(subject.store.look(&at("/models/dga/1.0")).unwrap(), Found::Tree { scripts: 0 });
}

pub(crate) fn a_put_that_fails_half_way_leaves_nothing_under_the_path(subject: &Subject) {
    let path = at("/models/dga/1.0");
    let dir = ModelDir::with_script().file("data", "before");
    let (bundle, manifest) = dir.bundle();
    fs::write(dir.path().join("data"), "after!").unwrap();
    let error = subject.store.put(&path, &bundle, &manifest, &mut |_| {}).unwrap_err();
    assert_eq!(error.code(), "changed_while_read");
    assert_eq!(subject.store.look(&path).unwrap(), Found::Nothing);
    assert!(subject.store.list(None).unwrap().is_empty());
}

pub(crate) fn many_at_once_put_one_payload(subject: &Subject) {
    let path = at("/models/dga/1.0");
    let dir = ModelDir::with_script().file("data", &"x".repeat(300_000));
    let (bundle, manifest) = dir.bundle();
    let store = &subject.store;
    let written = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| store.put(&path, &bundle, &manifest, &mut |_| {}).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|put| *put == Put::Written).count()
    });
    assert_eq!(written, 1);
    assert_eq!(subject.store.manifest(&path).unwrap(), manifest);
}

pub(crate) fn a_payload_whose_bytes_changed_is_not_fetched(subject: &Subject) {
    let path = at("/models/dga/1.0");
    subject.put(&path, &ModelDir::with_script().file("data", "12345")).unwrap();
    subject.tamper(&path, "files/data", |_| "54321".to_string());
    let cache = tempfile::tempdir().unwrap();
    let to = cache.path().join("payload");
    let error = subject.store.fetch(&path, &to, &mut |_| {}).unwrap_err();
    assert_eq!(error.code(), "payload_changed");
    assert!(error.to_string().contains("data"), "{error}");
    assert!(!to.exists());
}

pub(crate) fn a_fetch_over_a_damaged_or_other_directory_replaces_it(subject: &Subject) {
    let path = at("/models/dga/1.0");
    let (_, manifest) = subject.put(&path, &ModelDir::with_script().file("data", "12345")).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let to = cache.path().join("payload");
    subject.store.fetch(&path, &to, &mut |_| {}).unwrap();
    fs::remove_file(to.join("files/data")).unwrap();
    subject.store.fetch(&path, &to, &mut |_| {}).unwrap();
    assert!(payload::looks_complete(&to, &manifest));
    let untouched = |to: &Path| fs::metadata(to.join("manifest.json")).unwrap().modified().unwrap();
    let before = untouched(&to);
    subject.store.fetch(&path, &to, &mut |_| {}).unwrap();
    assert_eq!(untouched(&to), before);
}

pub(crate) fn delete_says_whether_there_was_anything_and_the_version_can_be_published_again(subject: &Subject) {
    let path = at("/models/dga/1.0");
    assert!(!subject.store.delete(&path).unwrap());
    subject.put(&path, &ModelDir::with_script().file("a", "1")).unwrap();
    assert!(subject.store.delete(&path).unwrap());
    assert_eq!(subject.store.look(&path).unwrap(), Found::Nothing);
    assert!(matches!(subject.store.manifest(&path), Err(Error::NotFound { .. })));
    assert_eq!(subject.put(&path, &ModelDir::with_script().file("a", "2")).unwrap().0, Put::Written);
}

pub(crate) fn a_tree_of_metrons_client_is_imported_once_and_stays_as_it_is(subject: &Subject) {
    let path = at("/user/metron/models/dga");
    subject.behind.write("user/metron/models/dga/run.sh", b"#!/bin/sh\n");
    subject.behind.write("user/metron/models/dga/manifest.json", b"{\"the model's own\":true}");
    subject.behind.write("user/metron/models/dga/maas.json", b"{\"drain_s\":7}");
    assert_eq!(subject.store.look(&path).unwrap(), Found::Tree { scripts: 1 });
    let (imported, manifest) = subject.store.import(&path).unwrap();
    assert_eq!(imported, StorePath::imported(manifest.digest()).unwrap());
    assert_eq!(manifest.settings().drain_s, 7);
    assert_eq!(subject.store.import(&path).unwrap(), (imported.clone(), manifest.clone()));
    assert_eq!(subject.store.manifest(&imported).unwrap(), manifest);
    assert_eq!(subject.store.import(&imported).unwrap().0, imported);
    assert!(subject.store.list(None).unwrap().is_empty());
    assert_eq!(subject.store.look(&path).unwrap(), Found::Tree { scripts: 1 });
    let missing = subject.store.import(&at("/nowhere")).unwrap_err();
    assert_eq!(missing.code(), "no_payload");
    subject.behind.write("user/metron/models/dga/second.sh", b"");
    assert_eq!(subject.store.import(&path).unwrap_err().code(), "two_scripts");
}

pub(crate) fn a_manifest_that_leads_out_of_the_payload_is_refused(subject: &Subject) {
    let path = at("/models/dga/1.0");
    subject.put(&path, &ModelDir::with_script().file("data", "1")).unwrap();
    subject.tamper(&path, "manifest.json", |text| text.replace("\"data\"", "\"../../../../x\""));
    let cache = tempfile::tempdir().unwrap();
    let error = subject.store.fetch(&path, &cache.path().join("p"), &mut |_| {}).unwrap_err();
    assert_eq!(error.code(), "bad_manifest");
}
