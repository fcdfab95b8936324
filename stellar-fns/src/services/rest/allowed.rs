//! Which hosts may be asked. Pure: names and addresses come as arguments.
//!
//! A name that may be asked can lead anywhere, so the addresses it resolves to are checked as well: those of this machine, of its link, of nobody, and those at
//! which clouds hand out credentials are refused unless they are listed themselves, also where an IPv6 address carries them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
        let address = plain(address);
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

/// Where clouds hand out credentials and settings, beside the addresses of the link: Alibaba's, Azure's and Oracle's.
const CLOUD_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
/// The same over IPv6: Amazon's and Google's.
const CLOUD_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// The IPv4 address that an IPv6 address leads to: mapped (RFC 4291), translated (RFC 6052 and 8215), or in a tunnel (RFC 3056 and the old compatible form).
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if v6.is_loopback() || v6.is_unspecified() {
        return address;
    }
    let (low, tunnel) = (Ipv4Addr::from_bits(v6.to_bits() as u32), Ipv4Addr::from_bits((v6.to_bits() >> 80) as u32));
    match v6.segments() {
        [0x2002, ..] => tunnel.into(),
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] | [0, 0, 0, 0, 0, 0 | 0xffff, ..] => low.into(),
        _ => address,
    }
}

/// Addresses of this machine, of its link, of nobody, and of a cloud's credentials.
fn is_special(address: IpAddr) -> bool {
    let of_protocol = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast() || v4.octets()[0] == 0 || CLOUD_V4.contains(&v4),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || CLOUD_V6.contains(&v6),
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
        let own = ["127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1", "::", "fe80::1"];
        let of_clouds = ["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"];
        let carried = [
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::127.0.0.1",
            "2002:7f00:1::1",
            "2002:a9fe:a9fe::1",
        ];
        for special in own.into_iter().chain(of_clouds).chain(carried) {
            assert!(!named.permits_address("api.example", address(special)), "{special}");
        }
        for other in ["192.168.1.1", "fd00:ec2::253", "64:ff9b::192.0.2.1", "2002:c000:201::1", "2001:db8::127.0.0.1"] {
            assert!(named.permits_address("api.example", address(other)), "{other}");
        }
        assert!(named.permits_address("localhost", address("127.0.0.1")));
        assert!(!named.permits_address("localhost", address("169.254.169.254")));
        let listed = Allowed::parse(["api.example", "127.0.0.0/8"]).unwrap();
        assert!(listed.permits_address("api.example", address("127.0.0.1")));
        assert!(listed.permits_address("api.example", address("64:ff9b::127.0.0.1")));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["", "*", "http://a.example", "a.example/x", "10.0.0.0/33", "a.example:port", "*.*.example", "a b"] {
            assert_eq!(Allowed::parse([bad]), Err(BadPattern(bad.into())));
        }
    }
}
