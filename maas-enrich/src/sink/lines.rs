//! JSON lines, to a file, standard output or standard error.

use std::cell::RefCell;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use async_trait::async_trait;

use super::{Document, Error, Rejected, Sink};
use crate::event::Raw;

/// See the module.
pub struct JsonLines {
    name: String,
    output: RefCell<Box<dyn Write>>,
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "JsonLines({})", self.name)
    }
}

impl JsonLines {
    /// Appends to a file.
    pub fn file(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        match OpenOptions::new().create(true).append(true).open(path) {
            Ok(file) => Ok(Self { name, output: RefCell::new(Box::new(file)) }),
            Err(source) => Err(Error::Unwritable { name, source }),
        }
    }

    /// To standard output.
    pub fn standard_output() -> Self {
        Self { name: "standard output".into(), output: RefCell::new(Box::new(io::stdout())) }
    }

    /// To standard error.
    pub fn standard_error() -> Self {
        Self { name: "standard error".into(), output: RefCell::new(Box::new(io::stderr())) }
    }

    fn append(&self, text: &[u8]) -> Result<(), Error> {
        let mut output = self.output.borrow_mut();
        match output.write_all(text).and_then(|()| output.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Error::Closed),
            Err(source) => Err(Error::Unwritable { name: self.name.clone(), source }),
        }
    }
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
        self.append(&text).map(|()| Vec::new())
    }

    async fn put_aside(&self, lines: &[Raw]) -> Result<(), Error> {
        let mut text = Vec::new();
        for raw in lines {
            text.extend_from_slice(&raw.bytes);
            text.push(b'\n');
        }
        self.append(&text)
    }
}
