//! Reading objects, once for all who ask within the time that they are kept.

use std::fmt;
use std::sync::{Arc, OnceLock};

use maas_store::single::{self, SingleFiles};
use maas_store::{StorePath, store};
use moka::sync::Cache;
use serde_json::Value as Json;
use tokio::time::timeout;

use super::ObjectSettings;
use crate::services::{Failure, Outcome};
use crate::value::{Integers, Value, from_json};

/// What a file holds, in a form that is cheap to give to many.
#[derive(Debug)]
enum Content {
    Json(Json),
    Text(String),
    /// Neither: bytes, as Java's signed ones.
    Bytes(Vec<u8>),
    /// There is no such file.
    Nothing,
}

/// Objects of a store.
pub struct Objects {
    settings: ObjectSettings,
    files: OnceLock<Result<Arc<dyn SingleFiles>, Failure>>,
    kept: Cache<StorePath, Arc<(Content, usize)>>,
}

impl fmt::Debug for Objects {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Objects({:?})", self.settings.store)
    }
}

/// An object that was read.
#[derive(Clone, Debug)]
pub struct Object(Arc<(Content, usize)>);

impl Object {
    /// Its bytes, as they lie in the store.
    pub fn size(&self) -> usize {
        self.0.1
    }

    /// A value of its own, that expressions may change: what JSON is there, else text, else a list of the bytes; null where there is no file.
    pub fn value(&self) -> Value {
        match &self.0.0 {
            Content::Json(json) => from_json(json, Integers::BySize),
            Content::Text(text) => Value::text(text),
            Content::Bytes(bytes) => Value::list(bytes.iter().map(|byte| Value::Int(byte.cast_signed().into()))),
            Content::Nothing => Value::Null,
        }
    }

    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self.0.0, Content::Nothing)
    }
}

impl Objects {
    /// Objects as the settings say. Nothing is opened yet.
    pub fn new(settings: ObjectSettings) -> Self {
        let kept = Cache::builder().max_capacity(settings.cache_size).time_to_live(settings.cache_expiration).build();
        Self { settings, files: OnceLock::new(), kept }
    }

    /// Whether it is known where objects are.
    pub fn is_configured(&self) -> bool {
        self.settings.store.is_some()
    }

    /// The object under a path. That there is none is kept as well; what failed is not.
    pub async fn get(self: Arc<Self>, path: StorePath) -> Result<Object, Failure> {
        if let Some(kept) = self.kept.get(&path) {
            return Ok(Object(kept));
        }
        let about = path.as_str().to_owned();
        let limit = self.settings.timeout;
        let reading = tokio::task::spawn_blocking(move || self.read(path));
        let failure = |outcome, message| Failure { outcome, about: about.clone(), message };
        match timeout(limit, reading).await {
            Ok(Ok(read)) => read,
            Ok(Err(_)) => Err(failure(Outcome::Unreadable, format!("{about}: reading it did not end"))),
            Err(_) => Err(failure(Outcome::Timeout, format!("{about}: not read in {} ms", limit.as_millis()))),
        }
    }

    fn read(&self, path: StorePath) -> Result<Object, Failure> {
        let failure = |outcome, message| Failure { outcome, about: path.as_str().to_owned(), message };
        let files = self.files.get_or_init(|| {
            let place = self.settings.store.as_ref();
            let place = place.ok_or_else(|| failure(Outcome::Refused, "no store of objects is known".into()))?;
            single::open(place).map_err(|error| failure(Outcome::Refused, told(&error)))
        });
        let most = self.settings.max_bytes;
        let read = files.as_ref().map_err(Clone::clone)?.read(&path, most + 1);
        let read = read.map_err(|error| match error {
            store::Error::Unreachable { .. } => failure(Outcome::Unreachable, told(&error)),
            error => failure(Outcome::Unreadable, told(&error)),
        })?;
        let size = read.as_ref().map_or(0, Vec::len);
        if size as u64 > most {
            let message = format!("{path} has more than {most} bytes; see object.cache.max.file.size in global.json");
            return Err(failure(Outcome::TooLarge, message));
        }
        let kept = Arc::new((read.map_or(Content::Nothing, content), size));
        self.kept.insert(path, kept.clone());
        Ok(Object(kept))
    }
}

/// JSON where it is, else text where it is, else bytes.
fn content(bytes: Vec<u8>) -> Content {
    if let Ok(json) = serde_json::from_slice(&bytes) {
        return Content::Json(json);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Content::Text(text),
        Err(error) => Content::Bytes(error.into_bytes()),
    }
}

/// An error with its causes, on one line.
fn told(error: &store::Error) -> String {
    let mut told = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        told = format!("{told}: {cause}");
        next = cause.source();
    }
    told
}
