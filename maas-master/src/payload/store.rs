//! The model store as a source of payloads: fetched by digest into `<state-dir>/cache`, every byte checked by the store.

use super::{Fetched, Key, Source};
use maas_client::reason::{Reason, ReasonCode};
use maas_client::state::{CallSettings, Method};
use maas_store::manifest::Manifest;
use maas_store::settings;
use maas_store::store::{Error, Found};
use maas_store::{ModelStore, StorePath, payload};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A model store behind a cache.
pub struct StoreSource {
    store: Arc<dyn ModelStore>,
    cache: PathBuf,
}

impl StoreSource {
    /// Caches below this directory, one payload a digest.
    pub fn new(store: Arc<dyn ModelStore>, cache: PathBuf) -> StoreSource {
        StoreSource { store, cache }
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

    fn cached(&self, digest: &str) -> Option<Fetched> {
        let directory = self.directory(digest);
        let manifest = payload::read(&directory).ok().flatten()?;
        let good = manifest.digest() == digest && payload::looks_complete(&directory, &manifest);
        good.then(|| fetched(directory, &manifest))
    }

    fn copy(&self, path: &StorePath, digest: &str) -> Result<Fetched, Error> {
        if let Some(there) = self.cached(digest) {
            return Ok(there);
        }
        let directory = self.directory(digest);
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

    fn purge(&self, path: &str) -> Result<(), Reason> {
        let purge = || self.store.delete(&path.parse()?).map(|_| ());
        purge().map_err(|error: Error| Reason::new(ReasonCode::PayloadUnreadable, chain(&error)))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
