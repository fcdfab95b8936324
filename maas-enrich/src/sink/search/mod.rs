//! A search server: OpenSearch, or Elasticsearch from 5.6 on, through the bulk API.
//!
//! `server` asks what it is and speaks HTTP, `template` tells it how fields are to be indexed, `names` makes the index's name, `bulk` writes requests and reads
//! answers. Documents have their guid as id, and the index is that of the message's own time, so that a line that is read again writes over its document.

mod bulk;
mod names;
mod server;
mod template;

use std::cell::RefCell;
use std::time::Duration;

use async_trait::async_trait;

use super::{Document, Error, LastTries, Rejected, Sink};
use crate::address::SearchUrl;
use crate::config::Sensor;

use bulk::{Verdict, requests, verdicts};
use names::IndexName;
pub(crate) use names::{check_date_format, first_part};
use server::{Server, Trouble};

/// How long to wait before trying again, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The same once the end was asked for.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// How documents are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// First part of the index's name.
    pub index: String,
    /// Whether the date follows, as documents have it; error records go to one index.
    pub dated: bool,
    /// The date's form, in Java's notation; none: a new index each hour.
    pub date_format: Option<String>,
    /// Whether dots in names of fields become colons.
    pub colons: bool,
}

impl Settings {
    /// For the documents of a sensor.
    pub fn documents(sensor: &Sensor) -> Self {
        let indexing = &sensor.indexing;
        let date_format = sensor.global.date_format.clone();
        Self { index: indexing.index.clone(), dated: true, date_format, colons: indexing.colons }
    }

    /// For error records.
    pub fn errors(sensor: &Sensor) -> Self {
        Self { index: "error".into(), dated: false, date_format: None, colons: sensor.indexing.colons }
    }

    /// For what the same sink is given under a changed configuration.
    fn changed(&self, sensor: &Sensor) -> Self {
        if self.dated { Self::documents(sensor) } else { Self::errors(sensor) }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Search {
    server: Server,
    target: RefCell<Target>,
    /// Why something was last not written.
    trouble: RefCell<String>,
    tries: LastTries,
}

/// Where documents go at present.
#[derive(Debug)]
struct Target {
    index: IndexName,
    settings: Settings,
    /// Whether the server has the template.
    templated: bool,
}

impl Target {
    fn new(settings: Settings, url: &str) -> Result<Self, Error> {
        let index = IndexName::new(&settings).map_err(|message| Error::Refused { name: url.to_owned(), message })?;
        Ok(Self { index, templated: !settings.dated, settings })
    }
}

impl Search {
    /// Finds out what the server is. One that can't be reached at the start is an error; later it is waited for.
    pub async fn connect(url: &SearchUrl, settings: Settings, tries: LastTries) -> Result<Self, Error> {
        let name = url.to_string();
        let refused = |trouble: &Trouble| match trouble {
            Trouble::Denied { .. } => Error::Denied { name: name.clone(), message: trouble.to_string() },
            _ => Error::Refused { name: name.clone(), message: trouble.to_string() },
        };
        let target = RefCell::new(Target::new(settings, &name)?);
        let server = Server::connect(url).await.map_err(|trouble| refused(&trouble))?;
        let search = Self { server, target, trouble: RefCell::default(), tries };
        search.ensure_template().await.map_err(|trouble| refused(&trouble))?;
        Ok(search)
    }

    /// Installs the template where there is none of its name.
    async fn ensure_template(&self) -> Result<(), Trouble> {
        let index = {
            let target = self.target.borrow();
            if target.templated {
                return Ok(());
            }
            target.settings.index.clone()
        };
        let path = format!("/_template/{}", template::name(&index));
        if !self.server.exists(&path).await? {
            let template = template::template(&index, self.server.kind());
            self.server.put(&path, template.to_string()).await?;
        }
        let mut target = self.target.borrow_mut();
        target.templated |= target.settings.index == index;
        Ok(())
    }

    /// The body of a request for these documents. The template is there before the first of them.
    async fn body(&self, documents: &[Document], which: &[usize]) -> Result<Vec<u8>, Trouble> {
        self.ensure_template().await.map_err(|trouble| Trouble::NoTemplate { text: trouble.to_string() })?;
        let target = self.target.borrow();
        Ok(bulk::body(documents, which, &target.index, self.server.kind(), target.settings.colons))
    }

    async fn request(&self, documents: &[Document], which: &[usize]) -> Result<Vec<u8>, Trouble> {
        self.server.bulk(self.body(documents, which).await?).await
    }

    /// One request, tried until the server has an answer for each document.
    async fn write_some(&self, documents: &[Document], which: Vec<usize>) -> Vec<Rejected> {
        let mut rejected = Vec::new();
        let mut waiting = vec![which];
        let mut wait = FIRST_WAIT;
        while let Some(which) = waiting.pop() {
            let (again, message) = match self.request(documents, &which).await {
                Ok(answer) => {
                    let verdicts = verdicts(&answer, which.len());
                    let mut again = Vec::new();
                    let mut message = String::new();
                    for (index, verdict) in which.into_iter().zip(verdicts) {
                        match verdict {
                            Verdict::Written => {}
                            Verdict::Rejected(reason) => rejected.push(Rejected { index, reason }),
                            Verdict::Again(reason) => {
                                again.push(index);
                                message = reason;
                            }
                        }
                    }
                    (again, message)
                }
                Err(trouble) if trouble.is_of_documents() && which.len() > 1 => {
                    // One of them is at fault: the halves are tried apart.
                    let mut left = which;
                    let right = left.split_off(left.len() / 2);
                    waiting.extend([right, left]);
                    continue;
                }
                Err(trouble) if trouble.is_of_documents() => {
                    let reason = trouble.to_string();
                    rejected.extend(which.into_iter().map(|index| Rejected { index, reason: reason.clone() }));
                    continue;
                }
                Err(trouble) => (which, trouble.to_string()),
            };
            if again.is_empty() {
                wait = FIRST_WAIT;
                continue;
            }
            tracing::warn!(
                server = self.server.name(),
                documents = again.len(),
                error = message,
                "writing is tried again"
            );
            self.trouble.replace(message);
            waiting.push(again);
            if self.tries.stop.is_cancelled() {
                tokio::time::sleep(wait.min(LAST_WAIT)).await;
            } else {
                // Whether it was waited for, or the end is asked for: it is tried again.
                let _ = tokio::time::timeout(wait, self.tries.stop.cancelled()).await;
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        rejected
    }
}

#[async_trait(?Send)]
impl Sink for Search {
    fn configure(&self, sensor: &Sensor) -> Result<(), Error> {
        let settings = self.target.borrow().settings.changed(sensor);
        if self.target.borrow().settings != settings {
            let target = Target::new(settings, self.server.name())?;
            self.target.replace(target);
        }
        Ok(())
    }

    async fn write(&self, documents: &[Document]) -> Result<Vec<Rejected>, Error> {
        self.trouble.take();
        let all = async {
            let mut rejected = Vec::new();
            for which in requests(documents) {
                rejected.extend(self.write_some(documents, which).await);
            }
            rejected
        };
        self.tries.until_given_up(all).await.ok_or_else(|| {
            let why = self.trouble.take();
            let why = if why.is_empty() { "the server does not answer" } else { &why };
            let message =
                format!("{why}; what is not written of {} documents is read again next time", documents.len());
            Error::Refused { name: self.server.name().to_owned(), message }
        })
    }
}
