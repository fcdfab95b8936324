//! From settings to the launcher they ask for.

use crate::cli::On;
use crate::config::Config;
use crate::error::Error;
use crate::launcher::SharedLauncher;
use maas_client::config::Roots;

/// Refuses what this version can't do.
pub(super) fn check(config: &Config) -> Result<(), Error> {
    match config.launcher.on {
        On::Local => Ok(()),
        On::Yarn => Err(Error::NotBuilt { on: "yarn", missing: "the YARN launcher is missing" }),
        On::Ec2 => Err(Error::NotBuilt { on: "ec2", missing: "the EC2 launcher is missing" }),
    }
}

pub(super) fn local(_config: &Config, _roots: &Roots) -> Result<SharedLauncher, Error> {
    Ok(std::sync::Arc::new(Idle(tokio::sync::watch::channel(0).0)))
}

struct Idle(tokio::sync::watch::Sender<u64>);
#[async_trait::async_trait]
impl crate::launcher::Launcher for Idle {
    fn kind(&self) -> &'static str {
        "local"
    }
    fn place(&self) -> (String, Option<String>) {
        ("127.0.0.1".into(), None)
    }
    async fn ensure(&self, _asks: Vec<crate::launcher::Ask>) {}
    async fn kill(&self, _id: &str, _record: &maas_client::state::InstanceRecord) {}
    async fn observe(
        &self,
        _known: &std::collections::BTreeMap<String, maas_client::state::InstanceRecord>,
    ) -> crate::launcher::Report {
        Default::default()
    }
    async fn forget(&self, _id: &str, _model: &maas_client::model::ModelId, _exit: Option<&maas_client::launch::Exit>) {
    }
    fn logs(&self, _id: &str) -> Option<crate::launcher::LogFiles> {
        None
    }
    fn changed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.0.subscribe()
    }
}
