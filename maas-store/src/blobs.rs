//! Objects under keys, as S3 and its likes have them: the seam between [`crate::object::ObjectStore`] and a service.
//!
//! An object is written whole or not at all and read back as it was written at once. There are no directories, no
//! renaming and no permissions; what a payload needs of those is the store's to make of keys.

use crate::store::Error;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys and objects. Blocking.
pub trait Blobs: Send + Sync + std::fmt::Debug {
    /// The url that leads here.
    fn url(&self) -> String;

    /// The object under a key; `None` when there is none.
    fn get(&self, key: &str) -> Result<Option<Box<dyn Read + Send>>, Error>;

    /// Writes an object from all that `from` gives, read to its end on this thread; another under the key is
    /// replaced. When `from` fails nothing is written. `size` is how much is to be expected, for choosing how to send it.
    fn put(&self, key: &str, from: &mut dyn Read, size: u64) -> Result<(), Error>;

    /// Writes an object unless there is one; `false` when there is. Of several at once exactly one is told `true`.
    fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, Error>;

    /// All keys that begin so, with sizes, in order.
    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error>;

    /// Deletes an object; `Ok` when there was none.
    fn delete(&self, key: &str) -> Result<(), Error>;
}

/// Objects in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryBlobs {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl MemoryBlobs {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        // A map stays whole whoever panics while holding it.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blobs for MemoryBlobs {
    fn url(&self) -> String {
        "memory://store".to_string()
    }

    fn get(&self, key: &str) -> Result<Option<Box<dyn Read + Send>>, Error> {
        let found = self.objects().get(key).cloned();
        Ok(found.map(|bytes| Box::new(io::Cursor::new(bytes)) as Box<dyn Read + Send>))
    }

    fn put(&self, key: &str, from: &mut dyn Read, _size: u64) -> Result<(), Error> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(|source| Error::Io {
            action: "read what goes to",
            path: PathBuf::from(key),
            source,
        })?;
        self.objects().insert(key.to_string(), bytes);
        Ok(())
    }

    fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, Error> {
        let mut objects = self.objects();
        if objects.contains_key(key) {
            return Ok(false);
        }
        objects.insert(key.to_string(), bytes);
        Ok(true)
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        let objects = self.objects();
        let below = objects.range(prefix.to_string()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(below.map(|(key, bytes)| (key.clone(), bytes.len() as u64)).collect())
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.objects().remove(key);
        Ok(())
    }
}
