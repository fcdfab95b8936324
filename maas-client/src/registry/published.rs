//! Which urls may be registered and called. Pure. How a model's own url becomes the published one is the runner's.

use url::Url;

/// Why a url can't be called.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_nobody_could_call_are_refused() {
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
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
