//! Objects in S3 and in services that speak its language: [`Blobs`] over the crate `object_store`.
//!
//! Credentials, region and endpoint come from the usual `AWS_…` variables. Small objects are put in one request, large
//! ones in parts, a few at a time, so that memory stays the same whatever their size; what a program that dies leaves of
//! one is invisible, and for the bucket's lifecycle rule to clear. A manifest is created with `If-None-Match: *`.
//!
//! Keys are written as they are. The client behind this takes `a/b/` for `a/b`: the empty objects by which consoles mark
//! directories are left out of lists, and nothing deletes them.

mod error;

use crate::blobs::Blobs;
use crate::location::Remote;
use crate::remote::{StreamReader, Worker};
use crate::store::Error;
use error::Trouble;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as Key;
use object_store::{
    ClientOptions, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, RetryConfig, WriteMultipart,
};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Files up to here go in one request; larger ones in parts of at least this.
const PART: u64 = 8 << 20;
/// Parts under way at once. One more is being read from disk.
const PARTS_AT_ONCE: usize = 3;
/// The service takes 10,000 parts; some room is left for a file that grows.
const MOST_PARTS: u64 = 9_000;
/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);
/// Without a byte of an answer; a part must have gone by then.
const SILENCE: Duration = Duration::from_secs(120);
/// Attempts after the first, with growing pauses between.
const RETRIES: usize = 6;
/// After this no further attempt is made.
const RETRY_FOR: Duration = Duration::from_secs(60);

/// Objects of one bucket, below a prefix.
#[derive(Debug)]
pub struct S3Blobs {
    client: Arc<AmazonS3>,
    worker: Worker,
    place: Remote,
    trouble: Trouble,
}

impl S3Blobs {
    /// The objects at `s3://BUCKET/PREFIX`, with the `AWS_…` variables among `environment`. Sends nothing yet.
    pub fn open(place: &Remote, environment: impl IntoIterator<Item = (String, String)>) -> Result<S3Blobs, Error> {
        let mut builder = AmazonS3Builder::new();
        for (name, value) in environment {
            // An empty variable is an unset one, as for AWS's own programs.
            if let (true, false, Ok(key)) =
                (name.starts_with("AWS_"), value.is_empty(), name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>())
            {
                builder = builder.with_config(key, value);
            }
        }
        let said = |key: AmazonS3ConfigKey| builder.get_config_value(&key);
        let endpoint = said(AmazonS3ConfigKey::S3Endpoint).or_else(|| said(AmazonS3ConfigKey::Endpoint));
        let trouble = Trouble::new(&place.url, endpoint.clone(), said(AmazonS3ConfigKey::AccessKeyId));
        // Plain HTTP only where the endpoint asks for it in so many words.
        let plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        let options = ClientOptions::new()
            .with_allow_http(plain)
            .with_timeout_disabled()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(SILENCE);
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_FOR, ..RetryConfig::default() };
        let client = builder
            .with_client_options(options)
            .with_retry(retry)
            .with_bucket_name(&place.authority)
            .build()
            .map_err(|error| trouble.settings(&error))?;
        let worker = Worker::start().map_err(|error| trouble.thread(error))?;
        Ok(S3Blobs { client: Arc::new(client), worker, place: place.clone(), trouble })
    }

    fn whole(&self, key: &str) -> String {
        match self.place.root.as_str() {
            "" => key.to_string(),
            root => format!("{root}/{key}"),
        }
    }

    fn key(&self, key: &str) -> Result<Key, Error> {
        Key::parse(self.whole(key)).map_err(|error| self.trouble.key(key, &error))
    }

    /// Runs a request and says what its failure means.
    fn request<T, F>(&self, action: &'static str, key: &str, request: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = object_store::Result<T>> + Send + 'static,
    {
        let answer = self.worker.call(request).map_err(|error| self.trouble.thread(error))?;
        answer.map_err(|error| self.trouble.explain(action, key, &error))
    }

    fn put_whole(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let (client, target) = (self.client.clone(), self.key(key)?);
        self.request("write", key, async move { client.put(&target, PutPayload::from(bytes)).await }).map(drop)
    }

    /// Sends `first` and all that follows it in parts of one size, and makes an object of them when all are there.
    fn put_parts(&self, key: &str, first: Vec<u8>, from: &mut dyn Read) -> Result<(), Error> {
        let (client, target, size) = (self.client.clone(), self.key(key)?, first.len());
        let upload = self.request("write", key, async move { client.put_multipart(&target).await })?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, size);
        let mut part = first;
        while !part.is_empty() {
            let sent = self.worker.call(async move {
                let ready = upload.wait_for_capacity(PARTS_AT_ONCE).await;
                if ready.is_ok() {
                    upload.put(part.into());
                }
                (upload, ready)
            });
            let ready;
            (upload, ready) = sent.map_err(|error| self.trouble.thread(error))?;
            let read = match ready {
                Ok(()) => read_part(from, size, key),
                Err(error) => Err(self.trouble.explain("write", key, &error)),
            };
            part = match read {
                Ok(part) => part,
                Err(error) => {
                    // What could not be given up either is invisible, and cleared by the bucket's rule.
                    let _ = self.worker.call(upload.abort());
                    return Err(error);
                }
            };
        }
        self.request("write", key, upload.finish()).map(drop)
    }
}

/// How large the parts of an object are.
fn part_size(size: u64) -> usize {
    // On a machine where this does not fit, no part would.
    usize::try_from(PART.max(size.div_ceil(MOST_PARTS))).unwrap_or(usize::MAX)
}

/// The next part: `size` bytes, fewer at the end.
fn read_part(from: &mut dyn Read, size: usize, key: &str) -> Result<Vec<u8>, Error> {
    let mut part = Vec::new();
    match from.take(size as u64).read_to_end(&mut part) {
        Ok(_) => Ok(part),
        Err(source) => Err(Error::Io { action: "read what goes to", path: PathBuf::from(key), source }),
    }
}

/// Leaves out what only marks a directory: empty objects below whose keys there are others.
fn without_markers(mut keys: Vec<(String, u64)>) -> Vec<(String, u64)> {
    keys.sort();
    keys.dedup();
    let is_marker = |at: usize| {
        let (key, size) = &keys[at];
        let below = format!("{key}/");
        let next = keys.partition_point(|(other, _)| *other < below);
        *size == 0 && keys.get(next).is_some_and(|(other, _)| other.starts_with(&below))
    };
    let keep: Vec<bool> = (0..keys.len()).map(|at| !is_marker(at)).collect();
    keys.into_iter().zip(keep).filter_map(|(key, keep)| keep.then_some(key)).collect()
}

impl Blobs for S3Blobs {
    fn url(&self) -> String {
        self.place.url.clone()
    }

    fn get(&self, key: &str) -> Result<Option<Box<dyn Read + Send>>, Error> {
        let (client, target) = (self.client.clone(), self.key(key)?);
        let answer = self.worker.call(async move { client.get(&target).await });
        match answer.map_err(|error| self.trouble.thread(error))? {
            Ok(found) => {
                let stream = found.into_stream().map_err(|error| io::Error::other(error::plainly(&error)));
                Ok(Some(Box::new(StreamReader::new(self.worker.clone(), stream.boxed()))))
            }
            Err(error) if error::is_no_object(&error) => Ok(None),
            Err(error) => Err(self.trouble.explain("read", key, &error)),
        }
    }

    fn put(&self, key: &str, from: &mut dyn Read, size: u64) -> Result<(), Error> {
        let part = part_size(size);
        let first = read_part(from, part, key)?;
        match first.len() < part {
            true => self.put_whole(key, first),
            false => self.put_parts(key, first, from),
        }
    }

    fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, Error> {
        let target = self.key(key)?;
        // Where another's request is still under way the service refuses this one without an object being there yet.
        let mut attempts = 0..3;
        loop {
            let last = attempts.next().is_none();
            let (client, target, payload) = (self.client.clone(), target.clone(), PutPayload::from(bytes.clone()));
            let options = PutOptions::from(PutMode::Create);
            let answer = self.worker.call(async move { client.put_opts(&target, payload, options).await });
            match answer.map_err(|error| self.trouble.thread(error))? {
                Ok(_) => return Ok(true),
                Err(object_store::Error::AlreadyExists { .. }) if last || self.get(key)?.is_some() => return Ok(false),
                Err(object_store::Error::AlreadyExists { .. }) => {}
                Err(error) => return Err(self.trouble.explain("write", key, &error)),
            }
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        let client = self.client.clone();
        // The client lists whole directories; the last part of the prefix is looked at here.
        let below = self.whole(prefix.rsplit_once('/').map_or("", |(directory, _)| directory));
        let below = Key::parse(below).map_err(|error| self.trouble.key(prefix, &error))?;
        let found = self.request("list", prefix, async move {
            let objects = client.list(Some(&below)).map_ok(|object| (object.location.to_string(), object.size));
            objects.try_collect::<Vec<_>>().await
        })?;
        let root = self.whole("");
        let relative = found.into_iter().filter_map(|(key, size)| Some((key.strip_prefix(&root)?.to_string(), size)));
        Ok(without_markers(relative.filter(|(key, _)| key.starts_with(prefix)).collect()))
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        let (client, target) = (self.client.clone(), self.key(key)?);
        let answer = self.worker.call(async move { client.delete(&target).await });
        match answer.map_err(|error| self.trouble.thread(error))? {
            Ok(()) => Ok(()),
            Err(error) if error::is_no_object(&error) => Ok(()),
            Err(error) => Err(self.trouble.explain("delete", key, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_with_the_file_so_that_their_number_is_taken() {
        assert_eq!(part_size(0), 8 << 20);
        assert_eq!(part_size(60 << 30), 8 << 20);
        let largest: u64 = 1 << 40;
        assert!(largest.div_ceil(part_size(largest) as u64) <= MOST_PARTS);
    }

    #[test]
    fn what_marks_a_directory_is_left_out_and_an_empty_file_is_not() {
        let keys = [("a/lib", 0), ("a/lib/x", 1), ("a/lib-2", 0), ("a/b", 3), ("a/b/c", 0)];
        let keys = keys.map(|(key, size)| (key.to_string(), size)).to_vec();
        let kept: Vec<String> = without_markers(keys).into_iter().map(|(key, _)| key).collect();
        assert_eq!(kept, ["a/b", "a/b/c", "a/lib-2", "a/lib/x"]);
    }

    #[test]
    fn half_a_pair_of_credentials_is_refused_without_asking_anybody() {
        let place = Remote { url: "s3://b".into(), authority: "b".into(), root: String::new() };
        let open = |variables: &[(&str, &str)]| {
            S3Blobs::open(&place, variables.iter().map(|(name, value)| (name.to_string(), value.to_string())))
        };
        let error = open(&[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "")]).unwrap_err();
        assert_eq!(error.code(), "bad_store_url");
        assert!(error.to_string().contains("AWS_"), "{error}");
        assert!(open(&[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_REGION", "r")]).is_ok());
    }
}
