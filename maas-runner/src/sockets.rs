//! Which connections to a port are open, from `/proc/net/tcp` and `tcp6`; and which addresses are this machine's.

use std::net::{IpAddr, ToSocketAddrs, UdpSocket};

/// The code of ESTABLISHED in these tables.
const ESTABLISHED: &str = "01";

/// How many established connections a table shows that came in at `port`. Pure.
pub(crate) fn established(table: &str, port: u16) -> usize {
    table
        .lines()
        .skip(1)
        .filter(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let local = fields.next().and_then(|address| address.rsplit_once(':'));
            let state = fields.nth(1);
            local.is_some_and(|(_, hex)| u16::from_str_radix(hex, 16) == Ok(port)) && state == Some(ESTABLISHED)
        })
        .count()
}

/// How many established connections have `port` as their local end now; `None` when the tables can't be read.
///
/// A connection within this machine is counted once: its other end has another port.
pub(crate) fn connections_to(port: u16) -> Option<usize> {
    let mut found = None;
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        if let Ok(text) = std::fs::read_to_string(table) {
            found = Some(found.unwrap_or(0) + established(&text, port));
        }
    }
    found
}

/// True when `host` is an address of this machine, its name, or a name of such an address.
///
/// May ask a name server: call it from a thread that may wait.
pub(crate) fn is_own_host(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return is_own_address(address);
    }
    if host.eq_ignore_ascii_case(&host_name()) {
        return true;
    }
    let mut addresses = (host, 0).to_socket_addrs().into_iter().flatten().peekable();
    addresses.peek().is_some() && addresses.all(|address| is_own_address(address.ip()))
}

/// Only addresses of this machine can be bound.
fn is_own_address(address: IpAddr) -> bool {
    !address.is_multicast() && UdpSocket::bind((address, 0)).is_ok()
}

/// This machine's name.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn only_established_connections_at_that_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue\n\
             0: 0100007F:8D41 00000000:0000 0A 00000000:00000000\n\
             1: 0100007F:8D41 0100007F:C001 01 00000000:00000000\n\
             2: 0100007F:C001 0100007F:8D41 01 00000000:00000000\n\
             3: 0000000000000000FFFF00000100007F:8D41 0000000000000000FFFF00000100007F:C002 01 0:0\n\
             4: 0100007F:8D41 0100007F:C003 06 00000000:00000000\n\
             nonsense\n";
        assert_eq!(established(table, 0x8D41), 2);
        assert_eq!(established(table, 1), 0);
    }

    #[test]
    fn an_open_connection_is_seen_until_it_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(connections_to(port), Some(0));
        let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _server = listener.accept().unwrap();
        assert_eq!(connections_to(port), Some(1));
    }

    #[test]
    fn own_addresses_are_known_and_others_are_not() {
        assert!(is_own_host("127.0.0.1") && is_own_host("localhost") && is_own_host(&host_name()));
        assert!(!is_own_host("192.0.2.1"));
    }
}
