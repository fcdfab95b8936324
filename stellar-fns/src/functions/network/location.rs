//! URLs by the rules of `java.net.URL`, cut out of the text without copying.

/// The parts of a URL.
#[derive(Debug)]
pub(super) struct Location<'a> {
    pub protocol: &'static str,
    pub host: &'a str,
    pub port: i32,
    /// What follows the authority: path, query, fragment.
    tail: &'a str,
}

/// Protocols that Java knows, with their ports.
const PROTOCOLS: [(&str, i32); 6] =
    [("http", 80), ("https", 443), ("ftp", 21), ("file", -1), ("jar", -1), ("mailto", -1)];

/// The longest of their names.
const LONGEST: usize = 6;

impl<'a> Location<'a> {
    /// The parts of `url`; none if it is no URL of a known protocol.
    pub(super) fn parse(url: &'a str) -> Option<Self> {
        let url = trimmed(url);
        let url = match url.get(..4) {
            Some(start) if start.eq_ignore_ascii_case("url:") => &url[4..],
            _ => url,
        };
        let colon = url.bytes().take(LONGEST + 1).position(|byte| byte == b':')?;
        let (protocol, rest) = (&url[..colon], &url[colon + 1..]);
        let (protocol, default_port) = *PROTOCOLS.iter().find(|(known, _)| known.eq_ignore_ascii_case(protocol))?;
        let (authority, tail) = match rest.strip_prefix("//") {
            None => (Authority::default(), rest),
            Some(rest) => Authority::parse(rest)?,
        };
        let location = Self { protocol, host: authority.host, port: authority.port.unwrap_or(default_port), tail };
        (protocol != "jar" || location.path().contains("!/")).then_some(location)
    }

    pub(super) fn path(&self) -> &'a str {
        self.tail.split(['?', '#']).next().unwrap_or(self.tail)
    }
}

/// Whether a byte ends an authority or a part of one. A table, since every byte is asked for.
static MARKS: [bool; 256] = {
    let mut marks = [false; 256];
    let mut index = 0;
    while index < 5 {
        marks[b"/?#@:"[index] as usize] = true;
        index += 1;
    }
    marks
};

/// A server's name and the port behind it.
#[derive(Default)]
struct Authority<'a> {
    host: &'a str,
    port: Option<i32>,
}

impl<'a> Authority<'a> {
    /// The authority that `rest` begins with, and what follows it; none where Java refuses the URL.
    fn parse(rest: &'a str) -> Option<(Self, &'a str)> {
        let bytes = rest.as_bytes();
        let (mut end, mut start, mut colon, mut users) = (0, 0, None, 0);
        while let Some(byte) = bytes.get(end) {
            if MARKS[usize::from(*byte)] {
                match byte {
                    b'@' => (start, colon, users) = (end + 1, None, users + 1),
                    b':' => colon = colon.or(Some(end)),
                    _ => break,
                }
            }
            end += 1;
        }
        let (authority, tail) = rest.split_at(end);
        // More than one at sign is no server's name at all.
        if users > 1 {
            return Some((Self::default(), tail));
        }
        let place = &authority[start..];
        let (host, port) = match colon {
            _ if place.starts_with('[') => place.split_at(place.find(']')? + 1),
            Some(colon) => (&authority[start..colon], &authority[colon..]),
            None => (place, ""),
        };
        if host.starts_with('[') && !is_ipv6(&host[1..host.len() - 1]) {
            return None;
        }
        Some((Self { host, port: port_of(port)? }, tail))
    }
}

/// The number behind the colon, if there is one; none where Java refuses it.
fn port_of(port: &str) -> Option<Option<i32>> {
    match port.strip_prefix(':') {
        None if port.is_empty() => Some(None),
        None => None,
        Some("") => Some(None),
        Some(port) => {
            port.parse::<i32>().ok().filter(|port| *port >= -1).map(|port| Some(port).filter(|port| *port >= 0))
        }
    }
}

/// Without blanks and control characters at its ends.
fn trimmed(url: &str) -> &str {
    let mut bytes = url.as_bytes();
    while let [0..=b' ', inner @ ..] = bytes {
        bytes = inner;
    }
    let start = url.len() - bytes.len();
    while let [inner @ .., 0..=b' '] = bytes {
        bytes = inner;
    }
    &url[start..start + bytes.len()]
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
        Location::parse(url).map(|location| (location.protocol, location.host, location.port, location.path()))
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
