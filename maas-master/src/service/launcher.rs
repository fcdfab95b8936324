//! From settings to the launcher they ask for.

use super::yarn::Attempt;
use crate::cli::On;
use crate::config::Config;
use crate::error::Error;
use crate::launcher::SharedLauncher;
use crate::launcher::local::{self, Local};
use crate::payload::Payloads;
use crate::payload::store::StoreSource;
use maas_client::config::Roots;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Refuses what this version can't do.
pub(super) fn check(config: &Config) -> Result<(), Error> {
    match config.launcher.on {
        On::Local | On::Yarn => Ok(()),
        On::Ec2 => Err(Error::NotBuilt { on: "ec2", missing: "the EC2 launcher is missing" }),
    }
}

/// Where instances run: on this machine, or in the cluster whose application this is an attempt of.
pub(super) fn of(config: &Config, roots: &Roots, attempt: Option<&Attempt>) -> Result<SharedLauncher, Error> {
    match attempt {
        Some(attempt) => attempt.launcher(config, roots),
        None => local(config, roots),
    }
}

/// Processes of this machine.
fn local(config: &Config, roots: &Roots) -> Result<SharedLauncher, Error> {
    let runner = match &config.runner {
        Some(path) => path.clone(),
        None => beside_this_program()?,
    };
    if !runner.is_file() {
        return Err(Error::NoRunner { path: runner });
    }
    Ok(Arc::new(Local::new(local::Options {
        node: maas_cli::who::host_name(),
        state_dir: absolute(&config.state_dir)?,
        runner: absolute(&runner)?,
        zookeeper: config.zookeeper.clone(),
        session_timeout: config.session_timeout,
        roots: roots.clone(),
        service_env: config.env.clone(),
        advertise: config.advertise.clone(),
        cgroup: config.cgroup.clone(),
        capacity: config.capacity,
        limits_vcores: config.limits_vcores,
        label: String::new(),
        credential_line: config.credential.as_ref().map(|credential| credential.for_runner().to_line()),
    })))
}

/// Payloads from the model store, cached in the state directory. A cluster's nodes fetch the files by themselves.
pub(super) fn payloads(config: &Config) -> Result<Payloads, Error> {
    let store = maas_store::location::open(&config.store).map_err(|source| Error::Store { source })?;
    let cache = absolute(&config.state_dir)?.join("cache");
    let source = match config.launcher.on {
        On::Yarn => StoreSource::of_manifests(store, cache),
        On::Local | On::Ec2 => StoreSource::new(store, cache),
    };
    Ok(Payloads::new(Arc::new(source)))
}

fn beside_this_program() -> Result<PathBuf, Error> {
    let program = std::env::current_exe().map_err(|source| Error::System { doing: "find this program", source })?;
    Ok(program.with_file_name("maas_runner"))
}

/// Runners have their own working directory: what they are told must not depend on ours.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|source| Error::File { doing: "find", path: path.to_path_buf(), source })
}
