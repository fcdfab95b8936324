//! Lines of a file or of standard input, read by a thread of their own.
//!
//! How bytes become lines is `line_reader`'s, how a file is followed `tail`'s.

use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use async_trait::async_trait;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::line_reader::LineReader;
use super::tail::Tail;
use super::{Error, Source};
use crate::event::{Place, Raw};

/// Batches that wait to be taken.
const AHEAD: usize = 4;

/// See the module.
#[derive(Debug)]
pub struct Lines {
    batches: mpsc::Receiver<Result<Vec<Raw>, Error>>,
    /// Dropped with this: the thread's reason to end.
    _stop: Sender<()>,
}

impl Lines {
    /// The lines of a file; at its end it waits for more, unless it is read once.
    pub fn file(path: &Path, once: bool) -> Result<Self, Error> {
        let name = path.display().to_string();
        let tail = Tail::open(path).map_err(|source| Error::Unreadable { name: name.clone(), source })?;
        Self::start(name, move |reader, stopped| tail.read(reader, once, stopped))
    }

    /// The lines of standard input. Each run gives its lines guids of their own, since nothing tells one input from another.
    pub fn standard_input() -> Result<Self, Error> {
        let identity: Arc<str> = format!("stdin {}", Uuid::new_v4()).into();
        Self::start("standard input".into(), move |sender, _| {
            let mut lines = LineReader::new(BufReader::new(io::stdin()), identity, 0);
            while let Some(batch) = lines.batch()? {
                if sender.blocking_send(Ok(batch)).is_err() {
                    return Ok(());
                }
            }
            if let Some(last) = lines.rest() {
                // An Err says that nobody reads any more.
                let _ = sender.blocking_send(Ok(vec![last]));
            }
            Ok(())
        })
    }

    fn start(
        name: String,
        read: impl FnOnce(&mpsc::Sender<Result<Vec<Raw>, Error>>, &Receiver<()>) -> io::Result<()> + Send + 'static,
    ) -> Result<Self, Error> {
        let (sender, batches) = mpsc::channel(AHEAD);
        let (stop, stopped) = channel();
        let of = name.clone();
        let thread = thread::Builder::new().name("lines".into()).spawn(move || {
            if let Err(source) = read(&sender, &stopped) {
                // An Err says that nobody reads any more.
                let _ = sender.blocking_send(Err(Error::Unreadable { name: of, source }));
            }
        });
        thread.map_err(|source| Error::Unreadable { name, source })?;
        Ok(Self { batches, _stop: stop })
    }
}

#[async_trait(?Send)]
impl Source for Lines {
    async fn next(&mut self) -> Result<Option<Vec<Raw>>, Error> {
        self.batches.recv().await.transpose()
    }

    fn acknowledge(&mut self, _: &[Place]) {}

    async fn close(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    fn texts(batch: &[Raw]) -> Vec<(u64, String)> {
        let one = |raw: &Raw| match &raw.place {
            Place::File { offset, .. } => (*offset, String::from_utf8_lossy(&raw.bytes).into_owned()),
            Place::Topic { .. } => unreachable!("lines stand in files"),
        };
        batch.iter().map(one).collect()
    }

    #[tokio::test]
    async fn a_file_is_read_to_its_end_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\r\n\ntwo\nthree").unwrap();
        let mut lines = Lines::file(file.path(), true).unwrap();
        let mut all = Vec::new();
        while let Some(batch) = lines.next().await.unwrap() {
            all.extend(texts(&batch));
        }
        assert_eq!(all, [(0, "one".into()), (6, "two".into()), (10, "three".into())]);
    }

    /// A log that is followed, and its lines as they come.
    struct Log {
        directory: tempfile::TempDir,
        lines: Lines,
    }

    impl Log {
        fn with(text: &str) -> Self {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("log"), text).unwrap();
            let lines = Lines::file(&directory.path().join("log"), false).unwrap();
            Self { directory, lines }
        }

        fn path(&self) -> PathBuf {
            self.directory.path().join("log")
        }

        fn writer(&self) -> File {
            OpenOptions::new().append(true).open(self.path()).unwrap()
        }

        fn rename(&self) {
            std::fs::rename(self.path(), self.directory.path().join("log.1")).unwrap();
        }

        /// What a reader that begins now gives, to the end of the file.
        async fn read_again(&self) -> Vec<Raw> {
            let mut lines = Lines::file(&self.path(), true).unwrap();
            let mut all = Vec::new();
            while let Some(batch) = lines.next().await.unwrap() {
                all.extend(batch);
            }
            all
        }

        async fn gives(&mut self, wanted: &[(u64, &str)]) {
            let mut all = Vec::new();
            while all.len() < wanted.len() {
                let next = tokio::time::timeout(Duration::from_secs(30), self.lines.next()).await;
                let next = next.unwrap_or_else(|_| panic!("nothing comes after {all:?}"));
                all.extend(texts(&next.unwrap().unwrap()));
            }
            assert_eq!(all, wanted.iter().map(|(offset, text)| (*offset, (*text).to_owned())).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn a_file_is_followed_and_read_anew_when_it_is_replaced() {
        let mut log = Log::with("one\nhal");
        log.gives(&[(0, "one")]).await;
        log.writer().write_all(b"f\nmore\n").unwrap();
        log.gives(&[(4, "half"), (9, "more")]).await;
        std::fs::write(log.directory.path().join("new"), "fresh\n").unwrap();
        std::fs::rename(log.directory.path().join("new"), log.path()).unwrap();
        log.gives(&[(0, "fresh")]).await;
    }

    #[tokio::test]
    async fn what_was_written_just_before_a_file_was_renamed_comes_before_the_lines_of_the_next() {
        let mut log = Log::with("one\n");
        log.gives(&[(0, "one")]).await;
        log.writer().write_all(b"two\nunended").unwrap();
        log.rename();
        std::fs::write(log.path(), "three\n").unwrap();
        log.gives(&[(4, "two"), (8, "unended"), (0, "three")]).await;
    }

    #[tokio::test]
    async fn a_writer_may_go_on_with_the_renamed_file_until_it_opens_the_next() {
        let mut log = Log::with("one\n");
        log.gives(&[(0, "one")]).await;
        let mut old = log.writer();
        log.rename();
        old.write_all(b"nameless\n").unwrap();
        log.gives(&[(4, "nameless")]).await;
        File::create(log.path()).unwrap();
        old.write_all(b"late\n").unwrap();
        log.gives(&[(13, "late")]).await;
        old.write_all(b"last\n").unwrap();
        log.writer().write_all(b"fresh\n").unwrap();
        log.gives(&[(18, "last"), (0, "fresh")]).await;
    }

    #[tokio::test]
    async fn a_file_that_was_cut_is_read_from_its_start_also_where_it_has_grown_longer_since() {
        let mut log = Log::with("one\ntwo\nunended");
        log.gives(&[(0, "one"), (4, "two")]).await;
        std::fs::write(log.path(), "1\n").unwrap();
        log.gives(&[(8, "unended"), (0, "1")]).await;
        std::fs::write(log.path(), "longer than before\nand more\n").unwrap();
        log.gives(&[(0, "longer than before"), (19, "and more")]).await;
    }
    #[tokio::test]
    async fn lines_have_their_guids_after_a_restart_too_and_other_ones_than_those_that_were_cut_away() {
        let mut log = Log::with("one\ntwo\n");
        let first = log.lines.next().await.unwrap().unwrap();
        assert_eq!(first[0].guid(""), log.read_again().await[0].guid(""));
        std::fs::write(log.path(), "six\n").unwrap();
        let after = log.lines.next().await.unwrap().unwrap();
        assert_eq!(texts(&after), [(0, "six".into())]);
        assert_ne!(after[0].guid(""), first[0].guid(""));
        assert_eq!(after[0].guid(""), log.read_again().await[0].guid(""));
    }
}
