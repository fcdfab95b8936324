//! The model store as a source of payloads: fetched by digest into `<state-dir>/cache`, every byte checked by the store.

use super::{Fetched, Key, Source};
use maas_client::reason::chain;
use maas_client::reason::{Reason, ReasonCode};
use maas_client::state::{CallSettings, Method};
use maas_store::manifest::{MANIFEST_FILE, Manifest};
use maas_store::settings;
use maas_store::store::{Error, Found};
use maas_store::{ModelStore, StorePath, payload};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Younger copies stay: somebody may be about to use them.
const YOUNG: Duration = Duration::from_secs(3600);

/// A model store behind a cache.
pub struct StoreSource {
    store: Arc<dyn ModelStore>,
    cache: PathBuf,
    young: Duration,
    /// Whether files are needed here besides what the manifest says.
    takes_files: bool,
}

impl StoreSource {
    /// Caches below this directory, one payload a digest.
    pub fn new(store: Arc<dyn ModelStore>, cache: PathBuf) -> StoreSource {
        StoreSource { store, cache, young: YOUNG, takes_files: true }
    }

    /// The same with manifests alone, for where others fetch the files from the store by themselves.
    pub fn of_manifests(store: Arc<dyn ModelStore>, cache: PathBuf) -> StoreSource {
        StoreSource { takes_files: false, ..StoreSource::new(store, cache) }
    }

    fn directory(&self, digest: &str) -> PathBuf {
        // A checked digest is `sha256:` and hex digits.
        self.cache.join(digest.trim_start_matches("sha256:"))
    }

    fn try_fetch(&self, key: &Key) -> Result<Fetched, Error> {
        let path: StorePath = key.path.parse()?;
        let Some(digest) = &key.digest else {
            let (imported, manifest) = self.store.import(&path)?;
            return self.copy(&imported, manifest.digest());
        };
        if let Some(there) = self.cached(digest) {
            return Ok(there);
        }
        match self.store.look(&path)? {
            Found::Payload(manifest) if manifest.digest() == digest => self.copy(&path, digest),
            Found::Payload(_) => Err(Error::Changed { path: path.to_string(), file: "manifest.json".to_string() }),
            // A tree of Metron's client: what was imported from it carries its digest.
            Found::Tree { .. } | Found::Nothing => self.copy(&StorePath::imported(digest)?, digest),
        }
    }

    /// The path comes from a request, which anybody may write: only the very payload that the version had goes, never a
    /// tree that others put there, nor what lies below it.
    fn try_purge(&self, key: &Key) -> Result<Option<String>, Error> {
        let kept = |why: &str| Ok(Some(why.to_string()));
        let Ok(path) = key.path.parse::<StorePath>() else { return kept("this is no path of a payload") };
        if path.relative().starts_with('.') {
            return kept("this is the store's own");
        }
        match self.store.look(&path)? {
            Found::Nothing => return Ok(None),
            Found::Tree { .. } => return kept("it has no manifest, so it is not ours; delete it by hand"),
            Found::Payload(there) if key.digest.as_deref() != Some(there.digest()) => {
                return kept("other content is there now");
            }
            Found::Payload(_) => {}
        }
        if self.store.list(Some(&path))?.iter().any(|listed| listed.path != path) {
            return kept("other payloads lie below it");
        }
        self.store.delete(&path)?;
        Ok(None)
    }

    fn cached(&self, digest: &str) -> Option<Fetched> {
        let directory = self.directory(digest);
        let manifest = payload::read(&directory).ok().flatten()?;
        let is_whole = !self.takes_files || payload::looks_complete(&directory, &manifest);
        let good = manifest.digest() == digest && is_whole;
        good.then(|| fetched(directory, &manifest))
    }

    fn copy(&self, path: &StorePath, digest: &str) -> Result<Fetched, Error> {
        if let Some(there) = self.cached(digest) {
            return Ok(there);
        }
        let directory = self.directory(digest);
        if !self.takes_files {
            let manifest = self.store.manifest(path)?;
            keep(&directory, &manifest)?;
            return Ok(fetched(directory, &manifest));
        }
        make(&self.cache)?;
        let manifest = self.store.fetch(path, &directory, &mut |_| {})?;
        Ok(fetched(directory, &manifest))
    }
}

fn make(directory: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(directory).map_err(|source| Error::Io {
        action: "make",
        path: directory.to_path_buf(),
        source,
    })
}

/// A manifest that was cut off is none: it is read anew and replaced.
fn keep(directory: &Path, manifest: &Manifest) -> Result<(), Error> {
    make(directory)?;
    let path = directory.join(MANIFEST_FILE);
    std::fs::write(&path, manifest.encode()).map_err(|source| Error::Io { action: "write", path, source })
}

fn fetched(directory: PathBuf, manifest: &Manifest) -> Fetched {
    let settings = manifest.settings();
    let call = CallSettings {
        method: match settings.call.method {
            settings::Method::Get => Method::Get,
            settings::Method::Post => Method::Post,
        },
        timeout_ms: settings.call.timeout_ms,
        idempotent: settings.call.idempotent,
    };
    Fetched {
        directory,
        digest: manifest.digest().to_string(),
        call,
        stop_bound_s: settings.drain_s.saturating_add(settings.stop_s),
    }
}

impl Source for StoreSource {
    fn fetch(&self, key: &Key) -> Result<Fetched, Reason> {
        self.try_fetch(key).map_err(|error| {
            let code = match &error {
                Error::Changed { .. } | Error::Manifest { .. } => ReasonCode::PayloadChanged,
                _ => ReasonCode::PayloadUnreadable,
            };
            Reason::new(code, chain(&error))
        })
    }

    fn purge(&self, key: &Key) -> Result<Option<String>, Reason> {
        self.try_purge(key).map_err(|error| Reason::new(ReasonCode::PayloadUnreadable, chain(&error)))
    }

    fn is_here(&self, directory: &Path) -> bool {
        directory.join(MANIFEST_FILE).is_file()
    }

    fn trim(&self, used: &BTreeSet<String>) {
        let used: BTreeSet<PathBuf> = used.iter().map(|digest| self.directory(digest)).collect();
        // A cache that is not there has nothing to be cleared.
        let Ok(entries) = std::fs::read_dir(&self.cache) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let is_payload = path.join(MANIFEST_FILE).is_file();
            let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|made| made.elapsed().ok());
            if !is_payload || used.contains(&path) || age.is_none_or(|age| age < self.young) {
                continue;
            }
            match std::fs::remove_dir_all(&path) {
                Ok(()) => tracing::info!(path = %path.display(), "a payload that nothing uses left the cache"),
                Err(error) => tracing::warn!(path = %path.display(), %error, "can't clear the cache"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maas_store::bundle::{Bundle, Limits};
    use maas_store::file::FileStore;

    struct Bed {
        here: tempfile::TempDir,
        store: Arc<FileStore>,
        source: StoreSource,
    }

    fn bed() -> Bed {
        let here = tempfile::tempdir().unwrap();
        let store = Arc::new(FileStore::new(here.path().join("store")));
        let source = StoreSource::new(store.clone(), here.path().join("cache"));
        Bed { here, store, source }
    }

    impl Bed {
        /// Publishes a model with this script; the key of its payload.
        fn publish(&self, path: &str, script: &str) -> Key {
            let model = self.here.path().join("model");
            std::fs::create_dir_all(&model).unwrap();
            std::fs::write(model.join("run.sh"), script).unwrap();
            let bundle = Bundle::check(&model, &Limits::default()).unwrap();
            let manifest = bundle.manifest(&mut |_| {}).unwrap();
            self.store.put(&path.parse().unwrap(), &bundle, &manifest, &mut |_| {}).unwrap();
            Key { path: path.to_string(), digest: Some(manifest.digest().to_string()) }
        }

        fn is_there(&self, path: &str) -> bool {
            self.store.look(&path.parse().unwrap()).unwrap() != Found::Nothing
        }
    }

    #[test]
    fn copies_that_nothing_uses_are_cleared_once_they_are_old() {
        let mut bed = bed();
        let keys = [bed.publish("/m/a/1", "echo a"), bed.publish("/m/b/1", "echo b")];
        let [a, b] = keys.each_ref().map(|key| bed.source.fetch(key).unwrap());
        let used = BTreeSet::from([a.digest.clone()]);
        bed.source.trim(&used);
        assert!(bed.source.is_here(&a.directory) && bed.source.is_here(&b.directory));
        bed.source.young = Duration::ZERO;
        bed.source.trim(&used);
        assert!(bed.source.is_here(&a.directory) && !bed.source.is_here(&b.directory));
        assert_eq!(bed.source.fetch(&keys[1]).unwrap(), b);
    }

    #[test]
    fn where_others_fetch_the_files_only_the_manifest_is_kept() {
        let bed = bed();
        let key = bed.publish("/m/a/1", "echo a");
        let source = StoreSource::of_manifests(bed.store.clone(), bed.here.path().join("manifests"));
        let seen = source.fetch(&key).unwrap();
        let whole = bed.source.fetch(&key).unwrap();
        assert_eq!((&seen.digest, &seen.call, seen.stop_bound_s), (&whole.digest, &whole.call, whole.stop_bound_s));
        let names: Vec<_> = std::fs::read_dir(&seen.directory).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(names, [MANIFEST_FILE]);
        assert!(source.is_here(&seen.directory));
        std::fs::write(seen.directory.join(MANIFEST_FILE), "{").unwrap();
        assert_eq!(source.fetch(&key).unwrap(), seen, "what was cut off is made again");
    }

    #[test]
    fn a_purge_takes_the_versions_own_payload_and_nothing_else() {
        let bed = bed();
        let one = bed.publish("/models/dga/1.0", "echo 1");
        let two = bed.publish("/models/dga/2.0", "echo 2");
        for path in ["/models", "/models/dga", "/", "models", "/models/../models", "/.imported", "/.tmp/x"] {
            let kept = bed.source.purge(&Key { path: path.to_string(), ..one.clone() }).unwrap();
            assert!(kept.is_some(), "{path}");
        }
        let others = Key { digest: two.digest.clone(), ..one.clone() };
        assert_eq!(bed.source.purge(&others).unwrap().unwrap(), "other content is there now");
        assert!(bed.source.purge(&Key { digest: None, ..one.clone() }).unwrap().is_some());
        assert!(bed.is_there("/models/dga/1.0") && bed.is_there("/models/dga/2.0"));
        assert_eq!(bed.source.purge(&one).unwrap(), None);
        assert!(!bed.is_there("/models/dga/1.0") && bed.is_there("/models/dga/2.0"));
        assert_eq!(bed.source.purge(&one).unwrap(), None, "gone is done");
    }

    #[test]
    fn a_payload_with_others_below_it_is_kept() {
        let bed = bed();
        bed.publish("/models/dga/1.0", "echo 1");
        let outer = bed.publish("/outer", "echo 2");
        bed.publish("/outer/dga/1.0", "echo 1");
        assert_eq!(bed.source.purge(&outer).unwrap().unwrap(), "other payloads lie below it");
        assert!(bed.is_there("/outer/dga/1.0"));
    }
}
