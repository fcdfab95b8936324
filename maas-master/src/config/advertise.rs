//! The host name published with every endpoint when `--advertise` says nothing.

use maas_cli::who;
use std::io::Read;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long the resolver may take to tell this machine's full name.
const RESOLVER_PATIENCE: Duration = Duration::from_secs(5);

/// This machine's full name by its resolver, where `hostname` can tell one: the name in /etc/hosts or DNS that stands
/// behind the short one.
fn full_name() -> Option<String> {
    let name = said_by(Command::new("hostname").arg("-f"), RESOLVER_PATIENCE)?.trim().to_string();
    let is_name =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (name.contains('.') && name.split('.').all(is_name)).then_some(name)
}

/// What a command prints; none when it fails or takes longer than `patience`, after which it is killed.
fn said_by(command: &mut Command, patience: Duration) -> Option<String> {
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped()).spawn().ok()?;
    let mut stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text).map(|_| text);
        // Nobody waits any more after the patience is over.
        let _ = sender.send(read.ok());
    });
    let text = receiver.recv_timeout(patience).ok().flatten();
    if text.is_none() {
        // It may have ended in this moment; either way it is waited for.
        let _ = child.kill();
    }
    let ended = child.wait().ok()?;
    text.filter(|_| ended.success())
}

/// 127.0.0.1 when all of ZooKeeper's servers are loopback, else this machine's full name if it resolves here, else
/// the address of the route to ZooKeeper.
pub fn advertised_host(connect: &str) -> String {
    advertised(connect, &[full_name(), Some(who::host_name())], &addresses_of, &route_to)
}

fn advertised(
    connect: &str,
    own_names: &[Option<String>],
    addresses: &dyn Fn(&str, u16) -> Vec<IpAddr>,
    route: &dyn Fn(SocketAddr) -> Option<IpAddr>,
) -> String {
    let servers: Vec<(&str, u16)> = connect.split('/').next().unwrap_or_default().split(',').map(host_port).collect();
    let all_loopback = servers.iter().all(|(host, port)| is_loopback(host, *port, addresses));
    if all_loopback {
        return "127.0.0.1".to_string();
    }
    let resolves_to_more_than_loopback =
        |name: &&String| addresses(name, 0).iter().any(|address| !address.is_loopback());
    let mut names = own_names.iter().flatten();
    if let Some(name) = names.clone().find(resolves_to_more_than_loopback) {
        return name.clone();
    }
    let reached = servers
        .iter()
        .flat_map(|(host, port)| addresses(host, *port).into_iter().map(|address| SocketAddr::new(address, *port)))
        .find_map(route);
    let no_better = || names.next_back().cloned().unwrap_or_default();
    reached.map_or_else(no_better, |address| address.to_string())
}

fn host_port(server: &str) -> (&str, u16) {
    let server = server.trim();
    match server.rsplit_once(':') {
        Some((host, port)) if !server.ends_with(']') => (bare(host), port.parse().unwrap_or(2181)),
        _ => (bare(server), 2181),
    }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_loopback(host: &str, port: u16, addresses: &dyn Fn(&str, u16) -> Vec<IpAddr>) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.is_loopback();
    }
    let found = addresses(host, port);
    host == "localhost" || (!found.is_empty() && found.iter().all(IpAddr::is_loopback))
}

fn addresses_of(host: &str, port: u16) -> Vec<IpAddr> {
    (host, port).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
}

/// Connecting a UDP socket sends nothing; it only makes the kernel choose the route.
fn route_to(server: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(server).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_unspecified()).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(connect: &str, own_resolves: bool) -> String {
        host_called(connect, own_resolves, None)
    }

    fn host_called(connect: &str, own_resolves: bool, full: Option<&str>) -> String {
        let addresses = |host: &str, _port: u16| match host {
            "node1" | "node1.example.org" if own_resolves => vec!["10.0.0.1".parse().unwrap()],
            "zk" => vec!["10.0.0.9".parse().unwrap()],
            "loop" => vec!["127.0.0.1".parse().unwrap()],
            other => other.parse().into_iter().collect(),
        };
        let names = [full.map(str::to_string), Some("node1".to_string())];
        advertised(connect, &names, &addresses, &|_| Some("10.0.0.7".parse().unwrap()))
    }

    #[test]
    fn the_full_name_goes_before_the_short_one_where_it_resolves() {
        assert_eq!(host_called("zk:2181", true, Some("node1.example.org")), "node1.example.org");
        assert_eq!(host_called("zk:2181", true, Some("node1.elsewhere")), "node1");
        assert_eq!(host_called("zk:2181", false, Some("node1.example.org")), "10.0.0.7");
    }

    #[test]
    fn a_command_that_hangs_says_nothing() {
        assert_eq!(said_by(Command::new("sleep").arg("600"), Duration::from_millis(20)), None);
        assert_eq!(said_by(&mut Command::new("false"), Duration::from_secs(60)), None);
        assert_eq!(said_by(Command::new("echo").arg("a.b"), Duration::from_secs(60)).as_deref(), Some("a.b\n"));
    }

    #[test]
    fn loopback_then_full_name_then_route() {
        assert_eq!(host("127.0.0.1:2181,[::1]:2182/chroot", true), "127.0.0.1");
        assert_eq!(host("localhost,loop:1", true), "127.0.0.1");
        assert_eq!(host("127.0.0.1:2181,zk:2181", true), "node1");
        assert_eq!(host("zk:2181/x", false), "10.0.0.7");
        assert_eq!(host("unknown:2181", false), "node1");
    }
}
