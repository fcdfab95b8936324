//! What a container is to run: commands, environment, files.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::{WireEnum as _, wire_enum};
use crate::credentials::Credentials;
use crate::proto::yarn::{
    ApplicationAccessTypeProto, ApplicationAclMapProto, ContainerLaunchContextProto, LocalResourceProto,
    LocalResourceTypeProto, LocalResourceVisibilityProto, StringBytesMapProto, StringLocalResourceMapProto,
    StringStringMapProto, UrlProto,
};

/// What a NodeManager runs in a container, or the ResourceManager as an application's master.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaunchContext {
    /// Files to put into the working directory, by the name that each has there. A name may hold subdirectories.
    ///
    /// Two names for one and the same file give only **one** of them: link the second inside the command.
    pub local_resources: BTreeMap<String, LocalResource>,
    /// What stands in the container's token file. An application master's own AM-RM token must not be in it.
    pub credentials: Option<Credentials>,
    /// Variables, beside those that the NodeManager sets. Values are live shell text: see [`crate::shell::environment_value`].
    ///
    /// Leave PATH out, or give it literally and completely: it is used before it is expanded.
    pub environment: BTreeMap<String, String>,
    /// Words of the command, joined by blanks and run by bash. Live shell text: see [`crate::shell::command`]. Redirections such as
    /// `1><LOG_DIR>/stdout 2><LOG_DIR>/stderr` belong here; `<LOG_DIR>` is put in by the NodeManager.
    pub commands: Vec<String>,
    /// Data for the auxiliary services of NodeManagers, by their names.
    pub service_data: BTreeMap<String, Vec<u8>>,
    /// Who may see and change the application: `user1,user2 group1`, `*` for all, a blank for nobody. Only a master's count.
    pub access: BTreeMap<Access, String>,
}

/// A right on an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// To see its report and logs.
    View,
    /// To kill it.
    Modify,
}

/// A file that a NodeManager fetches before it starts the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalResource {
    /// Where it is, in a file system that the NodeManager knows.
    pub url: ResourceUrl,
    /// Its size in bytes.
    pub size: i64,
    /// Its modification time in milliseconds: must be exactly the file's, or the container fails with exit status -1000.
    pub timestamp: i64,
    /// What to do with it.
    pub kind: ResourceKind,
    /// Who shares the fetched copy.
    pub visibility: Visibility,
}

wire_enum! {
    /// What a NodeManager does with a file.
    ResourceKind from LocalResourceTypeProto {
        /// Unpacks it (`.zip`, `.jar`, `.tar`, `.tar.gz`, `.tgz`); the name in the working directory is then a directory.
        Archive = Archive => "ARCHIVE",
        /// Leaves it as it is, read-only and executable.
        File = File => "FILE",
        /// Unpacks what matches a pattern.
        Pattern = Pattern => "PATTERN",
    }
}

wire_enum! {
    /// Who shares a NodeManager's copy of a file.
    Visibility from LocalResourceVisibilityProto {
        /// Everybody: the file must be readable by all, and the directories above it passable by all.
        Public = Public => "PUBLIC",
        /// The applications of one user.
        Private = Private => "PRIVATE",
        /// The containers of one application.
        Application = Application => "APPLICATION",
    }
}

/// A text that is no place of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no place of a file; one looks like hdfs://namenode:8020/path or file:///path")]
pub struct ParseUrlError(String);

/// Where a file is: `hdfs://namenode:8020/path`. Without scheme and host the NodeManager's default file system is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceUrl {
    /// The file system's scheme; empty for the default one.
    pub scheme: String,
    /// The file system's host, or the name of a name service; may be empty.
    pub host: String,
    /// The port, where there is one.
    pub port: Option<u16>,
    /// The absolute path.
    pub path: String,
}

impl FromStr for ResourceUrl {
    type Err = ParseUrlError;

    /// Takes the path as it stands: no part of it is decoded, as Hadoop doesn't, either.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseUrlError(text.chars().take(200).collect());
        let Some((scheme, rest)) = text.split_once("://") else {
            let path = text.strip_prefix('/').map(|_| text.to_owned()).ok_or_else(bad)?;
            return Ok(Self { scheme: String::new(), host: String::new(), port: None, path });
        };
        if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            return Err(bad());
        }
        let (authority, path) = rest.find('/').map(|at| rest.split_at(at)).ok_or_else(bad)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !port.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| bad())?))
            }
            _ => (authority, None),
        };
        Ok(Self { scheme: scheme.to_owned(), host: host.to_owned(), port, path: path.to_owned() })
    }
}

impl fmt::Display for ResourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}://{}", self.scheme, self.host)?;
            if let Some(port) = self.port {
                write!(f, ":{port}")?;
            }
        }
        f.write_str(&self.path)
    }
}

impl ResourceUrl {
    /// A port that is left out reads as 0, which breaks the address: -1 stands for none.
    fn to_proto(&self) -> UrlProto {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        UrlProto {
            scheme: some(&self.scheme),
            host: some(&self.host),
            port: Some(self.port.map_or(-1, i32::from)),
            file: Some(self.path.clone()),
            user_info: None,
        }
    }
}

impl LocalResource {
    fn to_proto(&self) -> LocalResourceProto {
        LocalResourceProto {
            resource: Some(self.url.to_proto()),
            size: Some(self.size),
            timestamp: Some(self.timestamp),
            r#type: self.kind.to_proto(),
            visibility: self.visibility.to_proto(),
            pattern: None,
            should_be_uploaded_to_shared_cache: None,
        }
    }
}

impl LaunchContext {
    pub(crate) fn to_proto(&self) -> ContainerLaunchContextProto {
        let resource = |(name, resource): (&String, &LocalResource)| StringLocalResourceMapProto {
            key: Some(name.clone()),
            value: Some(resource.to_proto()),
        };
        let variable = |(name, value): (&String, &String)| StringStringMapProto {
            key: Some(name.clone()),
            value: Some(value.clone()),
        };
        let data = |(name, value): (&String, &Vec<u8>)| StringBytesMapProto {
            key: Some(name.clone()),
            value: Some(value.clone()),
        };
        ContainerLaunchContextProto {
            local_resources: self.local_resources.iter().map(resource).collect(),
            tokens: self.credentials.as_ref().map(Credentials::to_bytes),
            service_data: self.service_data.iter().map(data).collect(),
            environment: self.environment.iter().map(variable).collect(),
            command: self.commands.clone(),
            application_ac_ls: self.access.iter().map(|(access, who)| access.to_proto(who)).collect(),
            container_retry_context: None,
            tokens_conf: None,
        }
    }
}

impl Access {
    fn to_proto(self, who: &str) -> ApplicationAclMapProto {
        let access = match self {
            Self::View => ApplicationAccessTypeProto::AppaccessViewApp,
            Self::Modify => ApplicationAccessTypeProto::AppaccessModifyApp,
        };
        ApplicationAclMapProto { access_type: Some(access.into()), acl: Some(who.to_owned()) }
    }

    pub(crate) fn from_proto(entry: &ApplicationAclMapProto) -> Option<(Self, String)> {
        let access = match ApplicationAccessTypeProto::try_from(entry.access_type?).ok()? {
            ApplicationAccessTypeProto::AppaccessViewApp => Self::View,
            ApplicationAccessTypeProto::AppaccessModifyApp => Self::Modify,
        };
        Some((access, entry.acl().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_printed() {
        for text in [
            "hdfs://nn:8020/a b%20c",
            "hdfs://service/x",
            "file:///tmp/x",
            "/user/alice",
            "hdfs://[::1]:8020/x",
            "hdfs://[::1]/x",
        ] {
            assert_eq!(text.parse::<ResourceUrl>().unwrap().to_string(), text);
        }
        for text in ["", "relative", "hdfs://nn", "://x/y", "hdfs://nn:port/x", "h\u{e4}:///x"] {
            assert!(text.parse::<ResourceUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_without_port_says_so() {
        assert_eq!("file:///tmp/x".parse::<ResourceUrl>().unwrap().to_proto().port, Some(-1));
    }
}
