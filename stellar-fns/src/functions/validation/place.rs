//! Addresses, domain names and URLs by the rules of commons-validator. Top level domains are those of the Public Suffix List.

use std::net::Ipv6Addr;

/// Four numbers without leading zeros.
pub(super) fn is_ipv4(text: &str) -> bool {
    let octet = |part: &str| {
        let plain = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain && (part == "0" || !part.starts_with('0')) && part.parse::<u8>().is_ok()
    };
    text.split('.').count() == 4 && text.split('.').all(octet)
}

/// Eight groups, two colons for one or more of zeros, an IPv4 address at the end.
pub(super) fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

/// Labels of letters, digits and inner hyphens below a known top level domain.
pub(super) fn is_domain(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let Some((rest, top)) = name.rsplit_once('.') else { return false };
    let label = |label: &str| {
        let inside = label.chars().all(|char| char.is_alphanumeric() || char == '-');
        inside && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && label(top) && rest.split('.').all(label) && is_top_level(top)
}

fn is_top_level(label: &str) -> bool {
    let known = |name: &str| psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known());
    let lower = label.to_lowercase();
    // Some domains are only listed by what lies below them.
    known(&lower) || known(&format!("a.{lower}"))
}

/// `http`, `https` or `ftp`, a host, perhaps a port, a path, a query, a fragment.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    if !["http", "https", "ftp"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return false;
    }
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    is_authority(authority) && is_path(path) && !query.contains(char::is_whitespace)
}

fn is_authority(authority: &str) -> bool {
    let place = match authority.rsplit_once('@') {
        Some((user, place))
            if !user.is_empty()
                && !user.starts_with(':')
                && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%-._~!$&'()*+,;=:".contains(&byte)) =>
        {
            place
        }
        Some(_) => return false,
        None => authority,
    };
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if is_ipv6(address) => (None, port),
        Some(_) => return false,
        None => {
            let (host, port) = place.split_at(place.find(':').unwrap_or(place.len()));
            (Some(host), port)
        }
    };
    let port =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok());
    port && host.is_none_or(|host| is_ipv4(host) || is_domain(host))
}

fn is_path(path: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-:@&?=+,.!/~*'%$_;()".contains(&byte);
    let mut depth = 0_i32;
    for segment in path.split('/') {
        match segment {
            ".." => depth -= 1,
            "" | "." => {}
            _ => depth += 1,
        }
        if depth < 0 {
            return false;
        }
    }
    path.bytes().all(allowed) && !path.contains("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_part_by_part() {
        for url in ["http://a.com", "https://u:p@a.com:80/x/../y?q=1#f", "ftp://10.0.0.1/", "http://[::1]/"] {
            assert!(is_url(url), "{url}");
        }
        for url in [
            "",
            "a.com",
            "gopher://a.com",
            "http://",
            "http://a.com:99999",
            "http://a.com/x y",
            "http://a.com/../..",
            "http://a.com//x",
            "http://a_b.com",
        ] {
            assert!(!is_url(url), "{url}");
        }
    }

    #[test]
    fn top_level_domains_must_be_known() {
        assert!(is_domain("www.example.ck"));
        assert!(is_domain("a.museum"));
        assert!(!is_domain("com"));
        assert!(!is_domain("a.localdomain"));
    }
}
