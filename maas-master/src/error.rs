//! What can go wrong that a user can cause, and the exit code of each. Printed once, at the edge.

use maas_cli::{ErrorCode, Failure};
use maas_client::state::Leader;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What every command checks alike.
    #[error(transparent)]
    Cli(#[from] Failure),
    /// A setting of a flag, a file or the environment that can't be used.
    #[error(transparent)]
    Config(#[from] crate::config::Error),
    /// `--on yarn` or `--on ec2`.
    #[error("--on {on} is not built in this version; {missing}; run models on this machine with --on local")]
    NotBuilt {
        /// Which was asked for.
        on: &'static str,
        /// What is missing.
        missing: &'static str,
    },
    /// A cluster said no, or nothing.
    #[error("{what}")]
    Cluster {
        /// What was not done, and what to do.
        what: String,
        /// Which of the fixed codes it has.
        code: ErrorCode,
        /// What it said.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// `stop` of an application's master without `--with-models`.
    #[error("the models of {application} end with it; say so with --with-models")]
    EndsModels {
        /// The application.
        application: String,
    },
    /// A program that is to be sent to the cluster is missing.
    #[error("no {}; install it beside this program", path.display())]
    NoProgram {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The model store's url.
    #[error("the model store can't be used; choose another with --store URL")]
    Store {
        /// What the store says.
        #[source]
        source: maas_store::store::Error,
    },
    /// The runner's program is missing.
    #[error("no maas_runner at {}; install it beside this program, or give --runner PATH", path.display())]
    NoRunner {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// ZooKeeper said no, or nothing.
    #[error("{doing}")]
    ZooKeeper {
        /// What was being done.
        doing: String,
        /// What it said.
        #[source]
        source: maas_client::tree::Error,
    },
    /// The configuration node can't be used.
    #[error("ZooKeeper's configuration node can't be used; mend it or choose another with -zr")]
    Roots(#[from] maas_client::config::Error),
    /// The state directory is another running master's.
    #[error("{} is used by the master with pid {pid}; stop it, or choose another --state-dir", dir.display())]
    StateDirBusy {
        /// The directory.
        dir: PathBuf,
        /// The other master's pid, as it wrote it.
        pid: String,
    },
    /// A file or directory that is needed.
    #[error("can't {doing} {}", path.display())]
    File {
        /// `make`, `read`, `write`, `lock` …
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The HTTP address is taken, or not ours.
    #[error("can't listen on {address}; choose another with --http ADDR:PORT")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The state in ZooKeeper was written by a newer master.
    #[error("the state in ZooKeeper has format {found}, this version knows {known}; use the newer maas_service")]
    NewerFormat {
        /// What was found.
        found: u32,
        /// What is known.
        known: u32,
    },
    /// The state in ZooKeeper does not say by which master it was written.
    #[error("node {path} does not say which format the state has; delete it if no newer maas_service wrote it")]
    UnreadableFormat {
        /// The node.
        path: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// No master leads.
    #[error("no master leads on {zookeeper}; start one with maas_service -zq {zookeeper}")]
    NoLeader {
        /// ZooKeeper's connect string.
        zookeeper: String,
    },
    /// `stop` waited in vain.
    #[error("{} on {} (pid {}) did not stop in {seconds} s; it is still told to, see its log", "the master", leader.host, leader.pid)]
    StopTimedOut {
        /// Who leads still.
        leader: Box<Leader>,
        /// How long it was waited for.
        seconds: u64,
    },
    /// `--detach`: the child ended before it was ready.
    #[error("the master ended before it was ready ({status}); its log is {}", log.display())]
    DetachedEnded {
        /// How it ended.
        status: String,
        /// Its exit code.
        code: i32,
        /// Its log.
        log: PathBuf,
    },
    /// `--detach`: not ready in time.
    #[error("the master was not ready after {seconds} s and was ended; its log is {}; give it longer with -t MS", log.display())]
    DetachTimedOut {
        /// How long it was waited for.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// The reconciler gave up.
    #[error("the master stopped")]
    Master(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The runtime, threads, standard output.
    #[error("can't {doing}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// The failure as it is printed: its code, from which the exit code follows, and its causes.
    pub fn failure(&self) -> Failure {
        match self {
            Error::Cli(failure) => failure.clone(),
            other => Failure::of(other.code(), other),
        }
    }

    /// The exit code of this failure.
    pub fn exit(&self) -> u8 {
        match self {
            // The child has said by its exit code what went wrong with it.
            Error::DetachedEnded { code, .. } => u8::try_from(*code).unwrap_or(maas_cli::exit::DEFECT),
            other => other.failure().exit(),
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Error::Cli(failure) => failure.code(),
            Error::Config(_) => ErrorCode::BadConfig,
            Error::NotBuilt { .. } | Error::EndsModels { .. } => ErrorCode::Usage,
            Error::Cluster { code, .. } => *code,
            Error::NoRunner { .. } | Error::NoProgram { .. } => ErrorCode::NoTool,
            Error::Store { source } => source.code().parse().unwrap_or(ErrorCode::BadStoreUrl),
            Error::ZooKeeper { source, .. } => zookeeper_code(source),
            Error::Roots(_) => ErrorCode::ConfigNode,
            Error::NewerFormat { .. } | Error::UnreadableFormat { .. } => ErrorCode::NewerFormat,
            Error::StateDirBusy { .. } => ErrorCode::StateDirTaken,
            Error::Listen { .. } => ErrorCode::PortTaken,
            Error::NoLeader { .. } => ErrorCode::NoMaster,
            Error::StopTimedOut { .. } | Error::DetachTimedOut { .. } => ErrorCode::TimedOut,
            Error::File { source, .. } => match source.kind() {
                std::io::ErrorKind::PermissionDenied => ErrorCode::NotPermitted,
                std::io::ErrorKind::StorageFull => ErrorCode::NoSpace,
                _ => ErrorCode::BadConfig,
            },
            Error::DetachedEnded { .. } | Error::Master(_) | Error::System { .. } => ErrorCode::Defect,
        }
    }
}

fn zookeeper_code(error: &maas_client::tree::Error) -> ErrorCode {
    use maas_client::tree::Error as Tree;
    match error {
        Tree::NoAuth { .. } => ErrorCode::NotPermitted,
        Tree::Invalid { .. } => ErrorCode::Usage,
        Tree::OldServer { .. } => ErrorCode::ZookeeperTooOld,
        Tree::NoNode { .. }
        | Tree::NodeExists { .. }
        | Tree::BadVersion { .. }
        | Tree::NotEmpty { .. }
        | Tree::NoChildrenForEphemerals { .. }
        | Tree::TooLarge { .. } => ErrorCode::Conflict,
        Tree::ConnectionLoss | Tree::SessionExpired | Tree::Unreachable { .. } => ErrorCode::ZookeeperUnreachable,
    }
}
