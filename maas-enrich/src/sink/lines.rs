//! JSON lines, to a file, standard output or standard error.
//!
//! A batch is in the file as a whole or not at all. Where there is no room for it, room is waited for, as other sinks wait for their servers.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::{Document, Error, Rejected, Sink};
use crate::event::Raw;

/// How long to wait before looking again for room.
const WAIT: Duration = Duration::from_secs(1);
/// Workers write to the same file, and what is long would mix in a pipe.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// See the module.
#[derive(Debug)]
pub struct JsonLines {
    name: String,
    output: File,
    /// Whether it is a file that was opened here.
    is_ours: bool,
    stop: CancellationToken,
}

impl JsonLines {
    /// Appends to a file.
    pub fn file(path: &Path, stop: CancellationToken) -> Result<Self, Error> {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        Ok(Self { is_ours: true, ..Self::to(path.display().to_string(), opened, stop)? })
    }

    /// To standard output.
    pub fn standard_output(stop: CancellationToken) -> Result<Self, Error> {
        Self::to("standard output".into(), io::stdout().as_fd().try_clone_to_owned().map(File::from), stop)
    }

    /// To standard error.
    pub fn standard_error(stop: CancellationToken) -> Result<Self, Error> {
        Self::to("standard error".into(), io::stderr().as_fd().try_clone_to_owned().map(File::from), stop)
    }

    fn to(name: String, opened: io::Result<File>, stop: CancellationToken) -> Result<Self, Error> {
        match opened {
            Ok(output) => Ok(Self { name, output, is_ours: false, stop }),
            Err(source) => Err(Error::Unwritable { name, source }),
        }
    }

    async fn append(&self, text: &[u8]) -> Result<(), Error> {
        let mut written = 0;
        loop {
            match self.try_append(text, &mut written) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(Error::Closed),
                Err(error) if is_full(&error) && !self.stop.is_cancelled() => {
                    tracing::warn!(sink = self.name, %error, "writing is tried again");
                    // Whether room came or the end: it is tried once more.
                    let _ = tokio::time::timeout(WAIT, self.stop.cancelled()).await;
                }
                Err(source) => return Err(Error::Unwritable { name: self.name.clone(), source }),
            }
        }
    }

    /// Writes what is not written yet. A part that came into a file of ours is taken out again, unless somebody else wrote behind it.
    fn try_append(&self, text: &[u8], written: &mut usize) -> io::Result<()> {
        let _alone = ONE_AT_A_TIME.lock();
        let before = if self.is_ours { Some(self.output.metadata()?).filter(Metadata::is_file) } else { None };
        while let Some(rest) = text.get(*written..).filter(|rest| !rest.is_empty()) {
            match (&self.output).write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => *written += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if let Some(before) = before
                        && self.output.metadata()?.len() == before.len() + *written as u64
                    {
                        self.output.set_len(before.len())?;
                        *written = 0;
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

/// Whether this passes when somebody makes room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[async_trait(?Send)]
impl Sink for JsonLines {
    async fn write(&self, documents: &[Document]) -> Result<Vec<Rejected>, Error> {
        let mut text = Vec::with_capacity(documents.len() * 512);
        for document in documents {
            // Writing to memory fails only for keys that are no text, and all of these are.
            let _ = serde_json::to_writer(&mut text, &document.message);
            text.push(b'\n');
        }
        self.append(&text).await.map(|()| Vec::new())
    }

    async fn put_aside(&self, lines: &[Raw]) -> Result<(), Error> {
        let mut text = Vec::new();
        for raw in lines {
            text.extend_from_slice(&raw.bytes);
            text.push(b'\n');
        }
        self.append(&text).await
    }
}
