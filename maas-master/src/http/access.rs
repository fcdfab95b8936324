//! Which hosts a request may say it is meant for, when it comes from this machine without a token. Pure but for asking
//! the kernel which addresses are this machine's.
//!
//! A page from elsewhere can have its own name resolve to a loopback address and then read what loopback may read. Its
//! requests still carry that name, which is none of ours.

use axum::http::uri::Authority;
use std::net::IpAddr;

/// Whether the text of a Host header means this machine: localhost, one of its addresses, or one of its `names`, be it
/// short. A longer name than ours is none of ours: anybody can have one that begins like it.
pub(super) fn is_meant_for(host: &str, names: &[String]) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let host = authority.host().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    if let Ok(address) = host.parse() {
        return is_this_host(address);
    }
    let is_ours = |name: &String| {
        let name = name.to_ascii_lowercase();
        name.strip_prefix(&host).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    host == "localhost" || names.iter().any(is_ours)
}

/// Loopback, or one of this host's own addresses: only those can be bound here.
pub(super) fn is_this_host(peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    peer.is_loopback() || std::net::UdpSocket::bind((peer, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_names_and_addresses_are_meant() {
        let names = ["node7.example.com".to_string(), "node7".to_string()];
        for ours in [
            "localhost",
            "LOCALHOST:80",
            "localhost.:80",
            "127.0.0.1:9",
            "127.1.2.3",
            "[::1]:9",
            "[::ffff:127.0.0.1]:9",
            "node7:9",
            "Node7.example.com:9",
        ] {
            assert!(is_meant_for(ours, &names), "{ours}");
        }
        for others in
            ["evil.com", "localhost.evil.com:9", "127.0.0.1.evil.com", "node7.evil.com", "192.0.2.1", "", "a b"]
        {
            assert!(!is_meant_for(others, &names), "{others}");
        }
        assert!(is_this_host("::ffff:127.0.0.1".parse().unwrap()) && !is_this_host("192.0.2.1".parse().unwrap()));
    }
}
