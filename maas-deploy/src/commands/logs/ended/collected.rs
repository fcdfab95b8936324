//! What lies in an application's collected files: which instances, and where in the files their streams are. Nothing
//! of it is trusted, models write among it.

use super::super::{Known, Wanted};
use super::files::Files;
use crate::error::Error;
use hadoop_yarn::logs::{self, AggregatedLog, LogDirectory, LogEntry, LogPlaces, is_log_file};
use hadoop_yarn::types::{ApplicationId, ContainerId};
use maas_cli::{ErrorCode, Failure};
use maas_client::launch::{IDENTITY_FILE, Identity, MAX_IDENTITY};
use maas_client::model::{ModelName, ModelVersion};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};

/// What a runner always leaves in a container's log directory.
const OF_A_RUNNER: &str = "runner.stderr";
/// The streams, and the older part of each, which comes first.
const STREAMS: [(&str, &str); 2] = [("stdout", "stdout.1"), ("stderr", "stderr.1")];
/// Most log files that are looked at, those of others that are passed over among them.
const MOST_ENTRIES: usize = 500_000;
/// Most troubles that are kept: the directories of others alone may be many.
const MOST_TROUBLES: usize = 8;
/// After so many files whose bytes did not come no further one is tried: each takes minutes.
const MOST_UNREACHED: usize = 2;

/// A collected file.
pub(super) struct CollectedFile {
    pub(super) directory: LogDirectory,
    pub(super) name: String,
}

/// Part of a stream, in one of the files.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) file: usize,
    pub(super) entry: LogEntry,
}

/// An instance, and what it wrote.
pub(super) struct Instance {
    container: ContainerId,
    pub(super) identity: Identity,
    parts: Vec<Part>,
}

impl Instance {
    /// The parts of a stream, oldest first.
    pub(super) fn parts_of(&self, stream: &str) -> Vec<Part> {
        let names = STREAMS.iter().find(|(name, _)| *name == stream).map(|(name, older)| [*older, *name]);
        let of = |name: &'static str| self.parts.iter().filter(move |part| part.entry.name == name).cloned();
        names.into_iter().flatten().flat_map(of).collect()
    }
}

/// What was collected of an application.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) files: Vec<CollectedFile>,
    /// In the order in which their containers were given out.
    instances: Vec<Instance>,
    /// Containers of instances that do not say which.
    nameless: usize,
    /// What could not be read.
    troubles: Vec<Failure>,
    /// Where it was looked.
    looked: Vec<String>,
    /// What is to be said of what is shown.
    pub(super) remarks: Vec<String>,
}

impl Collected {
    /// Whether there is nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The instances of a model, or of one version.
    pub(super) fn of(&self, name: &ModelName, version: Option<&ModelVersion>) -> Vec<&Instance> {
        let is_asked = |instance: &&Instance| {
            let model = &instance.identity.model;
            model.name == *name && version.is_none_or(|version| model.version == *version)
        };
        self.instances.iter().filter(is_asked).collect()
    }

    /// The instances that are asked for, in the order in which they were started. An error where the one that is named is
    /// not there, or may be two.
    pub(super) fn chosen(&self, wanted: &Wanted) -> Result<Vec<&Instance>, Failure> {
        let of_model = self.of(&wanted.name, wanted.version.as_ref());
        let Some(id) = wanted.instance.as_ref().filter(|_| !of_model.is_empty()) else { return Ok(of_model) };
        let all: BTreeSet<String> = of_model.iter().map(|instance| instance.identity.instance.clone()).collect();
        let id = Known { usual: Vec::new(), all }.named(id).map_err(Error::into_failure)?;
        Ok(of_model.into_iter().filter(|instance| instance.identity.instance == id).collect())
    }

    /// What kept from reading some of it: that servers are away, else the first of all.
    pub(super) fn trouble(&self) -> Option<&Failure> {
        self.troubles.iter().find(|trouble| is_away(trouble)).or(self.troubles.first())
    }

    /// Itself, where something of it is wanted, with a word about what of it can't be read; else why there is nothing.
    pub(super) fn if_any(mut self, wanted: &Wanted, id: ApplicationId) -> Result<Collected, Failure> {
        let none = match self.chosen(wanted) {
            Ok(chosen) if !chosen.is_empty() => {
                self.remarks.extend(self.troubles.iter().map(in_one_line));
                return Ok(self);
            }
            Err(failure) if failure.code() == ErrorCode::Usage => return Err(failure),
            chosen => chosen.err(),
        };
        // What could not be read may have had it.
        if let Some(trouble) = self.trouble() {
            return Err(trouble.clone());
        }
        if let Some(failure) = none {
            return Err(Failure::new(failure.code(), format!("in the collected logs of {id}: {failure}")));
        }
        if self.files.is_empty() {
            let looked = self.looked.first().map_or("HDFS", String::as_str);
            let message = format!(
                "no logs of {id} are in {looked}; clusters delete them after yarn.log-aggregation.retain-seconds"
            );
            return Err(Failure::new(ErrorCode::NoLogs, message));
        }
        Err(self.other_models(wanted, id))
    }

    fn other_models(&self, wanted: &Wanted, id: ApplicationId) -> Failure {
        let has: BTreeSet<String> = self
            .instances
            .iter()
            .map(|instance| format!("{} {}", instance.identity.model.name, instance.identity.model.version))
            .collect();
        let version = wanted.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let mut message = format!("the collected logs of {id} have none of {}{version}", wanted.name);
        if !has.is_empty() {
            let has: Vec<String> = has.into_iter().take(12).collect();
            message.push_str(&format!("; they have {}", has.join(", ")));
        }
        if self.nameless > 0 {
            message.push_str(&format!(
                "; {} containers there don't say which instance they were, `yarn logs -applicationId {id}` shows all",
                self.nameless
            ));
        }
        Failure::new(ErrorCode::NoLogs, message)
    }
}

/// Looks through the files of an application: those of the first of these users that has any.
pub(super) fn gather<F: Files>(files: &F, places: &LogPlaces, id: ApplicationId, users: &[String]) -> Collected {
    let mut gathering = Gathering::default();
    for user in users {
        for directory in places.directories(user, id) {
            if !gathering.is_away {
                gathering.look_into(files, directory);
            }
        }
        if !gathering.collected.files.is_empty() || gathering.is_away {
            break;
        }
    }
    gathering.finish()
}

#[derive(Default)]
struct Gathering {
    collected: Collected,
    identities: BTreeMap<ContainerId, Identity>,
    parts: BTreeMap<ContainerId, Vec<Part>>,
    of_runners: BTreeSet<ContainerId>,
    entries: usize,
    unreached: usize,
    /// The servers don't answer, and are asked no more.
    is_away: bool,
}

impl Gathering {
    fn look_into<F: Files>(&mut self, files: &F, directory: LogDirectory) {
        let names = match files.names(&directory) {
            Ok(names) => names,
            Err(failure) => return self.is_refused(failure),
        };
        self.collected.looked.push(directory.path.clone());
        for name in names.into_iter().filter(|name| is_log_file(name)) {
            if self.is_away {
                return;
            }
            let path = format!("{}/{name}", directory.path);
            match files.open(&directory, &name) {
                Ok(Some(file)) => {
                    let at = self.collected.files.len();
                    self.collected.files.push(CollectedFile { directory: directory.clone(), name });
                    if let Err(error) = self.read(file, at) {
                        let failure = unreadable(&path, error);
                        self.unreached += usize::from(is_away(&failure));
                        self.is_away |= self.unreached >= MOST_UNREACHED;
                        self.is_in_trouble(failure);
                    }
                }
                // Deleted in between, or made whole under another name.
                Ok(None) => {}
                Err(failure) => self.is_refused(failure),
            }
        }
    }

    /// The NameNode did not say what was asked.
    fn is_refused(&mut self, failure: Failure) {
        self.is_away |= is_away(&failure);
        self.is_in_trouble(failure);
    }

    /// The same is said once.
    fn is_in_trouble(&mut self, failure: Failure) {
        let troubles = &mut self.collected.troubles;
        if !troubles.contains(&failure) && (troubles.len() < MOST_TROUBLES || is_away(&failure)) {
            troubles.push(failure);
        }
    }

    /// What is wrong in one container does not keep the others; the first such is the error.
    fn read<R: Read + Seek>(&mut self, file: R, at: usize) -> Result<(), logs::Error> {
        let mut log = AggregatedLog::open(file)?;
        let mut first = None;
        loop {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                let message = "there are more log files than are looked through";
                return Err(io::Error::new(io::ErrorKind::InvalidData, message).into());
            }
            let entry = match log.next_entry() {
                Ok(Some(entry)) => entry,
                Ok(None) => return first.map_or(Ok(()), Err),
                Err(error) => {
                    first.get_or_insert(error);
                    continue;
                }
            };
            let container = entry.container;
            let is_stream = |name| STREAMS.iter().any(|(stream, older)| name == *stream || name == *older);
            match entry.name.as_str() {
                IDENTITY_FILE if entry.length <= MAX_IDENTITY => {
                    let mut json = Vec::new();
                    log.contents(&entry)?.read_to_end(&mut json)?;
                    if let Some(identity) = identity(&json) {
                        self.identities.insert(container, identity);
                    }
                }
                OF_A_RUNNER => drop(self.of_runners.insert(container)),
                name if is_stream(name) => self.parts.entry(container).or_default().push(Part { file: at, entry }),
                _ => {}
            }
        }
    }

    fn finish(mut self) -> Collected {
        for (container, identity) in self.identities {
            self.of_runners.remove(&container);
            let parts = self.parts.remove(&container).unwrap_or_default();
            self.collected.instances.push(Instance { container, identity, parts });
        }
        self.collected.nameless = self.of_runners.len();
        self.collected.instances.sort_by_key(|instance| instance.container);
        self.collected
    }
}

/// Which instance a container was. Its id is shown as it stands, so it must be one.
pub(super) fn identity(json: &[u8]) -> Option<Identity> {
    let identity: Identity = serde_json::from_slice(json).ok()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let id = &identity.instance;
    ((1..=128).contains(&id.len()) && id.chars().all(is_plain)).then_some(identity)
}

/// A failure and its causes.
pub(super) fn in_one_line(failure: &Failure) -> String {
    let causes = failure.causes().iter().map(|cause| format!(": {cause}"));
    std::iter::once(failure.message().to_string()).chain(causes).collect()
}

fn is_away(failure: &Failure) -> bool {
    failure.code() == ErrorCode::StoreUnreachable
}

/// A collected file that can't be read.
pub(super) fn unreadable(path: &str, error: logs::Error) -> Failure {
    let code = match &error {
        logs::Error::Read(source) => match source.kind() {
            io::ErrorKind::PermissionDenied => ErrorCode::NotPermitted,
            io::ErrorKind::InvalidData => ErrorCode::Unreadable,
            _ => ErrorCode::StoreUnreachable,
        },
        _ => ErrorCode::Unreadable,
    };
    Failure::new(code, format!("the collected logs in {path} can't be read")).because(&error)
}
