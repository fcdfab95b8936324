//! URLs by the rules of `java.net.URL`, cut out of the text without copying.

/// The parts of a URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Location<'a> {
    pub protocol: &'static str,
    pub host: &'a str,
    pub port: i32,
    pub path: &'a str,
}

/// Protocols that Java knows, with their ports.
const PROTOCOLS: [(&str, i32); 6] =
    [("http", 80), ("https", 443), ("ftp", 21), ("file", -1), ("jar", -1), ("mailto", -1)];

impl<'a> Location<'a> {
    /// The parts of `url`; none if it is no URL of a known protocol.
    pub(super) fn parse(url: &'a str) -> Option<Self> {
        let url = url.trim_matches(|char| char <= ' ');
        let url = if url.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("url:")) { &url[4..] } else { url };
        let (protocol, rest) = url.split_once(':')?;
        let (protocol, default_port) = *PROTOCOLS.iter().find(|(known, _)| known.eq_ignore_ascii_case(protocol))?;
        let rest = rest.split('#').next().unwrap_or(rest);
        let (rest, authority) = match rest.strip_prefix("//") {
            None => (rest, ""),
            Some(rest) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                (&rest[end..], &rest[..end])
            }
        };
        let path = rest.split('?').next().unwrap_or(rest);
        if protocol == "jar" && !path.contains("!/") {
            return None;
        }
        let (host, port) = host_and_port(authority)?;
        Some(Self { protocol, host, port: port.unwrap_or(default_port), path })
    }
}

fn host_and_port(authority: &str) -> Option<(&str, Option<i32>)> {
    let place = match authority.split_once('@') {
        // More than one at sign is no server's name at all.
        Some((_, place)) if place.contains('@') => return Some(("", None)),
        Some((_, place)) => place,
        None => authority,
    };
    let host_end = if place.starts_with('[') { place.find(']')? + 1 } else { place.find(':').unwrap_or(place.len()) };
    let (host, port) = place.split_at(host_end);
    if host.starts_with('[') && !is_ipv6(&host[1..host.len() - 1]) {
        return None;
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Some((host, None)),
        None => None,
        Some("") => Some((host, None)),
        Some(port) => {
            port.parse::<i32>().ok().filter(|port| *port >= -1).map(|port| (host, Some(port).filter(|port| *port >= 0)))
        }
    }
}

/// An address, perhaps with a scope behind `%`.
fn is_ipv6(text: &str) -> bool {
    let (address, scope) = text.split_once('%').unwrap_or((text, "1"));
    !scope.is_empty() && address.parse::<std::net::Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Option<(&'static str, &str, i32, &str)> {
        Location::parse(url).map(|location| (location.protocol, location.host, location.port, location.path))
    }

    #[test]
    fn a_url_is_cut_into_its_parts() {
        assert_eq!(parts("http://me:pw@h.org:81/a/../b/./c?q=1#x"), Some(("http", "h.org", 81, "/a/../b/./c")));
        assert_eq!(parts("https://[::1]/"), Some(("https", "[::1]", 443, "/")));
        assert_eq!(parts("mailto:a@b.c"), Some(("mailto", "", -1, "a@b.c")));
        assert_eq!(parts("http://h?x=/y"), Some(("http", "h", 80, "")));
    }

    #[test]
    fn what_java_refuses_is_no_url() {
        for url in ["", "h.org", "gopher://x", "http://h:port/", "http://h:-5/", "http://[::1", "jar:file:/x"] {
            assert_eq!(parts(url), None, "{url}");
        }
    }
}
