//! `--on yarn`: puts the programs into HDFS ([`staging`], [`upload`]), hands the application over ([`submit`]) with tokens where the
//! cluster asks for Kerberos ([`tokens`]) and the timeline domain that is asked for ([`timeline`]), and follows it
//! ([`follow`]) until it leads ([`leading`]) within the time it is given ([`limit`]); and, in the container that YARN starts, is one attempt of it ([`attempt`]).
//!
//! What the attempt is to know travels as one secret of its container's token file ([`order`]). What runs where is
//! [`crate::launcher::yarn`]'s.

mod attempt;
mod follow;
mod leading;
mod limit;
mod order;
mod staging;
mod submit;
mod timeline;
mod tokens;
mod upload;

pub(super) use attempt::Attempt;
pub(super) use submit::submit;

use crate::error::Error;
use hadoop_yarn::config::Configuration;
use hadoop_yarn::rpc::{self, ExceptionKind};
use maas_cli::ErrorCode;
use maas_store::location::{Location, Remote};

/// The cluster's file system as `hdfs://HOST[:PORT]`.
fn file_system(configuration: &Configuration) -> Result<String, Error> {
    let key = "fs.defaultFS";
    let found = configuration.get(key).map_err(configured)?.unwrap_or_default();
    let found = found.trim_end_matches('/');
    match found.strip_prefix("hdfs://") {
        Some(authority) if !authority.is_empty() && !authority.contains('/') => Ok(found.to_string()),
        _ => Err(Error::Cluster {
            what: format!("{key} is {found:?} in core-site.xml; programs and models go through hdfs://HOST:PORT"),
            code: ErrorCode::BadConfig,
            source: None,
        }),
    }
}

/// Where the model store is, which the cluster's nodes read by themselves.
fn store_in_hdfs(store: &str) -> Result<Remote, Error> {
    match store.parse::<Location>() {
        Ok(Location::Hdfs(place)) => Ok(place),
        Ok(_) => Err(Error::Cluster {
            what: format!("the model store {store} is not in HDFS, where the cluster's nodes read"),
            code: ErrorCode::BadStoreUrl,
            source: None,
        }),
        Err(source) => Err(Error::Store { source }),
    }
}

/// A configuration of Hadoop's that can't be used.
fn configured(source: hadoop_yarn::config::ConfigError) -> Error {
    let what =
        "Hadoop's configuration can't be used; set HADOOP_CONF_DIR to the directory of yarn-site.xml".to_string();
    Error::Cluster { what, code: ErrorCode::BadConfig, source: Some(Box::new(source)) }
}

/// A call to the ResourceManager that failed.
fn refused(what: impl Into<String>, source: rpc::Error) -> Error {
    let code = match source.kind() {
        Some(ExceptionKind::AccessControl | ExceptionKind::InvalidToken) => ErrorCode::NotPermitted,
        Some(ExceptionKind::ApplicationNotFound) => ErrorCode::ApplicationFailed,
        Some(ExceptionKind::InvalidResourceRequest | ExceptionKind::InvalidLabel) => ErrorCode::BadRequest,
        _ => ErrorCode::ServerUnreachable,
    };
    Error::Cluster { what: what.into(), code, source: Some(Box::new(source)) }
}
