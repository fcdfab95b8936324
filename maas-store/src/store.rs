//! The one trait for where models are kept, and the words for what can go wrong with it.
//!
//! A payload lies under a [`StorePath`] as `manifest.json`, written last, beside its files; one without a manifest is
//! not there. A store does not know what a model is, when a payload may go, or who runs it.

use crate::bundle::{self, Bundle};
use crate::manifest::{self, Manifest};
use crate::path::{self, StorePath};
use std::io;
use std::path::{Path, PathBuf};

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Bytes done.
    pub bytes: u64,
    /// Bytes altogether.
    pub total_bytes: u64,
    /// Files done.
    pub files: usize,
    /// Files altogether.
    pub total_files: usize,
    /// The file in hand.
    pub file: &'a str,
}

/// Counts towards [`Progress`].
pub(crate) struct Meter {
    bytes: u64,
    total_bytes: u64,
    files: usize,
    total_files: usize,
}

impl Meter {
    pub(crate) fn new(total_bytes: u64, total_files: usize) -> Self {
        Meter { bytes: 0, total_bytes, files: 0, total_files }
    }

    pub(crate) fn of(manifest: &Manifest) -> Self {
        Meter::new(manifest.total_bytes(), manifest.files().len())
    }

    pub(crate) fn advance(&mut self, bytes: u64, file: &str, tell: &mut dyn FnMut(Progress<'_>)) {
        self.bytes += bytes;
        self.tell(file, tell);
    }

    pub(crate) fn file_done(&mut self, file: &str, tell: &mut dyn FnMut(Progress<'_>)) {
        self.files += 1;
        self.tell(file, tell);
    }

    fn tell(&self, file: &str, tell: &mut dyn FnMut(Progress<'_>)) {
        let Meter { bytes, total_bytes, files, total_files } = *self;
        tell(Progress { bytes, total_bytes, files, total_files, file });
    }
}

/// What is under a path of a store.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A payload of ours.
    Payload(Box<Manifest>),
    /// A tree without a manifest, as Metron's client puts it there.
    Tree {
        /// How many `.sh` are at its top; exactly one makes it a model directory.
        scripts: usize,
    },
}

impl Found {
    /// What is there against what shall be put there: `None` when there is room for it.
    pub(crate) fn against(self, path: &StorePath, manifest: &Manifest) -> Result<Option<Put>, Error> {
        let difference = match self {
            Found::Nothing => return Ok(None),
            Found::Payload(there) if there.digest() == manifest.digest() => return Ok(Some(Put::Same)),
            Found::Payload(there) => there.difference(manifest).unwrap_or_else(|| "its digest differs".to_string()),
            Found::Tree { .. } => "files that are no payload of ours are there".to_string(),
        };
        Err(Error::Conflict { path: path.clone(), difference })
    }
}

/// What putting a payload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was written.
    Written,
    /// The same content was there: nothing was written.
    Same,
}

/// One payload of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Where it lies.
    pub path: StorePath,
    /// Its digest.
    pub digest: String,
    /// Bytes of its files.
    pub bytes: u64,
}

/// A place where payloads are kept. Blocking; safe to use from several threads and programs at once.
pub trait ModelStore: Send + Sync + std::fmt::Debug {
    /// The store's url, as `<state>/cluster` names it.
    fn url(&self) -> String;

    /// What is under a path.
    fn look(&self, path: &StorePath) -> Result<Found, Error>;

    /// Puts a payload under a path, its manifest last, so that nobody ever sees half of it; interrupted, it leaves
    /// nothing under the path. The same content there already: [`Put::Same`]. Other content, or a tree that is not
    /// ours: [`Error::Conflict`] naming a difference. `manifest` is that of `bundle`; a file that has changed since
    /// is an error.
    fn put(
        &self,
        path: &StorePath,
        bundle: &Bundle,
        manifest: &Manifest,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Put, Error>;

    /// The manifest under a path; [`Error::NotFound`] when there is none.
    fn manifest(&self, path: &StorePath) -> Result<Manifest, Error> {
        match self.look(path)? {
            Found::Payload(manifest) => Ok(*manifest),
            Found::Nothing | Found::Tree { .. } => Err(Error::NotFound { store: self.url(), path: path.clone() }),
        }
    }

    /// Copies a payload into a directory of this machine (`manifest.json` and `files/`), every byte checked, and only
    /// then under its name: all of it or nothing. A directory that holds this payload already is left as it is;
    /// one that holds anything else is replaced. [`Error::Changed`] when bytes differ from the manifest.
    fn fetch(&self, path: &StorePath, to: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Manifest, Error>;

    /// All payloads below a path (imported ones not, unless asked for by name), ordered by path.
    fn list(&self, below: Option<&StorePath>) -> Result<Vec<Listed>, Error>;

    /// Deletes a payload or tree; `false` when there was none. Nobody sees it half deleted.
    fn delete(&self, path: &StorePath) -> Result<bool, Error>;

    /// Makes a payload of a tree without a manifest, under [`StorePath::imported`]; the tree stays as it is.
    /// Idempotent. A path that holds a payload already is answered with that. [`Error::NotFound`] when there is
    /// nothing; [`Error::Bundle`] when the tree is no model directory.
    fn import(&self, path: &StorePath) -> Result<(StorePath, Manifest), Error>;
}

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing under that path.
    #[error("{store} has no payload under {path}")]
    NotFound {
        /// The store's url.
        store: String,
        /// The path.
        path: StorePath,
    },
    /// Published versions never change.
    #[error("{path} is published with other content: {difference}; choose another version, or REMOVE it with --purge")]
    Conflict {
        /// The path.
        path: StorePath,
        /// A file that differs, and how.
        difference: String,
    },
    /// Bytes that are not what the manifest says.
    #[error("{path}: {file} is not what its manifest says; publish it again")]
    Changed {
        /// Where the payload lies.
        path: String,
        /// The file, relative.
        file: String,
    },
    /// A manifest that can't be used.
    #[error("{path}: manifest can't be used")]
    Manifest {
        /// Where the payload lies.
        path: String,
        /// Why.
        #[source]
        source: manifest::Error,
    },
    /// The directory to be put or imported.
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    /// A path from outside.
    #[error(transparent)]
    Path(#[from] path::Error),
    /// A url that is none of a store.
    #[error("store {url:?} {message}")]
    Url {
        /// The url.
        url: String,
        /// What is wrong with it.
        message: String,
    },
    /// A kind of store that this program was built without.
    #[error("store {url}: this program was built without {feature}; build it with --features {feature}")]
    NotBuilt {
        /// The url.
        url: String,
        /// The cargo feature.
        feature: &'static str,
    },
    /// The user may not.
    #[error(transparent)]
    NotPermitted(Box<Denied>),
    /// A service that does not answer, or answers with trouble of its own.
    #[error("{store} can't be reached to {action} {object}{advice}")]
    Unreachable {
        /// The store's url.
        store: String,
        /// What was tried.
        action: &'static str,
        /// With what.
        object: String,
        /// What to look at, with a semicolon before it; or nothing.
        advice: String,
        /// What came of it.
        #[source]
        source: io::Error,
    },
    /// A full disk or a quota.
    #[error("no space left for {}", path.display())]
    NoSpace {
        /// What was written.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Anything else the system says.
    #[error("can't {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Who may not do what with what, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{store} refused: user {user} may not {right} {object} ({owner}){advice}")]
pub struct Denied {
    /// What kind of store.
    pub store: &'static str,
    /// Who asked.
    pub user: String,
    /// `read` or `write`.
    pub right: &'static str,
    /// What for.
    pub object: String,
    /// Who owns it, and its permissions.
    pub owner: String,
    /// What to do, with a semicolon before it; or nothing.
    pub advice: String,
}

impl Error {
    /// The code from the fixed list of errors.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotFound { .. } => "no_payload",
            Error::Conflict { .. } => "conflict_content",
            Error::Changed { .. } => "payload_changed",
            Error::Manifest { .. } => "bad_manifest",
            Error::Bundle(error) => error.code(),
            Error::Path(_) => "bad_path",
            Error::Url { .. } => "bad_store_url",
            Error::NotBuilt { .. } => "store_not_built",
            Error::NotPermitted(_) => "not_permitted",
            Error::NoSpace { .. } => "no_space",
            Error::Unreachable { .. } | Error::Io { .. } => "store_unreachable",
        }
    }

    /// True when the same call may succeed later without any change by a person.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Unreachable { .. } | Error::Io { .. } | Error::NoSpace { .. })
    }
}
