//! Reading objects, once for all who ask at the same time or within the time that they are kept, and only some at a time.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use maas_store::single::{self, SingleFiles};
use maas_store::{StorePath, store};
use moka::sync::Cache;
use parking_lot::Mutex;
use serde_json::Value as Json;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::ObjectSettings;
use crate::services::{Failure, Outcome};
use crate::value::{Integers, Value, from_json};

/// How many files are read at a time; a store that hangs holds up no more threads than that.
const AT_ONCE: usize = 16;
/// Bytes of all files that are kept.
const KEPT: u64 = 256 << 20;

/// An object that is being read: what comes of it, once it is there.
type Reading = watch::Receiver<Option<Result<Object, Failure>>>;

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
    reading: Mutex<HashMap<StorePath, Reading>>,
    readers: Arc<Semaphore>,
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
        // Small ones count as one each and large ones as more, so that both their number and their bytes are bounded.
        let share = (KEPT / settings.cache_size.max(1)).max(1);
        let kept = Cache::builder()
            .weigher(move |_, object: &Arc<(Content, usize)>| {
                u32::try_from(1 + object.1 as u64 / share).unwrap_or(u32::MAX)
            })
            .max_capacity(settings.cache_size)
            .time_to_live(settings.cache_expiration)
            .build();
        let readers = Arc::new(Semaphore::new(AT_ONCE));
        Self { settings, files: OnceLock::new(), kept, reading: Mutex::default(), readers }
    }

    /// Reads from these files, in place of those that the settings name.
    #[cfg(test)]
    pub(super) fn read_from(&self, files: Arc<dyn SingleFiles>) {
        self.files.set(Ok(files)).unwrap();
    }

    /// Whether it is known where objects are.
    pub fn is_configured(&self) -> bool {
        self.settings.store.is_some()
    }

    /// The object under a path. That there is none is kept as well; what failed is not.
    ///
    /// Those who ask while it is being read wait for the same reading, which goes on when they have given up, so that the next one may find it.
    pub async fn get(self: &Arc<Self>, path: StorePath) -> Result<Object, Failure> {
        if let Some(kept) = self.kept.get(&path) {
            return Ok(Object(kept));
        }
        let about = path.as_str().to_owned();
        let limit = self.settings.timeout;
        let mut reading = self.reading(path);
        let failure = |outcome, message| Failure { outcome, about: about.clone(), message };
        let answer = timeout(limit, reading.wait_for(Option::is_some)).await;
        match answer.map(|answer| answer.ok().and_then(|answer| answer.clone())) {
            Ok(Some(read)) => read,
            Ok(None) => Err(failure(Outcome::Unreadable, format!("{about}: reading it did not end"))),
            Err(_) => Err(failure(Outcome::Timeout, format!("{about}: not read in {} ms", limit.as_millis()))),
        }
    }

    /// The reading of this object that goes on, or a new one.
    fn reading(self: &Arc<Self>, path: StorePath) -> Reading {
        let mut all = self.reading.lock();
        // One that was begun on a runtime which is gone never ends.
        if let Some(reading) = all.get(&path).filter(|reading| reading.has_changed().is_ok()) {
            return reading.clone();
        }
        let (sender, reading) = watch::channel(None);
        all.insert(path.clone(), reading.clone());
        let (objects, turn) = (self.clone(), self.readers.clone().acquire_owned());
        tokio::spawn(async move {
            // Nobody closes the semaphore, so there is always a turn; it ends with the reading.
            let turn = turn.await;
            let (reader, place) = (objects.clone(), path.clone());
            let read = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                reader.read(place)
            });
            let read = read.await.ok();
            objects.reading.lock().remove(&path);
            // Nobody listens any more where all have given up.
            let _ = sender.send(read);
        });
        reading
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
