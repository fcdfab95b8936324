//! Keys and values, from one or several files, in the order and with the rules of Hadoop: later files win, except over what is final.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ConfigError;
use super::expand::expand;
use super::xml::{self, Entry};

/// Longest file that is read.
const LONGEST_FILE: u64 = 16 << 20;
/// How deep files may include one another.
const INCLUDES: usize = 8;

/// A configuration. Values are expanded when they are asked for, so that a later file may change what an earlier one refers to.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    values: BTreeMap<String, Value>,
    /// The variables that `${env.…}` sees; `None` is the process's own.
    environment: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone)]
struct Value {
    text: String,
    is_final: bool,
}

/// Where the files are.
#[derive(Debug, PartialEq, Eq)]
struct Directories {
    /// Of `core-site.xml` and `hdfs-site.xml`.
    common: PathBuf,
    /// Of `yarn-site.xml`.
    yarn: PathBuf,
}

impl Directories {
    /// By the environment; `None` where it names none and there is no usual one.
    fn named(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let directory = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let usual = || Some(PathBuf::from("/etc/hadoop/conf")).filter(|usual| usual.is_dir());
        let of_home = || directory("HADOOP_HOME").map(|home| home.join("etc/hadoop"));
        let common = directory("HADOOP_CONF_DIR").or_else(of_home).or_else(usual);
        let yarn = directory("YARN_CONF_DIR").or_else(|| common.clone())?;
        Some(Self { common: common.unwrap_or_else(|| yarn.clone()), yarn })
    }
}

impl Configuration {
    /// Nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// What Hadoop's clients read: `core-site.xml`, `hdfs-site.xml` and `yarn-site.xml` of the directory that `HADOOP_CONF_DIR` names (for `yarn-site.xml`
    /// `YARN_CONF_DIR` first), else of `$HADOOP_HOME/etc/hadoop`, else of `/etc/hadoop/conf`. A file may be missing, but not both the first and the last.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let Directories { common, yarn } =
            Directories::named(|name| std::env::var_os(name)).ok_or(ConfigError::NoDirectory)?;
        let mut configuration = Self::new();
        let core = configuration.add_if_there(&common.join("core-site.xml"))?;
        configuration.add_if_there(&common.join("hdfs-site.xml"))?;
        let yarn = configuration.add_if_there(&yarn.join("yarn-site.xml"))?;
        if core || yarn { Ok(configuration) } else { Err(ConfigError::NoDirectory) }
    }

    /// Whether there is a `yarn-site.xml` where [`from_environment`](Self::from_environment) looks for it.
    pub fn names_a_cluster() -> bool {
        Directories::named(|name| std::env::var_os(name)).is_some_and(|at| at.yarn.join("yarn-site.xml").is_file())
    }

    /// `core-site.xml`, `hdfs-site.xml` and `yarn-site.xml` of a directory.
    pub fn from_directory(directory: &Path) -> Result<Self, ConfigError> {
        let mut configuration = Self::new();
        let core = configuration.add_if_there(&directory.join("core-site.xml"))?;
        configuration.add_if_there(&directory.join("hdfs-site.xml"))?;
        let yarn = configuration.add_if_there(&directory.join("yarn-site.xml"))?;
        if core || yarn { Ok(configuration) } else { Err(ConfigError::NoDirectory) }
    }

    fn add_if_there(&mut self, path: &Path) -> Result<bool, ConfigError> {
        match self.add_file(path) {
            Ok(()) => Ok(true),
            Err(ConfigError::File { path: missing, source })
                if missing == path && source.kind() == io::ErrorKind::NotFound =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Adds a file. What it says wins over what was there, except over what was final.
    pub fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        self.include(path, 0)
    }

    fn include(&mut self, path: &Path, depth: usize) -> Result<(), ConfigError> {
        let wrong = |what: String| ConfigError::Xml { path: path.to_owned(), what };
        if depth > INCLUDES {
            return Err(wrong(format!("files include one another more than {INCLUDES} deep")));
        }
        let text = read(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        for entry in xml::parse(&text).map_err(wrong)? {
            match entry {
                Entry::Property { name, value, is_final } => self.put(name, value, is_final),
                Entry::Include(href, optional) => {
                    let href = href.strip_prefix("file://").unwrap_or(&href);
                    let other = path.parent().unwrap_or(Path::new("")).join(href);
                    match self.include(&other, depth + 1) {
                        Err(ConfigError::File { source, .. })
                            if optional && source.kind() == io::ErrorKind::NotFound => {}
                        result => result?,
                    }
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, name: String, text: String, is_final: bool) {
        match self.values.get_mut(&name) {
            Some(value) if value.is_final => {}
            Some(value) => *value = Value { text, is_final },
            None => {
                self.values.insert(name, Value { text, is_final });
            }
        }
    }

    /// Sets a key, whatever a file says: what a program's own options are for.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.values.insert(key.into(), Value { text: value.into(), is_final: false });
    }

    /// The variables that `${env.…}` sees from now on, instead of the process's own.
    pub fn set_environment(&mut self, environment: impl IntoIterator<Item = (String, String)>) {
        self.environment = Some(environment.into_iter().collect());
    }

    /// A key's value, expanded and without blanks around it; `None` when it is not set, or empty.
    pub fn get(&self, key: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.values.get(key) else { return Ok(None) };
        let env = |name: &str| match &self.environment {
            Some(environment) => environment.get(name).cloned(),
            None => std::env::var(name).ok(),
        };
        let value = expand(&value.text, |key| self.values.get(key).map(|value| value.text.clone()), env)
            .map_err(|_| ConfigError::Circle { key: key.to_owned() })?;
        Ok(Some(value.trim()).filter(|value| !value.is_empty()).map(str::to_owned))
    }

    /// A list, its parts separated by commas.
    pub fn list(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        let value = self.get(key)?.unwrap_or_default();
        Ok(value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }

    /// Whether a key is true; `default` when it is not set, or neither `true` nor `false`, as in Hadoop.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool, ConfigError> {
        Ok(match self.get(key)?.map(|value| value.to_ascii_lowercase()).as_deref() {
            Some("true") => true,
            Some("false") => false,
            _ => default,
        })
    }

    /// A whole number.
    pub fn number(&self, key: &str, default: i64) -> Result<i64, ConfigError> {
        match self.get(key)? {
            None => Ok(default),
            Some(value) => {
                value.parse().map_err(|_| ConfigError::Value { key: key.to_owned(), value, expected: "a whole number" })
            }
        }
    }

    /// A time that is a number of milliseconds, or a number with one of Hadoop's units (`ms s m h d`).
    pub fn millis(&self, key: &str, default: Duration) -> Result<Duration, ConfigError> {
        let Some(value) = self.get(key)? else { return Ok(default) };
        let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &value[digits.len()..] {
            "" | "ms" => Some(1),
            "s" => Some(1000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        match (digits.trim().parse::<u64>(), unit) {
            (Ok(number), Some(unit)) => Ok(Duration::from_millis(number.saturating_mul(unit))),
            _ => Err(ConfigError::Value {
                key: key.to_owned(),
                value,
                expected: "a number of milliseconds, or a number with ms, s, m, h or d",
            }),
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(LONGEST_FILE).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, body) in files {
            std::fs::write(directory.path().join(name), format!("<configuration xmlns:xi='x'>{body}</configuration>"))
                .unwrap();
        }
        directory
    }

    fn property(name: &str, value: &str) -> String {
        format!("<property><name>{name}</name><value>{value}</value></property>")
    }

    #[test]
    fn directories_are_those_that_the_environment_names() {
        let named = |variables: &[(&str, &str)]| {
            let of = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
            let found = Directories::named(of);
            found.map(|at| (at.common.display().to_string(), at.yarn.display().to_string()))
        };
        let both = |common: &str, yarn: &str| Some((common.to_owned(), yarn.to_owned()));
        assert_eq!(named(&[("HADOOP_CONF_DIR", "/a"), ("HADOOP_HOME", "/h")]), both("/a", "/a"));
        assert_eq!(named(&[("HADOOP_CONF_DIR", ""), ("HADOOP_HOME", "/h")]), both("/h/etc/hadoop", "/h/etc/hadoop"));
        assert_eq!(named(&[("HADOOP_CONF_DIR", "relative"), ("YARN_CONF_DIR", "/b")]), both("relative", "/b"));
    }

    #[test]
    fn the_later_file_wins_except_over_what_is_final() {
        let core =
            format!("{}<property><name>b</name><value>1</value><final>true</final></property>", property("a", "1"));
        let directory = files(&[
            ("core-site.xml", &core),
            ("yarn-site.xml", &(property("a", "2") + &property("b", "2") + &property("c", "${a}${b}"))),
        ]);
        let configuration = Configuration::from_directory(directory.path()).unwrap();
        assert_eq!(configuration.get("c").unwrap().as_deref(), Some("21"));
    }

    #[test]
    fn files_include_others_and_a_circle_of_them_is_an_error() {
        let directory = files(&[
            (
                "core-site.xml",
                "<xi:include href='more.xml'/><xi:include href='missing.xml'><xi:fallback/></xi:include>",
            ),
            ("more.xml", &property("a", "1")),
            ("circle.xml", "<xi:include href='circle.xml'/>"),
        ]);
        let mut configuration = Configuration::from_directory(directory.path()).unwrap();
        assert_eq!(configuration.get("a").unwrap().as_deref(), Some("1"));
        assert!(
            configuration
                .add_file(&directory.path().join("circle.xml"))
                .unwrap_err()
                .to_string()
                .contains("more than 8 deep")
        );
    }

    #[test]
    fn a_directory_without_both_files_is_none() {
        let directory = files(&[]);
        assert!(matches!(Configuration::from_directory(directory.path()), Err(ConfigError::NoDirectory)));
    }

    #[test]
    fn values_are_read_as_what_they_are_meant_to_be() {
        let mut configuration = Configuration::new();
        configuration.set_environment([("HOST".to_owned(), "rm7".to_owned())]);
        configuration.set("address", " ${env.HOST}:8032\n");
        configuration.set("time", "2m");
        configuration.set("bad", "soon");
        configuration.set("list", "a, b,,c ");
        configuration.set("flag", "TRUE");
        assert_eq!(configuration.get("address").unwrap().as_deref(), Some("rm7:8032"));
        assert_eq!(configuration.millis("time", Duration::ZERO).unwrap(), Duration::from_secs(120));
        assert!(
            configuration
                .millis("bad", Duration::ZERO)
                .unwrap_err()
                .to_string()
                .starts_with("bad is \"soon\"; a number of milli")
        );
        assert_eq!(configuration.list("list").unwrap(), ["a", "b", "c"]);
        assert!(configuration.flag("flag", false).unwrap());
        assert_eq!(configuration.number("none", 7).unwrap(), 7);
    }
}
