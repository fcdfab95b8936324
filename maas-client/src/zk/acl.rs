//! From [`Access`] to ZooKeeper's access lists. Without a credential everything is open.

use super::options::Credential;
use crate::tree::Access;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use zookeeper_client::{Acl, AuthId, Permission};

/// The access lists this tree creates nodes with.
pub(super) struct AccessLists {
    owned: bool,
    /// The runner's right to make and take children; only masters hand it out.
    runner: Option<Acl>,
}

impl AccessLists {
    pub(super) fn new(credential: Option<&Credential>) -> Self {
        let runner = credential.filter(|credential| !credential.is_runner()).map(|credential| {
            let may = Permission::READ | Permission::CREATE | Permission::DELETE;
            Acl::new(may, AuthId::new("digest", &digest_id(&credential.for_runner())))
        });
        AccessLists { owned: credential.is_some(), runner }
    }

    /// The list a node with this access is created with.
    pub(super) fn of(&self, access: Access) -> Vec<Acl> {
        let ours = Acl::new(Permission::ALL, AuthId::authed());
        let world = |permission| Acl::new(permission, AuthId::anyone());
        if !self.owned {
            return vec![world(Permission::ALL)];
        }
        match access {
            Access::Open => vec![world(Permission::ALL)],
            Access::Private => vec![ours],
            Access::WorldReads => vec![ours, world(Permission::READ)],
            Access::WorldCreates => vec![ours, world(Permission::READ | Permission::CREATE)],
            Access::RunnerCreates => {
                let mut list = vec![ours, world(Permission::READ)];
                list.extend(self.runner.clone());
                list
            }
        }
    }
}

/// The id a digest credential has in access lists: its user and a hash.
fn digest_id(credential: &Credential) -> String {
    format!("{}:{}", credential.user(), STANDARD.encode(Sha1::digest(credential.to_line())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_server() {
        // From the server's own DigestAuthenticationProvider for super:test.
        assert_eq!(digest_id(&Credential::parse("super:test").unwrap()), "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
    }

    #[test]
    fn without_a_credential_all_is_open_and_a_runner_hands_out_nothing() {
        let open = AccessLists::new(None).of(Access::Private);
        assert_eq!(open, vec![Acl::new(Permission::ALL, AuthId::anyone())]);
        let master = Credential::parse("maas:x").unwrap();
        assert_eq!(AccessLists::new(Some(&master)).of(Access::RunnerCreates).len(), 3);
        assert_eq!(AccessLists::new(Some(&master.for_runner())).of(Access::RunnerCreates).len(), 2);
    }
}
