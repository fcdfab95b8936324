//! Who submits on a cluster with Kerberos, and the tokens that the application goes by: its containers have no ticket.

use super::{configured, refused};
use crate::error::Error;
use hadoop_yarn::client::{NameNode, ResourceManager};
use hadoop_yarn::config::{Configuration, HdfsConfig, YarnConfig};
use hadoop_yarn::credentials::Credentials;
use hadoop_yarn::rpc::SaslError;
use maas_cli::ErrorCode;

/// In whose name the application is submitted.
pub(super) fn user(yarn: &YarnConfig) -> Result<String, Error> {
    if !yarn.wants_kerberos {
        return YarnConfig::user().map_err(configured);
    }
    hadoop_yarn::rpc::ticket_owner().map_err(|source| match source {
        SaslError::WithoutKerberos => Error::Cluster {
            what: "this cluster asks for Kerberos; build maas_service and maas_master with the feature kerberos"
                .to_string(),
            code: ErrorCode::BadConfig,
            source: None,
        },
        source => Error::Cluster {
            what: "this cluster asks for Kerberos".to_string(),
            code: ErrorCode::NotPermitted,
            source: Some(Box::new(source)),
        },
    })
}

/// Puts the tokens that the application needs into its credentials: none where names are taken on trust.
pub(super) async fn add_tokens(
    credentials: &mut Credentials,
    configuration: &Configuration,
    yarn: &YarnConfig,
    cluster: &ResourceManager,
    file_system: &str,
) -> Result<(), Error> {
    if !yarn.wants_kerberos {
        return Ok(());
    }
    let renewer = yarn.renewer().ok_or_else(|| Error::Cluster {
        what: "yarn.resourcemanager.principal is not set; it renews the application's tokens".to_string(),
        code: ErrorCode::BadConfig,
        source: None,
    })?;
    let authority = file_system.strip_prefix("hdfs://").unwrap_or(file_system);
    let hdfs = HdfsConfig::new(configuration, authority).map_err(configured)?;
    let name_node = NameNode::new(&hdfs, hdfs.authentication(""));
    let tokens = name_node.delegation_tokens(&renewer).await;
    let mut tokens = tokens.map_err(|error| refused(format!("{file_system} gives no token"), error))?;
    tokens.push(cluster.delegation_token(&renewer).await.map_err(|error| refused("YARN gives no token", error))?);
    for token in tokens {
        credentials.add(token.service().to_string(), token);
    }
    Ok(())
}
