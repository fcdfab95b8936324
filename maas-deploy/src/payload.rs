//! The payload's side of ADD: checks the directory, uploads it, or finds what is in the store already.
//!
//! Checks, digests and stores are maas-store's; here they meet the progress bar and the user's words.

use crate::context::note;
use crate::error::Error;
use indicatif::{ProgressBar, ProgressStyle};
use maas_cli::{ErrorCode, Failure};
use maas_client::model::ModelId;
use maas_client::request::Resources;
use maas_store::bundle::{self, Bundle, Limits};
use maas_store::store::{self, Found, ModelStore, Progress, Put};
use maas_store::{Manifest, Settings, StorePath, location};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

/// A payload that can be started: where it lies, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Payload {
    /// The path inside the store, as the request names it.
    pub(crate) path: String,
    /// Its digest; `None` for a tree without a manifest.
    pub(crate) digest: Option<String>,
    /// What its settings ask for; `None` where they can't be seen from here.
    pub(crate) resources: Option<Asked>,
}

/// Resources as the settings give them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The values, defaults where nothing is said.
    pub(crate) resources: Resources,
    /// Whether memory is said.
    pub(crate) says_memory: bool,
}

/// A checked directory with its manifest.
pub(crate) struct Prepared {
    bundle: Bundle,
    /// What would be stored.
    pub(crate) manifest: Manifest,
    /// What its settings ask for.
    pub(crate) asked: Asked,
}

/// What a store said, in the user's terms.
pub(crate) fn failure(error: &store::Error) -> Failure {
    Failure::of(error.code().parse().unwrap_or(ErrorCode::Defect), error)
}

fn bundle_failure(error: &bundle::Error) -> Failure {
    Failure::of(error.code().parse().unwrap_or(ErrorCode::Defect), error)
}

/// Does something with files away from the threads that talk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(Failure::new(ErrorCode::Defect, "work on files ended early").because(&error).into()),
    }
}

/// Checks a directory and reads it once.
pub(crate) async fn prepare(dir: &Path) -> Result<Prepared, Error> {
    let dir = dir.to_path_buf();
    let (prepared, skipped) = blocking(move || {
        let bundle = Bundle::check(&dir, &Limits::default()).map_err(|error| bundle_failure(&error))?;
        let bar = bar(bundle.total_bytes(), "checking");
        let manifest =
            bundle.manifest(&mut |progress| show(&bar, &progress)).map_err(|error| bundle_failure(&error))?;
        bar.finish_and_clear();
        let asked = asked(bundle.settings(), says_memory(&dir));
        let skipped = bundle.skipped().to_vec();
        Ok((Prepared { bundle, manifest, asked }, skipped))
    })
    .await?;
    if !skipped.is_empty() {
        note(format!("not uploaded: {}", skipped.join(", ")));
    }
    Ok(prepared)
}

/// The resources a directory's settings ask for.
pub(crate) fn settings_of(dir: &Path) -> Result<Resources, Error> {
    let bundle = Bundle::check(dir, &Limits::default()).map_err(|error| bundle_failure(&error))?;
    Ok(asked(bundle.settings(), false).resources)
}

fn asked(settings: &Settings, says_memory: bool) -> Asked {
    let given = &settings.resources;
    let resources =
        Resources { memory_mb: given.memory_mb, vcores: given.vcores, gpus: given.gpus, label: given.label.clone() };
    // Another value than the default is certainly said.
    let says_memory = says_memory || given.memory_mb != Resources::default().memory_mb;
    Asked { resources, says_memory }
}

/// Whether `maas.json` or `maas.yaml` names the memory, be it the default.
fn says_memory(dir: &Path) -> bool {
    let json = std::fs::read(dir.join(maas_store::settings::JSON_FILE)).ok();
    let json = json.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    if json.is_some_and(|value| value.pointer("/resources/memory_mb").is_some()) {
        return true;
    }
    // Settings were read and checked already; in them this word is a key of `resources`.
    let yaml = std::fs::read_to_string(dir.join(maas_store::settings::YAML_FILE)).unwrap_or_default();
    yaml.lines().any(|line| !line.trim_start().starts_with('#') && line.contains("memory_mb"))
}

/// Opens the store at a url.
pub(crate) fn open(url: &str) -> Result<Arc<dyn ModelStore>, Error> {
    location::open(url).map_err(|error| failure(&error).into())
}

/// The default of `-hmp`.
pub(crate) fn default_base(store: &str, user: &str) -> String {
    if store.starts_with("hdfs:") { format!("/user/{user}/models") } else { "/models".to_string() }
}

/// `<base>/<name>/<version>`.
pub(crate) fn version_path(base: &str, model: &ModelId) -> Result<StorePath, Error> {
    let under = |base: StorePath| base.join(model.name.as_str())?.join(model.version.as_str());
    let path = base.trim_end_matches('/').parse::<StorePath>().and_then(under);
    path.map_err(|error| {
        Failure::new(ErrorCode::BadPath, format!("-hmp {base:?} is no path in the model store")).because(&error).into()
    })
}

/// Uploads a directory under a path. Says what it did.
pub(crate) async fn upload(store: Arc<dyn ModelStore>, path: StorePath, prepared: Prepared) -> Result<Payload, Error> {
    let Prepared { bundle, manifest, asked } = prepared;
    let payload = Payload {
        path: path.as_str().to_string(),
        digest: Some(manifest.digest().to_string()),
        resources: Some(asked),
    };
    let count = manifest.files().len();
    let files = if count == 1 { "1 file".to_string() } else { format!("{count} files") };
    let text = format!("{files}, {}", size(manifest.total_bytes()));
    match put_as(store, path.clone(), bundle, manifest, "uploading").await? {
        Put::Written => note(format!("uploaded {text} to {path}")),
        Put::Same => note(format!("{path} holds the same content already: nothing uploaded")),
    }
    Ok(payload)
}

/// Copies a directory into a store for this run only. Says nothing.
pub(crate) async fn put(store: Arc<dyn ModelStore>, path: StorePath, prepared: Prepared) -> Result<(), Error> {
    put_as(store, path, prepared.bundle, prepared.manifest, "copying").await.map(drop)
}

async fn put_as(
    store: Arc<dyn ModelStore>,
    path: StorePath,
    bundle: Bundle,
    manifest: Manifest,
    verb: &'static str,
) -> Result<Put, Error> {
    blocking(move || {
        let bar = bar(bundle.total_bytes(), verb);
        let put = store.put(&path, &bundle, &manifest, &mut |progress| show(&bar, &progress));
        bar.finish_and_clear();
        put.map_err(|error| failure(&error))
    })
    .await
}

/// A file in which a stored payload differs from a manifest, as far as it can be found out.
pub(crate) async fn difference(store: Arc<dyn ModelStore>, path: &str, new: &Manifest) -> Option<String> {
    let (path, new) = (path.parse::<StorePath>().ok()?, new.clone());
    let differ = blocking(move || {
        let stored = store.manifest(&path).map_err(|error| failure(&error))?;
        Ok(stored.difference(&new))
    });
    differ.await.ok().flatten()
}

/// What is in the store for an ADD without `-lmp`: under the version's path, else the base itself when it is a model
/// directory (Metron's meaning).
pub(crate) async fn find(store: Arc<dyn ModelStore>, base: &str, model: &ModelId) -> Result<Payload, Error> {
    let versioned = version_path(base, model)?;
    let flat: Option<StorePath> = base.trim_end_matches('/').parse().ok();
    let model = model.clone();
    blocking(move || {
        let look = |path: &StorePath| store.look(path).map_err(|error| failure(&error));
        match look(&versioned)? {
            Found::Nothing => {}
            found => return Ok(found_payload(&versioned, &found)),
        }
        let mut seen = "nothing is there".to_string();
        if let Some(flat) = &flat {
            match look(flat)? {
                Found::Nothing => {}
                Found::Tree { scripts } if scripts != 1 => seen = format!("{scripts} .sh are there, not one"),
                found => return Ok(found_payload(flat, &found)),
            }
        }
        let flat = flat.map_or_else(|| "/".to_string(), |flat| flat.to_string());
        Err(Failure::new(
            ErrorCode::NoPayload,
            format!(
                "no payload of {model}: nothing under {versioned}, and {flat} is no model directory ({seen}); give -lmp DIR"
            ),
        ))
    })
    .await
}

fn found_payload(path: &StorePath, found: &Found) -> Payload {
    let path = path.as_str().to_string();
    match found {
        Found::Payload(manifest) => Payload {
            path,
            digest: Some(manifest.digest().to_string()),
            resources: Some(asked(manifest.settings(), false)),
        },
        Found::Tree { .. } | Found::Nothing => Payload { path, digest: None, resources: None },
    }
}

/// A bar on a terminal, nothing else.
fn bar(bytes: u64, what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {bytes}/{total_bytes} {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(what);
    bar
}

fn show(bar: &ProgressBar, progress: &Progress<'_>) {
    bar.set_length(progress.total_bytes);
    bar.set_position(progress.bytes);
    bar.set_message(format!("{}/{} files", progress.files, progress.total_files));
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn model_dir() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("run.sh"), "#!/bin/sh\n").unwrap();
        dir
    }

    #[tokio::test]
    async fn a_directory_is_uploaded_once_and_found_again() {
        let (root, dir) = (tempfile::tempdir().unwrap(), model_dir());
        let url = root.path().display().to_string();
        let model = testing::model("dga", "1.0");
        let path = version_path("/models", &model).unwrap();
        let first = upload(open(&url).unwrap(), path.clone(), prepare(dir.path()).await.unwrap()).await.unwrap();
        assert_eq!(first.path, "/models/dga/1.0");
        let found = find(open(&url).unwrap(), "/models", &model).await.unwrap();
        assert_eq!((found.path, found.digest), (first.path, first.digest));
        std::fs::write(dir.path().join("run.sh"), "#!/bin/sh\nexit 1\n").unwrap();
        let again = upload(open(&url).unwrap(), path, prepare(dir.path()).await.unwrap()).await;
        let failure = again.unwrap_err().into_failure();
        assert_eq!((failure.code(), failure.exit()), (ErrorCode::ConflictContent, 8));
        assert!(failure.message().contains("run.sh"), "{failure}");
    }

    #[tokio::test]
    async fn without_a_directory_metrons_flat_tree_is_taken_or_both_places_are_named() {
        let root = tempfile::tempdir().unwrap();
        let url = root.path().display().to_string();
        let model = testing::model("dga", "1.0");
        let failure = find(open(&url).unwrap(), "/user/root/m", &model).await.unwrap_err().into_failure();
        assert_eq!(failure.exit(), 4);
        assert!(failure.message().contains("/user/root/m/dga/1.0") && failure.message().contains("/user/root/m is"));
        let flat = root.path().join("user/root/m");
        std::fs::create_dir_all(&flat).unwrap();
        std::fs::write(flat.join("start.sh"), "").unwrap();
        let found = find(open(&url).unwrap(), "/user/root/m", &model).await.unwrap();
        assert_eq!((found.path.as_str(), found.digest), ("/user/root/m", None));
    }

    #[tokio::test]
    async fn memory_of_the_settings_counts_only_when_it_is_said() {
        let dir = model_dir();
        assert!(!prepare(dir.path()).await.unwrap().asked.says_memory);
        std::fs::write(dir.path().join("maas.json"), r#"{"resources":{"memory_mb":512}}"#).unwrap();
        assert!(prepare(dir.path()).await.unwrap().asked.says_memory);
    }
}
