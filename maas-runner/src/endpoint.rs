//! `endpoint.dat`: what the model says of where it answers, checked, and followed over time. Pure.
//!
//! The file is written by a stranger: it is read through a bound (by [`crate::supervise`]), every value is checked here.
//! Installed scripts write it in place and slowly, so bad content counts only when the same bytes stay for a while.

use maas_client::registry::default_functions;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use url::{Host, Url};

/// Name of the file in the model's working directory.
pub(crate) const FILE: &str = "endpoint.dat";
/// The longest content that is read, bytes.
pub(crate) const MAX_BYTES: usize = 64 << 10;
/// How long the same bad bytes must stay before they count.
pub(crate) const BAD_FOR: Duration = Duration::from_secs(5);
/// How long a file that was good must be away before it counts as withdrawn (one that is written anew is away shortly).
pub(crate) const AWAY_FOR: Duration = Duration::from_secs(1);
/// The most functions an endpoint may name.
const MAX_FUNCTIONS: usize = 100;

/// A checked endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    /// The url as others reach it.
    pub(crate) url: String,
    /// Its published host and port, to connect to.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
    /// True for `https`, which is probed by connecting only.
    pub(crate) tls: bool,
    /// Function name → path below the url.
    pub(crate) functions: BTreeMap<String, String>,
}

/// What is wrong with an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("endpoint.dat has more than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("endpoint.dat is empty")]
    Empty,
    #[error("endpoint.dat is not JSON of the form {{\"url\":\"http://localhost:PORT\"}}: {0}")]
    NotJson(String),
    #[error("endpoint.dat: url {url:?}: {problem}")]
    Url { url: String, problem: String },
    #[error("endpoint.dat: url {url:?} has scheme {scheme}; http or https is needed")]
    Scheme { url: String, scheme: String },
    #[error("endpoint.dat: url {url:?} names host {host}, which is not this machine; localhost is enough")]
    ForeignHost { url: String, host: String },
    #[error("endpoint.dat: url {url:?} has {what}, which an endpoint can't have")]
    Extra { url: String, what: &'static str },
    #[error("endpoint.dat: function {name:?}: {problem}")]
    Function { name: String, problem: &'static str },
}

#[derive(Deserialize)]
struct Wire {
    url: String,
    #[serde(default)]
    functions: Option<BTreeMap<String, String>>,
}

/// Reads the content of the file. `is_own` says whether a host is a name or an address of this machine.
pub(crate) fn parse(bytes: &[u8], advertise: &str, is_own: &dyn Fn(&str) -> bool) -> Result<Published, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge);
    }
    if bytes.trim_ascii().is_empty() {
        return Err(Error::Empty);
    }
    let no_json = |error: serde_json::Error| Error::NotJson(error.to_string());
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).map_err(no_json)?;
    let wire: Wire = serde_json::from_value(object.into()).map_err(no_json)?;
    let shown = shown(&wire.url);
    let wrong = |problem: String| Error::Url { url: shown.clone(), problem };
    let mut url = Url::parse(wire.url.trim()).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::Scheme { url: shown, scheme: url.scheme().to_string() });
    }
    for (present, what) in [
        (!url.username().is_empty() || url.password().is_some(), "a user"),
        (url.query().is_some(), "a query"),
        (url.fragment().is_some(), "a fragment"),
    ] {
        if present {
            return Err(Error::Extra { url: shown, what });
        }
    }
    let port = url.port_or_known_default().filter(|port| *port > 0).ok_or_else(|| wrong("port 0".to_string()))?;
    let host = url.host().ok_or_else(|| wrong("no host".to_string()))?.to_owned();
    let own = match &host {
        Host::Domain(name) => name == "localhost" || name.eq_ignore_ascii_case(advertise) || is_own(name),
        Host::Ipv4(address) => address.is_loopback() || address.is_unspecified() || is_own(&address.to_string()),
        Host::Ipv6(address) => address.is_loopback() || address.is_unspecified() || is_own(&address.to_string()),
    };
    if !own {
        return Err(Error::ForeignHost { url: shown, host: host.to_string() });
    }
    let published = if advertise.contains(':') { format!("[{advertise}]") } else { advertise.to_string() };
    url.set_host(Some(&published)).map_err(|error| wrong(format!("published host {advertise}: {error}")))?;
    let functions = check_functions(wire.functions)?;
    Ok(Published {
        host: advertise.to_string(),
        port,
        tls: url.scheme() == "https",
        // A base without path is published without the slash that the parser adds, as Metron's runner does.
        url: url.as_str().trim_end_matches('/').to_string(),
        functions,
    })
}

/// A url as a reason may show it: bounded, and without what might be a password.
fn shown(url: &str) -> String {
    let bounded: String = url.chars().take(200).collect();
    match (bounded.find("://"), bounded.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}…{}", &bounded[..scheme + 3], &bounded[at..]),
        _ => bounded,
    }
}

fn check_functions(given: Option<BTreeMap<String, String>>) -> Result<BTreeMap<String, String>, Error> {
    let functions = given.filter(|functions| !functions.is_empty()).unwrap_or_else(default_functions);
    let too_many = functions.len() > MAX_FUNCTIONS;
    for (name, path) in &functions {
        let problem = if too_many {
            "there are more than 100 functions"
        } else if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
            "its name is empty, too long or holds control characters"
        } else if path.is_empty() || path.len() > 1024 {
            "its path is empty or too long"
        } else if path.contains("://")
            || path.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#' | '\\'))
            || path.split('/').any(|part| matches!(part, "." | ".."))
        {
            "its path is no path below the url"
        } else {
            continue;
        };
        return Err(Error::Function { name: name.chars().take(128).collect(), problem });
    }
    Ok(functions)
}

/// What the file says now, once it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// There is no file.
    Absent,
    /// It is good.
    Published(Published),
    /// It is wrong, and has been for a while.
    Bad(String),
}

/// Follows the file: fed with every look at it, says when what it means has changed.
#[derive(Debug)]
pub(crate) struct Follower {
    concluded: Conclusion,
    /// The last content (`None`: no file), and since when it is that.
    seen: Option<(Option<Vec<u8>>, Instant)>,
}

impl Default for Follower {
    fn default() -> Self {
        Follower { concluded: Conclusion::Absent, seen: None }
    }
}

impl Follower {
    /// Takes in one look; answers when the conclusion is another than before.
    pub(crate) fn look(
        &mut self,
        content: Option<Vec<u8>>,
        now: Instant,
        parse: impl FnOnce(&[u8]) -> Result<Published, Error>,
    ) -> Option<Conclusion> {
        let since = match &self.seen {
            Some((same, since)) if *same == content => *since,
            _ => {
                self.seen = Some((content.clone(), now));
                now
            }
        };
        let stayed = now.saturating_duration_since(since);
        let concluded = match content.as_deref() {
            None if self.concluded == Conclusion::Absent || stayed >= AWAY_FOR => Conclusion::Absent,
            None => return None,
            Some(bytes) => match parse(bytes) {
                Ok(published) => Conclusion::Published(published),
                Err(error) if stayed >= BAD_FOR => Conclusion::Bad(error.to_string()),
                Err(_) => return None,
            },
        };
        if concluded == self.concluded {
            return None;
        }
        self.concluded = concluded.clone();
        Some(concluded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Published, Error> {
        parse(text.as_bytes(), "node7", &|host| host == "me.example.com" || host == "10.0.0.7")
    }

    #[test]
    fn own_names_become_the_published_host() {
        for host in
            ["localhost", "127.0.0.1", "0.0.0.0", "me.example.com", "10.0.0.7", "node7", "NODE7", "[::1]", "[::]"]
        {
            let found = read(&format!(r#"{{"url":"http://{host}:36161"}}"#)).unwrap();
            assert_eq!(found.url, "http://node7:36161", "{host}");
            assert_eq!((found.host.as_str(), found.port), ("node7", 36161));
            assert_eq!(found.functions, default_functions());
        }
    }

    #[test]
    fn a_path_and_functions_are_kept() {
        let found = read(r#"{"url":"https://localhost/base/","functions":{"apply":"score"},"more":1}"#).unwrap();
        assert_eq!((found.url.as_str(), found.port, found.tls), ("https://node7/base", 443, true));
        assert_eq!(found.functions["apply"], "score");
    }

    #[test]
    fn an_address_of_six_words_is_published_in_brackets() {
        let found = parse(br#"{"url":"http://localhost:1"}"#, "fd00::1", &|_| false).unwrap();
        assert_eq!(found.url, "http://[fd00::1]:1");
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_its_reason() {
        for (text, part) in [
            ("", "empty"),
            ("url: http://localhost:1", "not JSON"),
            ("[]", "not JSON"),
            (r#"{"uri":"http://localhost:1"}"#, "missing field `url`"),
            (r#"{"url":"http://other:1"}"#, "names host other"),
            (r#"{"url":"http://8.8.8.8:1"}"#, "names host 8.8.8.8"),
            (r#"{"url":"http://localhost:99999"}"#, "invalid port"),
            (r#"{"url":"http://localhost:0"}"#, "port 0"),
            (r#"{"url":"ftp://localhost:1"}"#, "scheme ftp"),
            (r#"{"url":"localhost:1"}"#, "scheme localhost"),
            (r#"["http://localhost:1", {}]"#, "not JSON"),
            (r#"{"url":"http://u:p@localhost:1"}"#, "\"http://…@localhost:1\" has a user"),
            (r#"{"url":"http://localhost:1/?q=1"}"#, "has a query"),
            (r#"{"url":"http://localhost:1","functions":{"a":"http://x/"}}"#, "no path below"),
            (r#"{"url":"http://localhost:1","functions":{"a":"x/../y"}}"#, "no path below"),
            (r#"{"url":"http://localhost:1","functions":{"a":"x?y#z"}}"#, "no path below"),
            (r#"{"url":"http://localhost:1","functions":{"":"x"}}"#, "its name is empty"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    fn look(follower: &mut Follower, content: Option<&str>, now: Instant) -> Option<Conclusion> {
        follower.look(content.map(|text| text.as_bytes().to_vec()), now, |bytes| parse(bytes, "node7", &|_| false))
    }

    #[test]
    fn a_file_that_is_written_slowly_is_not_punished() {
        let (mut follower, start) = (Follower::default(), Instant::now());
        let whole = r#"{"url":"http://localhost:36161"}"#;
        for (second, end) in (1..whole.len()).enumerate() {
            let now = start + Duration::from_secs(4 * second as u64);
            assert_eq!(look(&mut follower, Some(&whole[..end]), now), None);
        }
        let now = start + Duration::from_secs(1000);
        assert!(matches!(look(&mut follower, Some(whole), now), Some(Conclusion::Published(_))));
        assert_eq!(look(&mut follower, Some(whole), now), None);
    }

    #[test]
    fn the_same_bad_bytes_count_after_a_while() {
        let (mut follower, start) = (Follower::default(), Instant::now());
        assert_eq!(look(&mut follower, Some("nonsense"), start), None);
        assert_eq!(look(&mut follower, Some("nonsense"), start + BAD_FOR / 2), None);
        let bad = look(&mut follower, Some("nonsense"), start + BAD_FOR);
        assert!(matches!(bad, Some(Conclusion::Bad(_))), "{bad:?}");
        assert_eq!(look(&mut follower, Some("nonsense"), start + BAD_FOR * 2), None);
        assert_eq!(look(&mut follower, None, start + BAD_FOR * 3), None);
        assert_eq!(look(&mut follower, None, start + BAD_FOR * 4), Some(Conclusion::Absent));
    }
}
