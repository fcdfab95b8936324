//! Which hosts may be asked. Pure: names and addresses come as arguments.
//!
//! A name that may be asked can lead anywhere, so the addresses it resolves to are checked as well: those of this machine, of its link (where clouds keep
//! their credentials) and of nobody are refused unless they are listed themselves.

use std::net::IpAddr;

use url::Host;

/// The hosts that may be asked; none at first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    host: HostPattern,
    /// None: any.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Name(String),
    /// All names below this one.
    Below(String),
    Network(IpAddr, u8),
}

/// An entry of the list that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hosts.allowed can't have {0:?}; write HOST, *.DOMAIN, ADDRESS or ADDRESS/PREFIX, each with :PORT or without")]
pub struct BadPattern(pub String);

impl Allowed {
    /// Reads the list.
    pub fn parse<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, BadPattern> {
        let read = |text: &str| pattern(text).ok_or_else(|| BadPattern(text.to_owned()));
        patterns.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether no host at all may be asked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this host may be asked at this port. The addresses of a name are checked by [`Self::permits_address`] when it is resolved.
    pub fn permits(&self, host: &Host<&str>, port: u16) -> bool {
        self.0.iter().filter(|pattern| pattern.port.is_none_or(|only| only == port)).any(|pattern| {
            match (&pattern.host, host) {
                (HostPattern::Name(name), Host::Domain(domain)) => same_name(name, domain),
                (HostPattern::Below(parent), Host::Domain(domain)) => is_below(parent, domain),
                (HostPattern::Network(network, prefix), Host::Ipv4(v4)) => contains(*network, *prefix, (*v4).into()),
                (HostPattern::Network(network, prefix), Host::Ipv6(v6)) => contains(*network, *prefix, (*v6).into()),
                _ => false,
            }
        })
    }

    /// Whether a name that may be asked may lead to this address.
    pub fn permits_address(&self, name: &str, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if !is_special(address) {
            return true;
        }
        let is_here = address.is_loopback() && same_name("localhost", name);
        let listed = |pattern: &Pattern| match &pattern.host {
            HostPattern::Network(network, prefix) => contains(*network, *prefix, address),
            HostPattern::Name(listed) => is_here && same_name("localhost", listed),
            HostPattern::Below(_) => false,
        };
        self.0.iter().any(listed)
    }
}

fn pattern(text: &str) -> Option<Pattern> {
    let (host, port) = match text.rsplit_once(':') {
        // The colon of a bare IPv6 address ends nothing.
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, Some(port.parse().ok()?)),
        _ => (text, None),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Some((address, prefix)) = bare.split_once('/') {
        let (address, prefix): (IpAddr, u8) = (address.parse().ok()?, prefix.parse().ok()?);
        let longest = if address.is_ipv4() { 32 } else { 128 };
        return (prefix <= longest).then_some(Pattern { host: HostPattern::Network(address, prefix), port });
    }
    if let Ok(address) = bare.parse::<IpAddr>() {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        return Some(Pattern { host: HostPattern::Network(address, prefix), port });
    }
    let (name, below) = match host.strip_prefix("*.") {
        Some(parent) => (parent, true),
        None => (host, false),
    };
    // As urls write it, so that both are compared in one form.
    let Ok(Host::Domain(name)) = Host::parse(name) else { return None };
    if name.contains('*') {
        return None;
    }
    let host = if below { HostPattern::Below(name) } else { HostPattern::Name(name) };
    Some(Pattern { host, port })
}

fn same_name(left: &str, right: &str) -> bool {
    left.trim_end_matches('.').eq_ignore_ascii_case(right.trim_end_matches('.'))
}

fn is_below(parent: &str, name: &str) -> bool {
    let (parent, name) = (parent.trim_end_matches('.'), name.trim_end_matches('.'));
    name.len().checked_sub(parent.len() + 1).is_some_and(|at| {
        name.is_char_boundary(at) && name.as_bytes()[at] == b'.' && name[at + 1..].eq_ignore_ascii_case(parent)
    })
}

fn contains(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    let (network, address, bits) = match (network.to_canonical(), address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128_u32),
        _ => return false,
    };
    let shift = bits.saturating_sub(u32::from(prefix));
    shift >= bits || network >> shift == address >> shift
}

/// Addresses of this machine, of its link, and of nobody.
fn is_special(address: IpAddr) -> bool {
    let of_protocol = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast() || v4.octets()[0] == 0,
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    of_protocol || address.is_loopback() || address.is_unspecified() || address.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(allowed: &[&str], url: &str) -> bool {
        let url = url::Url::parse(url).unwrap();
        let allowed = Allowed::parse(allowed.iter().copied()).unwrap();
        allowed.permits(&url.host().unwrap(), url.port_or_known_default().unwrap())
    }

    #[test]
    fn only_listed_hosts_and_ports_may_be_asked() {
        let list = ["api.example", "*.corp.example:8443", "10.1.0.0/16", "[2001:db8::1]:80", "::1"];
        for url in [
            "http://api.example/x",
            "https://API.Example.:9/",
            "https://a.b.corp.example:8443/",
            "http://10.1.255.255/",
            "http://[2001:db8::1]/",
            "http://[::1]:99/",
        ] {
            assert!(permits(&list, url), "{url}");
        }
        for url in [
            "http://api.example.evil/",
            "http://evilapi.example/",
            "http://x.api.example/",
            "https://corp.example:8443/",
            "https://a.corp.example/",
            "https://acorp.example:8443/",
            "http://10.2.0.1/",
            "http://[2001:db8::1]:81/",
            "http://0x0a.2.0.1/",
        ] {
            assert!(!permits(&list, url), "{url}");
        }
        assert!(permits(&list, "http://0x0a.1.1/"), "10.1.0.1 in other words");
        assert!(!permits(&[], "http://api.example/"));
    }

    #[test]
    fn a_name_leads_nowhere_special_unless_the_address_is_listed() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let named = Allowed::parse(["api.example", "localhost"]).unwrap();
        for special in ["127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "::ffff:127.0.0.1"] {
            assert!(!named.permits_address("api.example", address(special)), "{special}");
        }
        assert!(named.permits_address("api.example", address("192.168.1.1")));
        assert!(named.permits_address("localhost", address("127.0.0.1")));
        assert!(!named.permits_address("localhost", address("169.254.169.254")));
        let listed = Allowed::parse(["api.example", "127.0.0.0/8"]).unwrap();
        assert!(listed.permits_address("api.example", address("127.0.0.1")));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["", "*", "http://a.example", "a.example/x", "10.0.0.0/33", "a.example:port", "*.*.example", "a b"] {
            assert_eq!(Allowed::parse([bad]), Err(BadPattern(bad.into())));
        }
    }
}
