//! The one call to a NameNode that an application's client needs: a token, so that containers reach HDFS where it asks for Kerberos.
//!
//! Files are no business of this crate.

use std::net::SocketAddr;

use crate::config::HdfsConfig;
use crate::proto::common::{GetDelegationTokenRequestProto, GetDelegationTokenResponseProto};
use crate::rpc::header::Protocol;
use crate::rpc::{Authentication, Client, Error, Repeat};
use crate::types::Token;

const PROTOCOL: Protocol = Protocol { name: "org.apache.hadoop.hdfs.protocol.ClientProtocol", version: 1 };

/// The NameNode of a file system that is active. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NameNode {
    rpc: Client,
    config: HdfsConfig,
}

impl NameNode {
    /// A client of the NameNodes that the configuration names. Connects when the first call is made.
    pub fn new(config: &HdfsConfig, authentication: Authentication) -> Self {
        let rpc = Client::new(PROTOCOL, config.addresses.clone(), authentication, config.options.clone());
        Self { rpc, config: config.clone() }
    }

    /// A token that stands for the caller at the NameNodes, and that `renewer` may renew: the same one for each service by which clients look for it, to be
    /// added to [`Credentials`](crate::credentials::Credentials) under that service's name. None where the NameNode gives none, as without Kerberos.
    pub async fn delegation_tokens(&self, renewer: &str) -> Result<Vec<Token>, Error> {
        let request = GetDelegationTokenRequestProto { renewer: renewer.to_owned() };
        let answer: GetDelegationTokenResponseProto =
            self.rpc.call("getDelegationToken", Repeat::Harmless, &request).await?;
        let Some(token) = answer.token.map(Token::from_proto) else { return Ok(Vec::new()) };
        let mut services = Vec::new();
        match &self.config.name_service {
            // The name alone: the ResourceManager renews each token where its service says, and a NameNode that stands by refuses that.
            Some(name) => services.push(format!("ha-hdfs:{name}")),
            // Hadoop's own clients look by address, those that were told a name by the name.
            None => {
                services.extend(self.config.addresses.iter().cloned());
                for address in &self.config.addresses {
                    services.extend(resolved(address).await);
                }
            }
        }
        services.sort();
        services.dedup();
        Ok(services.into_iter().map(|service| token.for_service(service)).collect())
    }
}

/// Where a host and port lead, as Hadoop's clients write it in tokens: the first address, and the port.
pub(super) async fn resolved(address: &str) -> Option<String> {
    let mut found = tokio::net::lookup_host(address).await.ok()?;
    let first = found.find(SocketAddr::is_ipv4).or_else(|| found.next())?;
    Some(first.to_string())
}
