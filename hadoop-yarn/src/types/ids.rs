//! Ids of applications, attempts, containers and nodes, and their text forms.
//!
//! Digits in the text forms are minimum widths. A container's number starts afresh in every attempt and in every epoch of the ResourceManager, so that only the
//! whole id names a container: the number must never be a key.

use std::fmt;
use std::str::FromStr;

use crate::proto::yarn::{ApplicationAttemptIdProto, ApplicationIdProto, ContainerIdProto, NodeIdProto};

/// Bits of a container's number below the ResourceManager's epoch.
const NUMBER_BITS: u32 = 40;

/// A text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}; one looks like {example}")]
pub struct ParseIdError {
    text: String,
    what: &'static str,
    example: &'static str,
}

impl ParseIdError {
    fn new(text: &str, what: &'static str, example: &'static str) -> Self {
        Self { text: text.chars().take(80).collect(), what, example }
    }
}

/// An application: `application_1795236020553_0004`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationId {
    /// When the ResourceManager that took it was started, in milliseconds since 1970.
    pub cluster_timestamp: i64,
    /// Its number, counted from 1.
    pub id: i32,
}

/// One of the attempts to run an application's master: `appattempt_1795236020553_0004_000001`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationAttemptId {
    /// The application.
    pub application: ApplicationId,
    /// Counted from 1.
    pub attempt: i32,
}

/// A container: `container_1795236020553_0004_01_000002`, or `container_e08_…` when the ResourceManager had been restarted 8 times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId {
    /// The attempt that it was given to. A later attempt may have taken it over.
    pub attempt: ApplicationAttemptId,
    /// Epoch and number in one.
    pub id: i64,
}

/// A NodeManager: `host:port`, exactly as the ResourceManager names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// The host.
    pub host: String,
    /// The port of its calls.
    pub port: u16,
}

impl ContainerId {
    /// How often the ResourceManager had been restarted when it gave the container out.
    pub fn epoch(self) -> i64 {
        self.id >> NUMBER_BITS
    }

    /// Its number within the attempt and the epoch. **Not unique**: it begins again with every attempt and with every epoch.
    pub fn number(self) -> i64 {
        self.id & ((1 << NUMBER_BITS) - 1)
    }
}

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "application_{}_{:04}", self.cluster_timestamp, self.id)
    }
}

impl fmt::Display for ApplicationAttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "appattempt_{}_{:04}_{:06}", self.application.cluster_timestamp, self.application.id, self.attempt)
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ApplicationAttemptId { application, attempt } = self.attempt;
        f.write_str("container_")?;
        if self.epoch() > 0 {
            write!(f, "e{:02}_", self.epoch())?;
        }
        write!(f, "{}_{:04}_{attempt:02}_{:06}", application.cluster_timestamp, application.id, self.number())
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A number that is written in digits alone and not negative.
fn number<T: FromStr>(text: &str) -> Option<T> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

fn parts<const N: usize>(text: &str, prefix: &str) -> Option<[String; N]> {
    let parts: Vec<String> = text.strip_prefix(prefix)?.split('_').map(str::to_owned).collect();
    parts.try_into().ok()
}

impl FromStr for ApplicationId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let [timestamp, id] = parts(text, "application_")?;
            Some(Self { cluster_timestamp: number(&timestamp)?, id: number(&id)? })
        };
        read().ok_or_else(|| ParseIdError::new(text, "application id", "application_1795236020553_0004"))
    }
}

impl FromStr for ApplicationAttemptId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let [timestamp, id, attempt] = parts(text, "appattempt_")?;
            Some(Self {
                application: ApplicationId { cluster_timestamp: number(&timestamp)?, id: number(&id)? },
                attempt: number(&attempt)?,
            })
        };
        read().ok_or_else(|| ParseIdError::new(text, "attempt id", "appattempt_1795236020553_0004_000001"))
    }
}

impl FromStr for ContainerId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let rest = text.strip_prefix("container_")?;
            let (epoch, rest) = match rest.strip_prefix('e') {
                Some(rest) => {
                    let (epoch, rest) = rest.split_once('_')?;
                    (number::<i64>(epoch)?, rest)
                }
                None => (0, rest),
            };
            let [timestamp, id, attempt, container] = parts(rest, "")?;
            let container = number::<i64>(&container)?;
            if epoch >= 1 << (63 - NUMBER_BITS) || container >= 1 << NUMBER_BITS {
                return None;
            }
            let application = ApplicationId { cluster_timestamp: number(&timestamp)?, id: number(&id)? };
            let attempt = ApplicationAttemptId { application, attempt: number(&attempt)? };
            Some(Self { attempt, id: epoch << NUMBER_BITS | container })
        };
        read().ok_or_else(|| ParseIdError::new(text, "container id", "container_1795236020553_0004_01_000002"))
    }
}

impl FromStr for NodeId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (host, port) = text.rsplit_once(':')?;
            Some(Self { host: Some(host).filter(|host| !host.is_empty())?.to_owned(), port: number(port)? })
        };
        read().ok_or_else(|| ParseIdError::new(text, "node id", "node7.example:8041"))
    }
}

impl ApplicationId {
    pub(crate) fn from_proto(id: &ApplicationIdProto) -> Self {
        Self { cluster_timestamp: id.cluster_timestamp(), id: id.id() }
    }

    pub(crate) fn to_proto(self) -> ApplicationIdProto {
        ApplicationIdProto { id: Some(self.id), cluster_timestamp: Some(self.cluster_timestamp) }
    }
}

impl ApplicationAttemptId {
    pub(crate) fn from_proto(id: &ApplicationAttemptIdProto) -> Self {
        Self {
            application: ApplicationId::from_proto(&id.application_id.unwrap_or_default()),
            attempt: id.attempt_id(),
        }
    }

    pub(crate) fn to_proto(self) -> ApplicationAttemptIdProto {
        ApplicationAttemptIdProto { application_id: Some(self.application.to_proto()), attempt_id: Some(self.attempt) }
    }
}

impl ContainerId {
    pub(crate) fn from_proto(id: &ContainerIdProto) -> Self {
        Self { attempt: ApplicationAttemptId::from_proto(&id.app_attempt_id.unwrap_or_default()), id: id.id() }
    }

    pub(crate) fn to_proto(self) -> ContainerIdProto {
        ContainerIdProto { app_id: None, app_attempt_id: Some(self.attempt.to_proto()), id: Some(self.id) }
    }
}

impl NodeId {
    pub(crate) fn from_proto(id: &NodeIdProto) -> Self {
        Self { host: id.host().to_owned(), port: u16::try_from(id.port()).unwrap_or(0) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_text_forms_are_those_of_hadoop() {
        let application = ApplicationId { cluster_timestamp: 1_795_236_020_553, id: 4 };
        let attempt = ApplicationAttemptId { application, attempt: 1 };
        let container = ContainerId { attempt, id: 8_796_093_022_210 };
        assert_eq!(application.to_string(), "application_1795236020553_0004");
        assert_eq!(attempt.to_string(), "appattempt_1795236020553_0004_000001");
        assert_eq!(container.to_string(), "container_e08_1795236020553_0004_01_000002");
        assert_eq!(ContainerId { attempt, id: 2 }.to_string(), "container_1795236020553_0004_01_000002");
        assert_eq!((container.epoch(), container.number()), (8, 2));
    }

    #[test]
    fn what_is_no_id_is_refused_with_an_example() {
        for text in [
            "",
            "application_1",
            "application_1_2_3",
            "application_-1_2",
            "application_+1_2",
            "application_1_99999999999",
        ] {
            assert!(text.parse::<ApplicationId>().is_err(), "{text}");
        }
        for text in ["container_1_2_3", "container_e_1_2_3_4", "container_e1_1_2_3_1099511627776"] {
            assert!(text.parse::<ContainerId>().is_err(), "{text}");
        }
        let error = "job_1_2".parse::<ApplicationId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"job_1_2\" is no application id; one looks like application_1795236020553_0004"
        );
        assert!(":1".parse::<NodeId>().is_err() && "host".parse::<NodeId>().is_err());
    }

    proptest! {
        #[test]
        fn every_id_is_read_back_from_its_text(cluster_timestamp in 0..i64::MAX, id in 0..i32::MAX, attempt in 0..i32::MAX, container in 0..i64::MAX) {
            let attempt = ApplicationAttemptId { application: ApplicationId { cluster_timestamp, id }, attempt };
            let container = ContainerId { attempt, id: container };
            prop_assert_eq!(attempt.application.to_string().parse(), Ok(attempt.application));
            prop_assert_eq!(attempt.to_string().parse(), Ok(attempt));
            prop_assert_eq!(container.to_string().parse(), Ok(container));
        }

        #[test]
        fn arbitrary_text_is_no_panic(text in "(container_|application_|appattempt_)?[e0-9_:]{0,60}") {
            let _ = (text.parse::<ApplicationId>(), text.parse::<ApplicationAttemptId>(), text.parse::<ContainerId>(), text.parse::<NodeId>());
        }
    }
}
