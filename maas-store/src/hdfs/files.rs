//! Files and directories of HDFS, blocking, with errors in our words: a thin layer over the crate `hdfs-native`.

use super::error::{self, Place};
use crate::hash::{self, Copied, CopyError};
use crate::location::Remote;
use crate::remote::{Begun, StreamReader, Worker};
use crate::store::Error;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use hdfs_native::client::{FileStatus, IORuntime};
use hdfs_native::file::{FileReader, FileWriter};
use hdfs_native::{Client, ClientBuilder, HdfsError, WriteOptions};
use std::future::Future;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

/// One question to the NameNode, its retries and failovers included.
const QUESTION: Duration = Duration::from_secs(60);
/// Opening a file for reading or writing, sending a piece of one, closing it. DataNodes have their own time-outs, of
/// a minute each, and are replaced.
const TRANSFER: Duration = Duration::from_secs(600);
/// Attempts at a NameNode that is the only one. The client's own number, 15, takes it three minutes.
const ATTEMPTS_AT_THE_ONLY_ONE: &str = "3";

const DIRECTORY_MODE: u32 = 0o755;

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) is_directory: bool,
    pub(super) is_executable: bool,
    /// Whether everybody may read the file, or pass through the directory.
    pub(super) is_for_all: bool,
    /// Bytes of a file.
    pub(super) size: u64,
    /// By the NameNode's clock, milliseconds.
    pub(super) modified_ms: u64,
}

impl From<FileStatus> for Entry {
    fn from(status: FileStatus) -> Self {
        Entry {
            name: status.path.rsplit('/').next().unwrap_or_default().to_string(),
            is_directory: status.isdir,
            is_executable: !status.isdir && status.permission & 0o111 != 0,
            is_for_all: status.permission & if status.isdir { 0o001 } else { 0o004 } != 0,
            size: status.length as u64,
            modified_ms: status.modification_time,
        }
    }
}

/// What a rename did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Renamed {
    Done,
    /// Something has that name, be it an empty directory. Nothing was changed.
    TargetIsThere,
}

/// A connection to HDFS.
#[derive(Debug, Clone)]
pub(super) struct Files {
    client: Client,
    worker: Worker,
    place: Place,
}

impl Files {
    pub(super) fn open(remote: &Remote) -> Result<Files, Error> {
        let place = Place::new(&remote.url);
        let worker =
            Worker::start().map_err(|source| Error::Io { action: "open", path: remote.url.clone().into(), source })?;
        let runtime = IORuntime::from(worker.handle().clone());
        let mut builder = ClientBuilder::new().with_io_runtime(runtime);
        // With a port it is one NameNode; without, a name service of the configuration, or its default.
        if !remote.authority.is_empty() {
            builder = builder.with_url(format!("hdfs://{}", remote.authority));
        }
        if remote.authority.contains(':') {
            builder = builder.with_config([("dfs.client.failover.max.attempts", ATTEMPTS_AT_THE_ONLY_ONE)]);
        }
        // The client may start tasks while it is built, and does so on the runtime it finds around it.
        let built = worker.call(async move { builder.build() });
        let client = built.map_err(|error| place.explain("open", "/", error))?;
        Ok(Files { client: client.map_err(|error| place.settings(&error))?, worker, place })
    }

    /// What an error of input or output means.
    pub(super) fn trouble(&self, action: &'static str, path: &str, source: io::Error) -> Error {
        self.place.explain(action, path, source)
    }

    fn ask<T, F>(&self, limit: Duration, work: F) -> Result<T, HdfsError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, HdfsError>> + Send + 'static,
    {
        self.worker.call(within(limit, work))?
    }

    fn explain(&self, action: &'static str, path: &str, error: HdfsError) -> Error {
        self.place.explain(action, path, error::to_io(error))
    }

    /// What is under a path; `None` when nothing is.
    pub(super) fn status(&self, path: &str) -> Result<Option<Entry>, Error> {
        let (client, asked) = (self.client.clone(), path.to_string());
        match self.ask(QUESTION, async move { client.get_file_info(&asked).await }) {
            Ok(status) => Ok(Some(status.into())),
            Err(error) if error::is_not_there(&error) => Ok(None),
            Err(error) => Err(self.explain("read", path, error)),
        }
    }

    /// What is in a directory, by name; `None` when it is not there or no directory.
    pub(super) fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Error> {
        let (client, asked) = (self.client.clone(), path.to_string());
        match self.ask(TRANSFER, async move { client.list_status(&asked, false).await }) {
            // A file is listed as itself.
            Ok(found) if found.len() == 1 && found[0].path == path => Ok(None),
            Ok(found) => {
                let mut entries: Vec<Entry> = found.into_iter().map(Entry::from).collect();
                entries.sort_by(|a, b| a.name.cmp(&b.name));
                Ok(Some(entries))
            }
            Err(error) if error::is_not_there(&error) => Ok(None),
            Err(error) => Err(self.explain("read", path, error)),
        }
    }

    /// The bytes of a file; `None` when it is not there.
    pub(super) fn read(&self, path: &str) -> Result<Option<Box<dyn Read + Send>>, Error> {
        let (client, asked) = (self.client.clone(), path.to_string());
        let opened = self.ask(QUESTION, async move {
            let file = client.read(&asked).await?;
            Ok(file.read_range_stream(0, file.file_length()).map_err(error::to_io).boxed())
        });
        match opened {
            Ok(stream) => Ok(Some(Box::new(StreamReader::new(self.worker.clone(), stream)))),
            Err(error) if error::is_not_there(&error) => Ok(None),
            Err(error) => Err(self.explain("read", path, error)),
        }
    }

    /// A file to read parts of; `None` when it is not there.
    pub(super) fn open_file(&self, path: &str) -> Result<Option<FileReader>, Error> {
        let (client, asked) = (self.client.clone(), path.to_string());
        match self.ask(QUESTION, async move { client.read(&asked).await }) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error::is_not_there(&error) => Ok(None),
            Err(error) => Err(self.explain("read", path, error)),
        }
    }

    /// Bytes of an open file, all that are asked for: they must be inside it.
    pub(super) fn read_part(&self, file: &Arc<FileReader>, offset: usize, length: usize) -> io::Result<Bytes> {
        let file = Arc::clone(file);
        self.ask(TRANSFER, async move { file.read_range(offset, length).await }).map_err(error::to_io)
    }

    /// Writes a new file from at most `limit` bytes and one more, hashing them. It is there once it is closed, which takes half a second and more where the
    /// NameNode hears of its last block too late: several can be closed at once.
    pub(super) fn write(
        &self,
        path: &str,
        executable: bool,
        from: &mut dyn Read,
        limit: u64,
        seen: &mut dyn FnMut(u64),
    ) -> Result<(Copied, Closing), Error> {
        let (client, target) = (self.client.clone(), path.to_string());
        let options = WriteOptions::default().permission(if executable { 0o755 } else { 0o644 }).create_parent(false);
        let created = self.ask(QUESTION, async move { client.create(&target, options).await });
        let created = created.map_err(|error| self.explain("write", path, error))?;
        let mut writer = Writer { files: self, file: Some(created) };
        let copied = hash::copy(from, &mut writer, limit, seen).map_err(|error| match error {
            CopyError::Read(source) => Error::Io { action: "read what goes to", path: path.into(), source },
            CopyError::Write(error) => self.trouble("write", path, error),
        })?;
        let closing = writer.close().map_err(|error| self.trouble("write", path, error))?;
        Ok((copied, Closing { path: path.to_string(), closing }))
    }

    /// Waits until a file is closed.
    pub(super) fn closed(&self, Closing { path, closing }: Closing) -> Result<(), Error> {
        let closed = closing.result().and_then(|closed| closed.map_err(error::to_io));
        closed.map_err(|error| self.trouble("write", &path, error))
    }

    /// Makes a directory and those above it; nothing where it is there.
    pub(super) fn make_directory(&self, path: &str) -> Result<(), Error> {
        let (client, asked) = (self.client.clone(), path.to_string());
        let made = self.ask(QUESTION, async move { client.mkdirs(&asked, DIRECTORY_MODE, true).await });
        made.map_err(|error| self.explain("make", path, error))
    }

    /// Renames a file or directory to a name that must be free.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<Renamed, Error> {
        let (client, source, target) = (self.client.clone(), from.to_string(), to.to_string());
        match self.ask(QUESTION, async move { client.rename(&source, &target, false).await }) {
            Ok(()) => Ok(Renamed::Done),
            Err(HdfsError::AlreadyExists(_)) => Ok(Renamed::TargetIsThere),
            // A directory onto a file is refused in words only.
            Err(error @ HdfsError::RPCError(..)) if !error::is_refusal(&error) && self.status(to)?.is_some() => {
                Ok(Renamed::TargetIsThere)
            }
            Err(error) => Err(self.explain("write", to, error)),
        }
    }

    /// Deletes a directory with all in it; nothing where it is not there.
    pub(super) fn delete_tree(&self, path: &str) -> Result<(), Error> {
        let (client, asked) = (self.client.clone(), path.to_string());
        let deleted = self.ask(TRANSFER, async move { client.delete(&asked, true).await });
        deleted.map(drop).map_err(|error| self.explain("delete", path, error))
    }

    /// Deletes a directory that holds nothing, and leaves one that does.
    pub(super) fn delete_if_empty(&self, path: &str) -> Result<(), Error> {
        let (client, asked) = (self.client.clone(), path.to_string());
        match self.ask(QUESTION, async move { client.delete(&asked, false).await }) {
            Ok(_) => Ok(()),
            Err(error) if error::is_not_empty(&error) => Ok(()),
            Err(error) => Err(self.explain("delete", path, error)),
        }
    }

    /// Sets when a directory was changed, by the NameNode's clock.
    pub(super) fn set_modified(&self, path: &str, ms: u64) -> Result<(), Error> {
        // As the protocol says "leave it" of the other time.
        let unchanged = u64::MAX;
        let (client, asked) = (self.client.clone(), path.to_string());
        let set = self.ask(QUESTION, async move { client.set_times(&asked, ms, unchanged).await });
        set.map_err(|error| self.explain("write", path, error))
    }
}

/// Work with an end.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, HdfsError>>) -> Result<T, HdfsError> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(error::no_answer(limit).into()))
}

/// A file whose bytes are written and that is being closed.
#[derive(Debug)]
#[must_use]
pub(super) struct Closing {
    path: String,
    closing: Begun<Result<(), HdfsError>>,
}

/// A file being written. One that is not closed stays open at the NameNode until its lease ends: its maker deletes it.
struct Writer<'a> {
    files: &'a Files,
    /// `None` after a failure.
    file: Option<FileWriter>,
}

impl Writer<'_> {
    fn close(mut self) -> io::Result<Begun<Result<(), HdfsError>>> {
        let mut file = self.take()?;
        Ok(self.files.worker.begin(within(TRANSFER, async move { file.close().await })))
    }

    fn take(&mut self) -> io::Result<FileWriter> {
        self.file.take().ok_or_else(|| io::Error::other("an earlier part could not be written"))
    }
}

impl Write for Writer<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let (mut file, bytes) = (self.take()?, Bytes::copy_from_slice(buffer));
        let written = self.files.ask(TRANSFER, async move {
            let count = file.write_bytes(bytes).await?;
            Ok((count, file))
        });
        let (count, file) = written.map_err(error::to_io)?;
        self.file = Some(file);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
