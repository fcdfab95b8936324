//! Which urls may be registered, and how a model's own url becomes the published one. Pure.

use url::{Host, Url};

/// Why a url can't be published or called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No url, or one without what callers need.
    #[error("url {url:?}: {why}")]
    NotCallable {
        /// The url, cut to 160 characters.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// It names a host that is not this one.
    #[error("url {url:?} names host {host:?}; localhost or {own:?} is expected")]
    OtherHost {
        /// The url.
        url: String,
        /// The host it names.
        host: String,
        /// The host of this node.
        own: String,
    },
}

fn not_callable(url: &str, why: impl Into<String>) -> Error {
    Error::NotCallable { url: url.chars().take(160).collect(), why: why.into() }
}

/// Parses a base url that callers append a function to: http or https, a host, no user, query or fragment.
pub fn check(url: &str) -> Result<Url, Error> {
    if url.len() > 2048 || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(not_callable(url, "white space, control characters or more than 2048 characters"));
    }
    let parsed = Url::parse(url).map_err(|error| not_callable(url, error.to_string()))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(not_callable(url, format!("scheme {}; http or https is needed", parsed.scheme())));
    }
    if parsed.host_str().is_none_or(str::is_empty) || !url.contains("://") {
        return Err(not_callable(url, "no host"));
    }
    if parsed.port() == Some(0) {
        return Err(not_callable(url, "port 0"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() || url.contains(['?', '#', '\\']) {
        return Err(not_callable(url, "user, query and fragment have no place in a base url"));
    }
    Ok(parsed)
}

/// The url to register: `localhost`, `127.0.0.1` and `0.0.0.0` (and their IPv6 kin) become `host`, the rest of the text
/// stays as the model wrote it. Another host than this node's is refused.
pub fn published_url(url: &str, host: &str) -> Result<String, Error> {
    let parsed = check(url)?;
    let local = match parsed.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    };
    let bare = |host: &str| host.trim_matches(['[', ']']).to_ascii_lowercase();
    let named = parsed.host_str().unwrap_or_default();
    if !local && bare(named) != bare(host) {
        return Err(Error::OtherHost { url: url.to_string(), host: named.to_string(), own: host.to_string() });
    }
    let (scheme, rest) = url.split_once("://").ok_or_else(|| not_callable(url, "no host"))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let after_address = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let port = authority[after_address..].find(':').map_or("", |colon| &authority[after_address + colon..]);
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_string() };
    let published = format!("{}://{host}{port}{path}", scheme.to_ascii_lowercase());
    check(&published)?;
    Ok(published)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_names_become_the_nodes_and_the_rest_stays() {
        for (url, host, expected) in [
            ("http://localhost:36161", "node7", "http://node7:36161"),
            ("http://127.0.0.1:1/a/b/", "node7", "http://node7:1/a/b/"),
            ("https://0.0.0.0", "node7", "https://node7"),
            ("http://LOCALHOST:80", "10.0.0.7", "http://10.0.0.7:80"),
            ("http://[::]:8/x", "fe80::1", "http://[fe80::1]:8/x"),
            ("http://node7:5", "NODE7", "http://NODE7:5"),
            ("http://127.0.0.1:5", "127.0.0.1", "http://127.0.0.1:5"),
        ] {
            assert_eq!(published_url(url, host).unwrap(), expected);
        }
    }

    #[test]
    fn urls_nobody_could_call_are_refused() {
        assert!(matches!(published_url("http://elsewhere:1", "node7"), Err(Error::OtherHost { .. })));
        for bad in [
            "",
            "localhost:1",
            "ftp://localhost:1",
            "http://localhost:99999",
            "http://localhost:0",
            "http://u:p@localhost:1",
            "http://localhost:1/?x",
            "http://localhost:1/#x",
            "http://local host:1",
            "http://\nlocalhost",
            "http://",
            "file:///etc/passwd",
            "http:localhost:1",
            "http:\\\\localhost",
        ] {
            assert!(published_url(bad, "node7").is_err(), "{bad:?}");
        }
    }
}
