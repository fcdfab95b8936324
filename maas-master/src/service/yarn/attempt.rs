//! One attempt of the application, in the container that YARN started for it.
//!
//! It registers and heartbeats before anything else, so that nothing that YARN tells is lost while ZooKeeper is waited
//! for. Only an orderly stop is told to YARN as the application's end: after any other, YARN starts another attempt,
//! which adopts what runs.

use super::order::{CREDENTIAL_SECRET, ORDER_SECRET, Order};
use super::{configured, staging, store_in_hdfs};
use crate::config::Config;
use crate::error::Error;
use crate::launcher::SharedLauncher;
use crate::launcher::yarn::{self, Heart, Yarn};
use crate::reconciler::ApplicationAttempt;
use crate::service::run::http_host;
use hadoop_yarn::client::ResourceManager;
use hadoop_yarn::config::YarnConfig;
use hadoop_yarn::credentials::Credentials;
use hadoop_yarn::rpc::Authentication;
use hadoop_yarn::types::{FinalStatus, Token};
use maas_cli::ErrorCode;
use maas_client::config::Roots;
use maas_client::zk::Credential;
use maas_store::HdfsStore;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long clearing what was staged may hold up the end; the next submission sweeps what stays.
const CLEARING: Duration = Duration::from_secs(20);

/// A registered attempt.
pub(in crate::service) struct Attempt {
    heart: Heart,
    order: Order,
    credentials: Credentials,
    identity: ApplicationAttempt,
}

impl Attempt {
    /// Registers the attempt of this container; the page that YARN leads to is served at `address`.
    pub(in crate::service) async fn begin(config: &mut Config, address: SocketAddr) -> Result<Attempt, Error> {
        let credentials = Credentials::from_environment().map_err(|source| wrong("its token file", source))?;
        let order = credentials.secret(ORDER_SECRET).unwrap_or_default();
        let order: Order = serde_json::from_slice(order).map_err(|source| wrong("its order", source))?;
        let token = credentials.of_kind(Token::AM_RM).cloned().ok_or_else(|| missing("application master's token"))?;
        let attempt = token.attempt().ok_or_else(|| missing("attempt in the application master's token"))?;
        if let Some(line) = credentials.secret(CREDENTIAL_SECRET) {
            let line = String::from_utf8_lossy(line);
            config.credential = Some(Credential::parse(&line).map_err(|source| wrong("its credential", source))?);
        }
        config.env = order.env.clone();
        if let Some(host) = std::env::var("NM_HOST").ok().filter(|host| !host.is_empty()) {
            config.advertise = host;
        }
        let yarn = YarnConfig::from_environment().map_err(configured)?;
        let page = format!("http://{}", http_host(&config.advertise, address.port()));
        // Where names are not taken on trust, nodes and queue are only seen with a token.
        let caller = match credentials.of_kind(Token::RM_DELEGATION) {
            Some(token) => Some(Authentication::Token(token.clone())),
            None => (!yarn.wants_kerberos).then(|| Authentication::simple(order.user.clone())),
        };
        let cluster = caller.map(|caller| ResourceManager::new(&yarn, caller));
        let begun = Heart::begin(&yarn, token, &config.advertise, &page, cluster).await;
        let heart = begun.map_err(|source| Error::Cluster {
            what: format!("attempt {attempt} can't begin"),
            code: ErrorCode::ApplicationFailed,
            source: Some(Box::new(source)),
        })?;
        let number = u32::try_from(attempt.attempt).unwrap_or_default();
        let identity = ApplicationAttempt { application: order.application.clone(), number };
        Ok(Attempt { heart, order, credentials, identity })
    }

    /// The launcher of this attempt.
    pub(in crate::service) fn launcher(&self, config: &Config, roots: &Roots) -> Result<SharedLauncher, Error> {
        let opened = HdfsStore::open(&store_in_hdfs(&config.store)?);
        Ok(Arc::new(Yarn::new(
            &self.heart,
            yarn::Options {
                zookeeper: config.zookeeper.clone(),
                session_timeout: config.session_timeout,
                roots: roots.clone(),
                service_env: config.env.clone(),
                credential_line: config.credential.as_ref().map(|credential| credential.for_runner().to_line()),
                file_system: self.order.file_system.clone(),
                store: opened.map_err(|source| Error::Store { source })?,
                runner: (&self.order.runner).into(),
                credentials: self.credentials.clone(),
            },
        )))
    }

    /// Which one it is.
    pub(in crate::service) fn identity(&self) -> ApplicationAttempt {
        self.identity.clone()
    }

    /// Cancelled when YARN says that it is over.
    pub(in crate::service) fn over(&self) -> CancellationToken {
        self.heart.over()
    }

    /// The application has ended in order: tells YARN, and clears what was staged. The process ends at once after it.
    pub(in crate::service) async fn finish(self, words: &str) {
        tracing::info!("telling YARN that the application has ended");
        if let Err(error) = self.heart.finish(FinalStatus::Succeeded, words).await {
            tracing::warn!(error = %maas_client::reason::chain(&error), "YARN was not told of the end");
        }
        let (file_system, directory) = (self.order.file_system.clone(), self.order.directory.clone());
        let clearing = tokio::task::spawn_blocking(move || staging::clear(&file_system, &directory));
        if !matches!(tokio::time::timeout(CLEARING, clearing).await, Ok(Ok(Ok(())))) {
            tracing::warn!(directory = self.order.directory, "what was staged stays");
        }
    }
}

fn wrong(what: &str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Cluster {
        what: format!("{what} can't be used; --application is for containers that maas_service --on yarn asked for"),
        code: ErrorCode::BadConfig,
        source: Some(Box::new(source)),
    }
}

fn missing(what: &str) -> Error {
    Error::Cluster {
        what: format!("there is no {what} in the container's token file"),
        code: ErrorCode::BadConfig,
        source: None,
    }
}
