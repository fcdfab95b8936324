//! Which server may answer where Kerberos says who it is. Pure, but for the names that the caller resolves.

use std::net::IpAddr;

use super::SaslError;

/// What is put in place of the server's host in a configured principal.
const HOST: &str = "_HOST";

/// A server's principal as the configuration names it, such as `rm/_HOST@EXAMPLE.COM`.
///
/// A server that calls itself something else is refused before it is sent anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePrincipal {
    /// The key that it comes from, for messages.
    pub key: String,
    /// The principal; `_HOST` stands for the host that is connected to. `None` when it is not configured: then `pattern` must fit.
    pub name: Option<String>,
    /// What the server's principal may be instead, with `*` for any text (`….principal.pattern`).
    pub pattern: Option<String>,
}

/// Whom a connection leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The host, as it was configured.
    pub(crate) host: String,
    /// Where the connection leads.
    pub(crate) address: IpAddr,
}

impl ServicePrincipal {
    /// The principal to authenticate to, of a server that calls itself `service/host`. `resolve` tells the addresses of a host: where the configuration
    /// names an address instead of a host, the server's own name for itself must lead there.
    pub(super) fn accept(
        &self,
        service: &str,
        host: &str,
        peer: &Peer,
        resolve: impl Fn(&str) -> Vec<IpAddr>,
    ) -> Result<String, SaslError> {
        let offered = format!("{service}/{host}");
        let refuse = |expected: &str| SaslError::Principal {
            offered: offered.chars().take(200).collect(),
            expected: expected.to_owned(),
            key: self.key.clone(),
        };
        if let Some(pattern) = &self.pattern {
            let bare = pattern.split_once('@').map_or(pattern.as_str(), |(name, _)| name);
            return if fits(&offered, bare) { Ok(with_realm(offered, pattern)) } else { Err(refuse(pattern)) };
        }
        let Some(name) = &self.name else { return Err(SaslError::NoPrincipal { key: self.key.clone() }) };
        let bare = name.split_once('@').map_or(name.as_str(), |(bare, _)| bare);
        let (expected_service, expected_host) = bare.split_once('/').unwrap_or((bare, ""));
        let same_host = match expected_host {
            HOST if peer.host.parse::<IpAddr>().is_ok() => resolve(host).contains(&peer.address),
            HOST => host.eq_ignore_ascii_case(&peer.host),
            named => host.eq_ignore_ascii_case(named),
        };
        if service == expected_service && same_host { Ok(with_realm(offered, name)) } else { Err(refuse(name)) }
    }
}

/// Whom the process has a Kerberos ticket of, by the first part of the principal: `alice` for `alice@EXAMPLE.COM` and for `alice/admin@EXAMPLE.COM`.
///
/// A cluster whose `hadoop.security.auth_to_local` has rules of its own may take the caller for somebody else. May wait for a key distribution centre.
pub fn ticket_owner() -> Result<String, SaslError> {
    let principal = super::gssapi::principal()?;
    Ok(principal.split(['/', '@']).next().unwrap_or_default().to_owned())
}

/// A name with the realm of another, where that has one that is no pattern.
fn with_realm(name: String, other: &str) -> String {
    match other.split_once('@') {
        Some((_, realm)) if !realm.is_empty() && !realm.contains('*') => format!("{name}@{realm}"),
        _ => name,
    }
}

/// Whether a text is what a pattern says: `*` is any text.
fn fits(text: &str, pattern: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return text == pattern };
    let Some(rest) = text.strip_prefix(before) else { return false };
    rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| fits(&rest[at..], after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn principal(name: &str) -> ServicePrincipal {
        ServicePrincipal {
            key: "yarn.resourcemanager.principal".to_owned(),
            name: Some(name.to_owned()),
            pattern: None,
        }
    }

    fn peer(host: &str) -> Peer {
        Peer { host: host.to_owned(), address: [127, 0, 0, 1].into() }
    }

    fn nowhere(_: &str) -> Vec<IpAddr> {
        Vec::new()
    }

    #[test]
    fn the_host_in_a_principal_is_the_one_that_is_connected_to() {
        let rm = principal("rm/_HOST@EXAMPLE.COM");
        assert_eq!(rm.accept("rm", "node7", &peer("Node7"), nowhere).unwrap(), "rm/node7@EXAMPLE.COM");
        let error = rm.accept("rm", "node8", &peer("node7"), nowhere).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server calls itself rm/node8 and yarn.resourcemanager.principal is rm/_HOST@EXAMPLE.COM"
        );
        assert!(rm.accept("nm", "node7", &peer("node7"), nowhere).is_err());
    }

    #[test]
    fn where_an_address_is_configured_the_name_must_lead_to_it() {
        let rm = principal("rm/_HOST@EXAMPLE.COM");
        let resolve = |host: &str| if host == "localhost" { vec![IpAddr::from([127, 0, 0, 1])] } else { Vec::new() };
        assert_eq!(rm.accept("rm", "localhost", &peer("127.0.0.1"), resolve).unwrap(), "rm/localhost@EXAMPLE.COM");
        assert!(rm.accept("rm", "elsewhere", &peer("127.0.0.1"), resolve).is_err());
    }

    #[test]
    fn a_principal_without_a_placeholder_and_a_pattern_are_taken_as_they_stand() {
        assert_eq!(principal("rm/a@R").accept("rm", "a", &peer("b"), nowhere).unwrap(), "rm/a@R");
        let pattern = ServicePrincipal { pattern: Some("rm/*.example.com@R".to_owned()), ..principal("rm/_HOST@R") };
        assert_eq!(pattern.accept("rm", "x.example.com", &peer("y"), nowhere).unwrap(), "rm/x.example.com@R");
        assert!(pattern.accept("rm", "x.example.org", &peer("y"), nowhere).is_err());
        let none = ServicePrincipal { name: None, ..principal("") };
        assert!(none.accept("rm", "a", &peer("a"), nowhere).unwrap_err().to_string().contains("is not set"));
    }

    proptest! {
        #[test]
        fn arbitrary_names_are_no_panic(service in ".{0,20}", host in ".{0,20}", name in ".{0,20}", pattern in prop::option::of("[a*/@]{0,12}")) {
            let principal = ServicePrincipal { name: Some(name), pattern, key: String::new() };
            let _ = principal.accept(&service, &host, &peer("h"), nowhere);
        }
    }
}
