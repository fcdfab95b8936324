//! A short name for a place in ZooKeeper: which servers, which chroot and which configuration node. An application carries it as a tag, so that those of
//! different places on one cluster are told apart. Pure.

use sha2::{Digest, Sha256};

/// What the tag of a place begins with.
pub const TAG: &str = "maas-at-";
/// ZooKeeper's port where none is named.
const PORT: &str = "2181";

/// The tag of a configuration node (`config`) of these servers (`connect`): lower-case ASCII and short, as YARN wants it. The order of the servers, the
/// case of their names and a port that is ZooKeeper's own make no difference; another name of the same server does.
pub fn tag(connect: &str, config: &str) -> String {
    let (servers, chroot) = connect.find('/').map_or((connect, ""), |slash| connect.split_at(slash));
    let mut servers: Vec<String> = servers.split(',').map(with_port).collect();
    servers.sort();
    let place = format!("{}{}{config}", servers.join(","), chroot.trim_end_matches('/'));
    let digits = Sha256::digest(place)[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{TAG}{digits}")
}

fn with_port(server: &str) -> String {
    let server = server.trim().to_ascii_lowercase();
    let has_port = !server.ends_with(']') && server.contains(':');
    if has_port { server } else { format!("{server}:{PORT}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_tag_however_its_servers_are_listed() {
        let place = tag("node1:2181,node2:2182/prod", "/maas/config");
        assert!(place.len() == TAG.len() + 16 && place.is_ascii() && place == place.to_lowercase(), "{place}");
        for same in ["node2:2182,node1:2181/prod", "Node1,node2:2182/prod/"] {
            assert_eq!(tag(same, "/maas/config"), place, "{same}");
        }
        for (connect, config) in [
            ("node1:2181/prod", "/maas/config"),
            ("node1:2181,node2:2182", "/maas/config"),
            ("node1:2181,node2:2182/prod", "/maas/Config"),
            ("[::1],node2:2182/prod", "/maas/config"),
        ] {
            assert_ne!(tag(connect, config), place, "{connect} {config}");
        }
    }
}
