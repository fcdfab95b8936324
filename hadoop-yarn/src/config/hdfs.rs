//! Where the NameNodes of a file system are, for the one call that this crate makes to them.

use super::yarn::{options, principal, wants_kerberos, with_port};
use super::{ConfigError, Configuration};
use crate::rpc::{Authentication, Options, ServicePrincipal};

/// The port of a NameNode that is named without one.
const PORT: u16 = 8020;

/// The NameNodes of one file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HdfsConfig {
    /// The name that stands for all of them, where there are several (`dfs.nameservices`).
    pub name_service: Option<String>,
    /// Host and port of each.
    pub addresses: Vec<String>,
    /// What they are called where Kerberos says who they are (`dfs.namenode.kerberos.principal`).
    pub name_node: ServicePrincipal,
    /// How connections to them are made and kept.
    pub options: Options,
    wants_kerberos: bool,
}

impl HdfsConfig {
    /// The NameNodes of `hdfs://AUTHORITY`: the authority is a host, or a name of `dfs.nameservices`.
    pub fn new(configuration: &Configuration, authority: &str) -> Result<Self, ConfigError> {
        let several = configuration.list("dfs.nameservices")?.iter().any(|name| name == authority);
        let ids = if several { configuration.list(&format!("dfs.ha.namenodes.{authority}"))? } else { Vec::new() };
        let address = |id: &String| {
            let key = format!("dfs.namenode.rpc-address.{authority}.{id}");
            match configuration.get(&key)? {
                Some(address) => with_port(&key, address, PORT),
                None => Err(ConfigError::Missing { key, why: "it is one of the service's NameNodes" }),
            }
        };
        let addresses = match ids.as_slice() {
            [] => vec![with_port("fs.defaultFS", authority.to_owned(), PORT)?],
            ids => ids.iter().map(address).collect::<Result<_, _>>()?,
        };
        Ok(Self {
            name_service: (!ids.is_empty()).then(|| authority.to_owned()),
            addresses,
            name_node: principal(configuration, "dfs.namenode.kerberos.principal")?,
            options: options(configuration)?,
            wants_kerberos: wants_kerberos(configuration)?,
        })
    }

    /// How a client says who it is to a NameNode, as this configuration wants it: by Kerberos, or as this user.
    pub fn authentication(&self, user: impl Into<String>) -> Authentication {
        if self.wants_kerberos {
            Authentication::Kerberos { server: self.name_node.clone() }
        } else {
            Authentication::simple(user)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::yarn::tests::configuration;
    use super::*;

    #[test]
    fn a_host_is_one_name_node_and_a_service_has_those_that_are_listed() {
        let one = HdfsConfig::new(&configuration(&[]), "nn").unwrap();
        assert_eq!((one.name_service, one.addresses), (None, vec!["nn:8020".to_owned()]));
        let pairs = [
            ("dfs.nameservices", "prod,test"),
            ("dfs.ha.namenodes.prod", "a,b"),
            ("dfs.namenode.rpc-address.prod.a", "node1:8020"),
            ("dfs.namenode.rpc-address.prod.b", "node2:9000"),
        ];
        let two = HdfsConfig::new(&configuration(&pairs), "prod").unwrap();
        assert_eq!(two.name_service.as_deref(), Some("prod"));
        assert_eq!(two.addresses, ["node1:8020", "node2:9000"]);
        let error = HdfsConfig::new(&configuration(&pairs[..3]), "prod").unwrap_err();
        assert!(error.to_string().starts_with("dfs.namenode.rpc-address.prod.b is not set"), "{error}");
    }
}
