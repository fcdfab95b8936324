//! Tokens: what a server gave out, and takes back as proof.

use std::fmt;

use bytes::Bytes;

use super::{ApplicationAttemptId, ContainerId, NodeId};
use crate::proto::common::TokenProto;
use crate::proto::yarn::{AmrmTokenIdentifierProto, ContainerTokenIdentifierProto, NmTokenIdentifierProto};

/// A token: an identifier that says whose it is, and a password that only its holder and its issuer know.
///
/// Its `Debug` form leaves the password out.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token {
    identifier: Bytes,
    password: Bytes,
    kind: String,
    service: String,
}

impl Token {
    /// The kind of the token with which an application master calls the ResourceManager.
    pub const AM_RM: &str = "YARN_AM_RM_TOKEN";
    /// The kind of a token with which an application master calls one NodeManager.
    pub const NODE_MANAGER: &str = "NMToken";
    /// The kind of a token that comes with a container and is handed on to its NodeManager inside the call that starts it.
    pub const CONTAINER: &str = "ContainerToken";
    /// The kind of a token that stands for a user at the ResourceManager.
    pub const RM_DELEGATION: &str = "RM_DELEGATION_TOKEN";
    /// The kind of a token that stands for a user at a NameNode.
    pub const HDFS_DELEGATION: &str = "HDFS_DELEGATION_TOKEN";

    /// A token of its parts.
    pub fn new(
        identifier: impl Into<Bytes>,
        password: impl Into<Bytes>,
        kind: impl Into<String>,
        service: impl Into<String>,
    ) -> Self {
        Self { identifier: identifier.into(), password: password.into(), kind: kind.into(), service: service.into() }
    }

    /// Whose it is and what for: the issuer's own bytes.
    pub fn identifier(&self) -> &[u8] {
        &self.identifier
    }

    /// The secret.
    pub fn password(&self) -> &[u8] {
        &self.password
    }

    /// What it is good for, such as [`Token::AM_RM`].
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The server that it is for, as `ip:port`; empty in the token of an application master. It plays no part on the wire.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The same token for another service.
    #[must_use]
    pub fn for_service(&self, service: impl Into<String>) -> Self {
        Self { service: service.into(), ..self.clone() }
    }

    /// The attempt that an [AM-RM](Token::AM_RM) or [NodeManager](Token::NODE_MANAGER) token was given to.
    pub fn attempt(&self) -> Option<ApplicationAttemptId> {
        use prost::Message as _;
        let attempt = match self.kind.as_str() {
            Self::AM_RM => AmrmTokenIdentifierProto::decode(self.identifier()).ok()?.app_attempt_id,
            Self::NODE_MANAGER => NmTokenIdentifierProto::decode(self.identifier()).ok()?.app_attempt_id,
            _ => None,
        };
        attempt.as_ref().map(ApplicationAttemptId::from_proto)
    }

    /// The node that a [NodeManager token](Token::NODE_MANAGER) is for.
    pub fn node(&self) -> Option<NodeId> {
        use prost::Message as _;
        if self.kind != Self::NODE_MANAGER {
            return None;
        }
        NmTokenIdentifierProto::decode(self.identifier()).ok()?.node_id.as_ref().map(NodeId::from_proto)
    }

    /// The container that a [container token](Token::CONTAINER) starts.
    pub fn container(&self) -> Option<ContainerId> {
        use prost::Message as _;
        if self.kind != Self::CONTAINER {
            return None;
        }
        ContainerTokenIdentifierProto::decode(self.identifier())
            .ok()?
            .container_id
            .as_ref()
            .map(ContainerId::from_proto)
    }

    pub(crate) fn from_proto(token: TokenProto) -> Self {
        Self { identifier: token.identifier, password: token.password, kind: token.kind, service: token.service }
    }

    pub(crate) fn to_proto(&self) -> TokenProto {
        TokenProto {
            identifier: self.identifier.clone(),
            password: self.password.clone(),
            kind: self.kind.clone(),
            service: self.service.clone(),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("kind", &self.kind)
            .field("service", &self.service)
            .field("identifier", &format_args!("{} bytes", self.identifier.len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_printed() {
        let token = Token::new("who", "geheim", Token::AM_RM, "rm:8030");
        let printed = format!("{token:?}");
        assert!(
            printed.contains("YARN_AM_RM_TOKEN") && !printed.contains("geheim") && !printed.contains("103, 101"),
            "{printed}"
        );
    }

    #[test]
    fn an_identifier_of_junk_names_nobody() {
        assert_eq!(Token::new(&[0xff; 9][..], "", Token::AM_RM, "").attempt(), None);
        assert_eq!(Token::new("", "", "other", "").attempt(), None);
    }
}
