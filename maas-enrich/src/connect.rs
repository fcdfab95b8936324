//! ZooKeeper for the programs of this crate, and its errors as they tell them.

use std::sync::Arc;

use maas_cli::options::ZooKeeperOptions;
use maas_cli::{ErrorCode, Failure};
use maas_client::tree::{self, SharedTree};
use maas_client::zk::{ZkOptions, ZkTree};

/// Runs a command's future to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(ErrorCode::Defect, "can't start").because(&error))?;
    Ok(runtime.block_on(future))
}

/// A connection as a command needs it: it gives up after a while, and makes nothing.
pub async fn command(options: &ZooKeeperOptions) -> Result<SharedTree, Failure> {
    let address = options.address()?;
    let how = ZkOptions::command(&address.connect, options.timeout());
    let tree: Arc<ZkTree> = ZkTree::connect(how).await.map_err(|error| tree_failure(&error))?;
    Ok(tree)
}

/// ZooKeeper's errors by code.
pub fn tree_failure(error: &tree::Error) -> Failure {
    let code = match error {
        tree::Error::OldServer { .. } => ErrorCode::ZookeeperTooOld,
        tree::Error::NoAuth { .. } => ErrorCode::NotPermitted,
        tree::Error::Invalid { .. } => ErrorCode::Usage,
        tree::Error::TooLarge { .. } => ErrorCode::TooLarge,
        tree::Error::BadVersion { .. } | tree::Error::NodeExists { .. } => ErrorCode::Conflict,
        _ => ErrorCode::ZookeeperUnreachable,
    };
    Failure::of(code, error)
}
