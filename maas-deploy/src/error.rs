//! What can go wrong in any verb, turned into one [`Failure`] with its code at the edge.
//!
//! Each verb builds a [`Failure`] where it knows best what to say; errors of ZooKeeper and of the terminal come here as
//! they are and get their code by an exhaustive match.

use maas_cli::suggest;
use maas_cli::{ErrorCode, Failure};
use maas_client::model::{ModelName, ModelVersion};
use maas_client::picture::Picture;
use maas_client::tree;
use std::collections::BTreeSet;

/// Why a verb did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Said already in the user's terms.
    #[error(transparent)]
    Said(#[from] Failure),
    /// ZooKeeper did not do what was asked of it.
    #[error(transparent)]
    Tree(#[from] tree::Error),
    /// Standard output, or a file of this machine.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// All there is to say has been printed; only the exit code is left.
    #[error("exit {0}")]
    Exit(u8),
}

impl Error {
    /// A failure in the user's terms.
    pub(crate) fn say(code: ErrorCode, message: impl Into<String>) -> Error {
        Error::Said(Failure::new(code, message))
    }

    /// `dgaa` is no model here, with what might have been meant.
    fn no_model(name: &ModelName, known: &BTreeSet<&str>) -> Error {
        let hint = match suggest::closest(name.as_str(), known.iter().copied()) {
            Some(near) => format!("; did you mean {near}?"),
            None if known.is_empty() => "; there are no models here".to_string(),
            None => format!("; there are {}", listed(known.iter().copied())),
        };
        Error::say(ErrorCode::NoModel, format!("no model {name}{hint}"))
    }

    /// `dga has no version 1.1; it has 1.0, 2.0`.
    fn no_version(name: &ModelName, version: &ModelVersion, known: &[&ModelVersion]) -> Error {
        let has = listed(known.iter().map(|version| version.as_str()));
        Error::say(ErrorCode::NoVersion, format!("{name} has no version {version}; it has {has}"))
    }

    /// As a failure, for printing.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Error::Said(failure) => failure,
            Error::Tree(error) => tree_failure(&error),
            Error::Io(error) => io_failure(&error),
            Error::Exit(code) => Failure::new(ErrorCode::Defect, format!("exit {code}")),
        }
    }
}

/// Checks that what a person named is there; says what is there instead.
pub(crate) fn require(picture: &Picture, name: &ModelName, version: Option<&ModelVersion>) -> Result<(), Error> {
    require_among(picture.versions.keys().map(|model| (&model.name, &model.version)), name, version)
}

/// The same among these versions, however they were learnt.
pub(crate) fn require_among<'a>(
    all: impl Iterator<Item = (&'a ModelName, &'a ModelVersion)> + Clone,
    name: &ModelName,
    version: Option<&ModelVersion>,
) -> Result<(), Error> {
    let known: Vec<&ModelVersion> = all.clone().filter(|(of, _)| *of == name).map(|(_, version)| version).collect();
    if known.is_empty() {
        let names: BTreeSet<&str> = all.map(|(name, _)| name.as_str()).collect();
        return Err(Error::no_model(name, &names));
    }
    match version {
        Some(version) if !known.contains(&version) => Err(Error::no_version(name, version, &known)),
        _ => Ok(()),
    }
}

/// At most a dozen words in a row.
fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.len() {
        0..=12 => words.join(", "),
        more => format!("{}, … ({more} in all)", words[..12].join(", ")),
    }
}

/// ZooKeeper's errors by code; none of them is left to a default.
pub(crate) fn tree_failure(error: &tree::Error) -> Failure {
    let code = match error {
        tree::Error::Unreachable { .. } | tree::Error::ConnectionLoss | tree::Error::SessionExpired => {
            ErrorCode::ZookeeperUnreachable
        }
        tree::Error::OldServer { .. } => ErrorCode::ZookeeperTooOld,
        tree::Error::NoAuth { .. } => ErrorCode::NotPermitted,
        tree::Error::TooLarge { .. } => ErrorCode::BadRequest,
        tree::Error::Invalid { .. } => ErrorCode::Usage,
        tree::Error::BadVersion { .. } | tree::Error::NodeExists { .. } | tree::Error::NotEmpty { .. } => {
            ErrorCode::Conflict
        }
        tree::Error::NoNode { .. } => ErrorCode::ZookeeperUnreachable,
        tree::Error::NoChildrenForEphemerals { .. } => ErrorCode::Defect,
    };
    match error {
        tree::Error::NoNode { path } => {
            Failure::new(code, format!("ZooKeeper has no node {path}; make the chroot of -zq first, or leave it out"))
        }
        _ => Failure::of(code, error),
    }
}

fn io_failure(error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorCode::NoSpace,
        std::io::ErrorKind::PermissionDenied => ErrorCode::NotPermitted,
        _ => ErrorCode::Unreadable,
    };
    Failure::of(code, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_model_or_version_is_told_what_there_is() {
        let name: ModelName = "dgaa".parse().unwrap();
        let known = BTreeSet::from(["dga", "fraud"]);
        let failure = Error::no_model(&name, &known).into_failure();
        assert_eq!((failure.message(), failure.exit()), ("no model dgaa; did you mean dga?", 4));
        let failure = Error::no_model(&name, &BTreeSet::from(["fraud"])).into_failure();
        assert_eq!(failure.message(), "no model dgaa; there are fraud");
        let (dga, v): (ModelName, Vec<ModelVersion>) =
            ("dga".parse().unwrap(), ["1.1", "1.0", "2.0"].iter().map(|v| v.parse().unwrap()).collect());
        let failure = Error::no_version(&dga, &v[0], &[&v[1], &v[2]]).into_failure();
        assert_eq!((failure.message(), failure.exit()), ("dga has no version 1.1; it has 1.0, 2.0", 4));
    }

    #[test]
    fn zookeeper_out_of_reach_is_6_and_no_permission_is_9() {
        let exit = |error: tree::Error| Error::from(error).into_failure().exit();
        assert_eq!(exit(tree::Error::ConnectionLoss), 6);
        assert_eq!(exit(tree::Error::Unreachable { detail: "h:1 refused".into() }), 6);
        assert_eq!(exit(tree::Error::NoAuth { path: "/x".into() }), 9);
    }
}
