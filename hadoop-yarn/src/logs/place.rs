//! Where aggregated log files lie, from the configuration alone: the rules of Hadoop's `LogAggregationUtils` and `LogAggregationFileController`.
//!
//! Since Hadoop 3.3 it is `ROOT/USER/bucket-SUFFIX/NNNN/APPLICATION`, NNNN being the number of the application modulo 10,000; before that
//! `ROOT/USER/SUFFIX/APPLICATION`. Since 3.2 the suffix ends with the format's name. Nothing in a directory tells which Hadoop wrote it, so all are looked into.

use crate::config::{ConfigError, Configuration};
use crate::types::ApplicationId;

/// The format that clusters write where nothing else is configured, and the one that [`AggregatedLog`](super::AggregatedLog) reads.
const TFILE: &str = "TFile";

/// Where a cluster puts what it collects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlaces {
    /// Whether it collects at all (`yarn.log-aggregation-enable`).
    pub is_enabled: bool,
    formats: Vec<Format>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Format {
    name: String,
    root: Root,
    /// The suffixes that there may be, the newest Hadoop's first.
    suffixes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Root {
    file_system: Option<String>,
    path: String,
}

/// A directory that may hold files of an application, or users' directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirectory {
    /// Scheme and authority, as in `hdfs://node1:8020`; `None` for the default file system.
    pub file_system: Option<String>,
    /// The absolute path in it.
    pub path: String,
    /// The format that the cluster says its files have (`yarn.log-aggregation.file-formats`).
    pub format: String,
}

impl LogDirectory {
    fn is_same_place(&self, other: &LogDirectory) -> bool {
        (&self.file_system, &self.path) == (&other.file_system, &other.path)
    }
}

impl LogPlaces {
    /// What this configuration says.
    pub fn new(configuration: &Configuration) -> Result<Self, ConfigError> {
        let mut names = configuration.list("yarn.log-aggregation.file-formats")?;
        if !names.iter().any(|name| name == TFILE) {
            // What was written before another format was configured is still there.
            names.push(TFILE.to_owned());
        }
        let root = configuration.get("yarn.nodemanager.remote-app-log-dir")?.unwrap_or_else(|| "/tmp/logs".to_owned());
        let suffix = configuration.get("yarn.nodemanager.remote-app-log-dir-suffix")?;
        let suffix = suffix.unwrap_or_else(|| "logs".to_owned());
        let format = |name: String| {
            let own_root = configuration.get(&format!("yarn.log-aggregation.{name}.remote-app-log-dir"))?;
            let own_suffix = configuration.get(&format!("yarn.log-aggregation.{name}.remote-app-log-dir-suffix"))?;
            let usual = own_suffix.unwrap_or_else(|| format!("{suffix}-{}", name.to_ascii_lowercase()));
            let mut suffixes = vec![usual];
            if name == TFILE && suffixes[0] != suffix {
                suffixes.push(suffix.clone());
            }
            Ok(Format { root: Root::new(&own_root.unwrap_or_else(|| root.clone())), name, suffixes })
        };
        Ok(Self {
            is_enabled: configuration.flag("yarn.log-aggregation-enable", false)?,
            formats: names.into_iter().map(format).collect::<Result<_, ConfigError>>()?,
        })
    }

    /// Where users' directories are: one place, or one for each format that has its own.
    pub fn roots(&self) -> Vec<LogDirectory> {
        let mut roots: Vec<LogDirectory> = Vec::new();
        for format in &self.formats {
            let root = format.at(&[]);
            if !roots.iter().any(|known| known.is_same_place(&root)) {
                roots.push(root);
            }
        }
        roots
    }

    /// The directories in which files of a user's application may lie, the likeliest first, each once. None for what can't be a user's directory.
    pub fn directories(&self, user: &str, application: ApplicationId) -> Vec<LogDirectory> {
        if user.is_empty() || user == "." || user == ".." || user.contains('/') {
            return Vec::new();
        }
        let bucket = format!("{:04}", application.id % 10_000);
        let name = application.to_string();
        let in_buckets = self.each_suffix().map(|(format, suffix)| {
            let suffix = format!("bucket-{suffix}");
            format.at(&[user, &suffix, &bucket, &name])
        });
        let older = self.each_suffix().map(|(format, suffix)| format.at(&[user, suffix, &name]));
        let mut directories: Vec<LogDirectory> = Vec::new();
        for directory in in_buckets.chain(older) {
            if !directories.iter().any(|known| known.is_same_place(&directory)) {
                directories.push(directory);
            }
        }
        directories
    }

    fn each_suffix(&self) -> impl Iterator<Item = (&Format, &String)> {
        self.formats.iter().flat_map(|format| format.suffixes.iter().map(move |suffix| (format, suffix)))
    }
}

impl Format {
    fn at(&self, parts: &[&str]) -> LogDirectory {
        let mut path = self.root.path.clone();
        for part in parts {
            path.push('/');
            path.push_str(part);
        }
        if path.is_empty() {
            path.push('/');
        }
        LogDirectory { file_system: self.root.file_system.clone(), path, format: self.name.clone() }
    }
}

impl Root {
    /// A path, or a URI that names another file system. `file:/DIR` is one, too. The path has no slash at its end.
    fn new(text: &str) -> Self {
        let scheme = text.split_once(':').filter(|(scheme, _)| !scheme.is_empty() && !scheme.contains('/'));
        let (file_system, path) = match scheme {
            None => (None, text),
            Some((scheme, rest)) => match rest.strip_prefix("//") {
                None => (Some(format!("{scheme}://")), rest),
                Some(rest) => {
                    let slash = rest.find('/').unwrap_or(rest.len());
                    (Some(format!("{scheme}://{}", &rest[..slash])), &rest[slash..])
                }
            },
        };
        Self { file_system, path: path.trim_end_matches('/').to_owned() }
    }
}

/// Whether a name in an application's directory is one of a log file: those that are being written end with `.tmp`, those beside an `IndexedFile` with
/// `.checksum`. A node's file is `HOST_PORT`, and `HOST_PORT_TIME` where nodes collect while the application runs.
pub fn is_log_file(name: &str) -> bool {
    !(name.ends_with(".tmp") || name.ends_with(".checksum") || name.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(pairs: &[(&str, &str)]) -> LogPlaces {
        let mut configuration = Configuration::new();
        for (key, value) in pairs {
            configuration.set(*key, *value);
        }
        LogPlaces::new(&configuration).unwrap()
    }

    fn paths(directories: &[LogDirectory]) -> Vec<String> {
        directories.iter().map(|at| format!("{}{}", at.file_system.as_deref().unwrap_or(""), at.path)).collect()
    }

    const APPLICATION: ApplicationId = ApplicationId { cluster_timestamp: 1_795_236_020_553, id: 120_004 };

    #[test]
    fn nothing_configured_gives_the_places_of_every_hadoop() {
        let places = places(&[]);
        assert!(!places.is_enabled);
        let expected = [
            "/tmp/logs/alice/bucket-logs-tfile/0004/application_1795236020553_120004",
            "/tmp/logs/alice/bucket-logs/0004/application_1795236020553_120004",
            "/tmp/logs/alice/logs-tfile/application_1795236020553_120004",
            "/tmp/logs/alice/logs/application_1795236020553_120004",
        ];
        assert_eq!(paths(&places.directories("alice", APPLICATION)), expected);
        assert_eq!(paths(&places.roots()), ["/tmp/logs"]);
        for user in ["", ".", "..", "a/b"] {
            assert_eq!(places.directories(user, APPLICATION), []);
        }
    }

    #[test]
    fn a_root_may_be_in_another_file_system_and_a_format_have_places_of_its_own() {
        let places = places(&[
            ("yarn.log-aggregation-enable", "true"),
            ("yarn.log-aggregation.file-formats", "IFile,TFile"),
            ("yarn.nodemanager.remote-app-log-dir", "hdfs://logs:8020/app-logs/"),
            ("yarn.log-aggregation.IFile.remote-app-log-dir", "s3a://bucket"),
            ("yarn.log-aggregation.IFile.remote-app-log-dir-suffix", "new"),
        ]);
        assert!(places.is_enabled);
        let found = places.directories("alice", APPLICATION);
        let name = "application_1795236020553_120004";
        assert_eq!(paths(&found)[0], format!("s3a://bucket/alice/bucket-new/0004/{name}"));
        assert_eq!(paths(&found)[1], format!("hdfs://logs:8020/app-logs/alice/bucket-logs-tfile/0004/{name}"));
        assert_eq!((found.len(), found[0].format.as_str(), found[1].format.as_str()), (6, "IFile", "TFile"));
        assert_eq!(paths(&places.roots()), ["s3a://bucket/", "hdfs://logs:8020/app-logs"]);
        assert_eq!(
            Root::new("file:/data/logs"),
            Root { file_system: Some("file://".into()), path: "/data/logs".into() }
        );
    }

    #[test]
    fn a_place_of_two_formats_is_named_once() {
        let places = places(&[
            ("yarn.log-aggregation.file-formats", "IFile,TFile"),
            ("yarn.log-aggregation.IFile.remote-app-log-dir-suffix", "logs"),
        ]);
        let name = "application_1795236020553_120004";
        let expected = [
            format!("/tmp/logs/alice/bucket-logs/0004/{name}"),
            format!("/tmp/logs/alice/bucket-logs-tfile/0004/{name}"),
            format!("/tmp/logs/alice/logs/{name}"),
            format!("/tmp/logs/alice/logs-tfile/{name}"),
        ];
        assert_eq!(paths(&places.directories("alice", APPLICATION)), expected);
    }

    #[test]
    fn what_is_being_written_is_no_log_file() {
        assert!(is_log_file("node7.example_8041") && is_log_file("node7.example_8041_1795236020553"));
        assert!(!is_log_file("node7_8041.tmp") && !is_log_file("node7_8041.checksum"));
    }
}
