//! What every model store must do. Each test runs over each store.

use crate::fixture::ModelDir;
use maas_store::blobs::{Blobs, MemoryBlobs};
use maas_store::manifest::Manifest;
use maas_store::store::{Error, Found, Put};
use maas_store::{FileStore, ModelStore, ObjectStore, StorePath, payload};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use tempfile::TempDir;

/// A store, and a way to put bare files into it as a Metron client would.
struct Subject {
    store: Arc<dyn ModelStore>,
    behind: Behind,
}

/// What the store stands on.
enum Behind {
    Dir(TempDir),
    Blobs(Arc<MemoryBlobs>),
}

/// Every store there is.
fn subjects() -> [Subject; 2] {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Arc::new(MemoryBlobs::default());
    [
        Subject { store: Arc::new(FileStore::new(dir.path())), behind: Behind::Dir(dir) },
        Subject { store: Arc::new(ObjectStore::new(blobs.clone())), behind: Behind::Blobs(blobs) },
    ]
}

impl Subject {
    fn put(&self, path: &StorePath, dir: &ModelDir) -> Result<(Put, Manifest), Error> {
        let (bundle, manifest) = dir.bundle();
        self.store.put(path, &bundle, &manifest, &mut |_| {}).map(|put| (put, manifest))
    }

    fn bare_file(&self, path: &str, text: &str) {
        match &self.behind {
            Behind::Dir(root) => {
                let file = root.path().join(path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            Behind::Blobs(blobs) => blobs.put(path, &mut text.as_bytes()).unwrap(),
        }
    }

    /// Changes what the store holds behind its back; `file` is relative to the payload at `path`.
    fn tamper(&self, path: &StorePath, file: &str, change: impl Fn(&str) -> String) {
        let text = match &self.behind {
            Behind::Dir(root) => fs::read_to_string(path.below(root.path()).join(file)).unwrap(),
            Behind::Blobs(blobs) => {
                let mut text = String::new();
                blobs.get(&self.key(path, file)).unwrap().unwrap().read_to_string(&mut text).unwrap();
                text
            }
        };
        match &self.behind {
            Behind::Dir(root) => fs::write(path.below(root.path()).join(file), change(&text)).unwrap(),
            Behind::Blobs(blobs) => blobs.put(&self.key(path, file), &mut change(&text).as_bytes()).unwrap(),
        }
    }

    fn key(&self, path: &StorePath, file: &str) -> String {
        let Some(file) = file.strip_prefix("files/") else { return format!("{}/{file}", path.relative()) };
        let manifest = self.store.manifest(path).unwrap();
        let entry = manifest.files().iter().find(|entry| entry.path == file).unwrap();
        format!("{}/files/{}", path.relative(), entry.sha256)
    }
}

fn at(path: &str) -> StorePath {
    path.parse().unwrap()
}

#[test]
fn what_is_put_is_found_listed_and_fetched_with_bytes_and_bits() {
    for subject in subjects() {
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
}

#[test]
fn the_same_content_again_writes_nothing_and_other_content_is_refused_by_name() {
    for subject in subjects() {
        let path = at("/models/dga/1.0");
        subject.put(&path, &ModelDir::with_script().file("a", "1")).unwrap();
        assert_eq!(subject.put(&path, &ModelDir::with_script().file("a", "1")).unwrap().0, Put::Same);
        let error = subject.put(&path, &ModelDir::with_script().file("a", "2")).unwrap_err();
        assert_eq!(error.code(), "conflict_content");
        assert!(error.to_string().contains("a has other bytes"), "{error}");
        assert_eq!(subject.store.list(None).unwrap().len(), 1);
    }
}

#[test]
fn a_foreign_tree_is_never_overwritten() {
    for subject in subjects() {
        subject.bare_file("models/dga/1.0/notes.txt", "mine");
        let error = subject.put(&at("/models/dga/1.0"), &ModelDir::with_script()).unwrap_err();
        assert_eq!(error.code(), "conflict_content");
        assert_eq!(subject.store.look(&at("/models/dga/1.0")).unwrap(), Found::Tree { scripts: 0 });
    }
}

#[test]
fn a_put_that_fails_half_way_leaves_nothing_under_the_path() {
    for subject in subjects() {
        let path = at("/models/dga/1.0");
        let dir = ModelDir::with_script().file("data", "before");
        let (bundle, manifest) = dir.bundle();
        fs::write(dir.path().join("data"), "after!").unwrap();
        let error = subject.store.put(&path, &bundle, &manifest, &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), "changed_while_read");
        assert_eq!(subject.store.look(&path).unwrap(), Found::Nothing);
        assert!(subject.store.list(None).unwrap().is_empty());
    }
}

#[test]
fn many_at_once_put_one_payload() {
    for subject in subjects() {
        let path = at("/models/dga/1.0");
        let dir = ModelDir::with_script().file("data", &"x".repeat(300_000));
        let (bundle, manifest) = dir.bundle();
        let written = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| subject.store.put(&path, &bundle, &manifest, &mut |_| {}).unwrap()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|put| *put == Put::Written).count()
        });
        assert_eq!(written, 1);
        assert_eq!(subject.store.manifest(&path).unwrap(), manifest);
    }
}

#[test]
fn a_payload_whose_bytes_changed_is_not_fetched() {
    for subject in subjects() {
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
}

#[test]
fn a_fetch_over_a_damaged_or_other_directory_replaces_it() {
    for subject in subjects() {
        let path = at("/models/dga/1.0");
        let (_, manifest) = subject.put(&path, &ModelDir::with_script().file("data", "12345")).unwrap();
        let cache = tempfile::tempdir().unwrap();
        let to = cache.path().join("payload");
        subject.store.fetch(&path, &to, &mut |_| {}).unwrap();
        fs::remove_file(to.join("files/data")).unwrap();
        subject.store.fetch(&path, &to, &mut |_| {}).unwrap();
        assert!(payload::looks_complete(&to, &manifest));
        let untouched = |to: &std::path::Path| fs::metadata(to.join("manifest.json")).unwrap().modified().unwrap();
        let before = untouched(&to);
        subject.store.fetch(&path, &to, &mut |_| {}).unwrap();
        assert_eq!(untouched(&to), before);
    }
}

#[test]
fn delete_says_whether_there_was_anything_and_the_version_can_be_published_again() {
    for subject in subjects() {
        let path = at("/models/dga/1.0");
        assert!(!subject.store.delete(&path).unwrap());
        subject.put(&path, &ModelDir::with_script().file("a", "1")).unwrap();
        assert!(subject.store.delete(&path).unwrap());
        assert_eq!(subject.store.look(&path).unwrap(), Found::Nothing);
        assert!(matches!(subject.store.manifest(&path), Err(Error::NotFound { .. })));
        assert_eq!(subject.put(&path, &ModelDir::with_script().file("a", "2")).unwrap().0, Put::Written);
    }
}

#[test]
fn a_tree_of_metrons_client_is_imported_once_and_stays_as_it_is() {
    for subject in subjects() {
        let path = at("/user/metron/models/dga");
        subject.bare_file("user/metron/models/dga/run.sh", "#!/bin/sh\n");
        subject.bare_file("user/metron/models/dga/manifest.json", "{\"the model's own\":true}");
        subject.bare_file("user/metron/models/dga/maas.json", "{\"drain_s\":7}");
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
        subject.bare_file("user/metron/models/dga/second.sh", "");
        assert_eq!(subject.store.import(&path).unwrap_err().code(), "two_scripts");
    }
}

#[test]
fn a_manifest_that_leads_out_of_the_payload_is_refused() {
    for subject in subjects() {
        let path = at("/models/dga/1.0");
        subject.put(&path, &ModelDir::with_script().file("data", "1")).unwrap();
        subject.tamper(&path, "manifest.json", |text| text.replace("\"data\"", "\"../../../../x\""));
        let cache = tempfile::tempdir().unwrap();
        let error = subject.store.fetch(&path, &cache.path().join("p"), &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), "bad_manifest");
    }
}
