//! Who and where this process is: the user it acts for, and the machine's name.

use std::net::IpAddr;

/// This machine's name, as the system has it: often without its domain.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// True when both are names of one machine, be one of them short.
pub fn is_same_host(a: &str, b: &str) -> bool {
    let is_short_of = |short: &str, full: &str| {
        full.strip_prefix(short).is_some_and(|rest| rest.starts_with('.')) && full.parse::<IpAddr>().is_err()
    };
    !a.is_empty() && !b.is_empty() && (a == b || is_short_of(a, b) || is_short_of(b, a))
}

/// Whether `host` is a name or loopback address of the machine called `here`.
pub fn is_this_host(host: &str, here: &str) -> bool {
    let is_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || is_same_host(host, here)
}

/// Who asks: `user@host`.
pub fn user_at_host() -> String {
    format!("{}@{}", user(), host_name())
}

/// The user's name: as the environment says, as the system knows it, or its number.
pub fn user() -> String {
    let named = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    named.unwrap_or_else(|| {
        let uid = rustix::process::getuid().as_raw();
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        user_of(&users, uid).map_or_else(|| format!("uid{uid}"), str::to_string)
    })
}

fn user_of(users: &str, uid: u32) -> Option<&str> {
    let mut lines = users.lines().map(|line| line.split(':').collect::<Vec<&str>>());
    lines.find_map(|fields| match fields.as_slice() {
        [name, _, number, ..] if number.parse() == Ok(uid) => Some(*name),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nodd\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        assert_eq!(user_of(users, 1000), Some("alice"));
        assert_eq!(user_of(users, 7), None);
    }

    #[test]
    fn a_short_name_is_the_same_host_as_its_full_one() {
        assert!(is_same_host("node1", "node1.example.org") && is_same_host("node1.example.org", "node1"));
        assert!(is_same_host("node1", "node1"));
        for (a, b) in [("node1", "node10.example.org"), ("10", "10.0.0.1"), ("", ""), ("a.x", "a.y")] {
            assert!(!is_same_host(a, b), "{a} {b}");
        }
    }

    #[test]
    fn loopback_is_every_machine_itself() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1", "node1", "node1.example.org"] {
            assert!(is_this_host(host, "node1"), "{host}");
        }
        for host in ["node2", "127.example.org", "10.0.0.1", ""] {
            assert!(!is_this_host(host, "node1"), "{host}");
        }
    }
}
