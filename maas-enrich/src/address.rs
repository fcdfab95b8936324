//! Where lines come from and documents go to, as the command line writes it: `kafka://HOST:PORT/TOPIC`, `file:PATH`, `-`, `es+http://HOST:PORT`, `null`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use reqwest::Url;
use thiserror::Error as ThisError;

/// A source or a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A topic.
    Kafka {
        /// `HOST:PORT,…`.
        brokers: String,
        /// The topic; none: what the sensor's configuration names.
        topic: Option<String>,
    },
    /// A file.
    File(PathBuf),
    /// Standard input or output.
    Standard,
    /// A search server.
    Search(SearchUrl),
    /// Nowhere: what is written is dropped.
    Null,
}

/// A search server's base url. The user and the password in it are for the server alone: they are neither shown nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct SearchUrl {
    /// As requests need it.
    whole: Url,
    /// Without user and password.
    shown: String,
}

impl SearchUrl {
    /// With user and password.
    pub(crate) fn whole(&self) -> &str {
        self.whole.as_str().trim_end_matches('/')
    }

    /// Whether it says who asks.
    pub fn has_user(&self) -> bool {
        !self.whole.username().is_empty() || self.whole.password().is_some()
    }

    /// The same for this user, unless it names one itself.
    #[must_use]
    pub fn with_user(&self, user: &str, password: &str) -> Self {
        let mut named = self.clone();
        if !self.has_user() {
            // All else that needs it is encoded by the url itself.
            let encoded = |text: &str| text.replace('%', "%25");
            // An http url can have both.
            let _ = named.whole.set_username(&encoded(user));
            let _ = named.whole.set_password(Some(&encoded(password)));
        }
        named
    }
}

impl FromStr for SearchUrl {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress::of(text);
        let whole: Url = text.parse().map_err(|_| bad())?;
        let is_http = matches!(whole.scheme(), "http" | "https") && text.contains("://");
        // A password with a slash that isn't encoded would be taken for a path, and shown.
        let is_plain = !whole.path().contains('@') && whole.query().is_none() && whole.fragment().is_none();
        if !is_http || !is_plain || text.contains(char::is_whitespace) {
            return Err(bad());
        }
        let mut bare = whole.clone();
        bare.set_username("").and_then(|()| bare.set_password(None)).map_err(|()| bad())?;
        Ok(Self { whole, shown: bare.as_str().trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for SearchUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown)
    }
}

impl fmt::Debug for SearchUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SearchUrl({})", self.shown)
    }
}

/// A text that is no address.
#[derive(Debug, ThisError, Clone, PartialEq, Eq)]
#[error("{text:?} is none of kafka://HOST:PORT/TOPIC, file:PATH, -, es+http://HOST:PORT, null")]
pub struct BadAddress {
    text: String,
}

impl BadAddress {
    /// Without what may be a password in it.
    fn of(text: &str) -> Self {
        Self { text: maas_cli::parse::without_user(text) }
    }
}

impl Address {
    /// The same for this user, where it is a search server's and names none itself.
    #[must_use]
    pub fn with_user(&self, user: &str, password: &str) -> Self {
        match self {
            Self::Search(url) => Self::Search(url.with_user(user, password)),
            other => other.clone(),
        }
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress::of(text);
        Ok(match text {
            "-" => Self::Standard,
            "null" => Self::Null,
            _ => {
                if let Some(rest) = text.strip_prefix("kafka://") {
                    let (brokers, topic) = rest.split_once('/').unwrap_or((rest, ""));
                    let is_topic = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
                    if brokers.is_empty() || brokers.contains('@') || !topic.chars().all(is_topic) {
                        return Err(bad());
                    }
                    let topic = (!topic.is_empty()).then(|| topic.to_owned());
                    Self::Kafka { brokers: brokers.to_owned(), topic }
                } else if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
                    Self::File(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
                } else if let Some(url) = text.strip_prefix("es+") {
                    Self::Search(url.parse().map_err(|_| bad())?)
                } else {
                    return Err(bad());
                }
            }
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kafka { brokers, topic } => write!(out, "kafka://{brokers}/{}", topic.as_deref().unwrap_or_default()),
            Self::File(path) => write!(out, "file:{}", path.display()),
            Self::Standard => out.write_str("-"),
            Self::Search(url) => write!(out, "es+{url}"),
            Self::Null => out.write_str("null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine as _};

    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for text in ["kafka://h:9092,i:9092/squid", "file:/a b", "-", "null", "es+http://h:9200", "es+https://h"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in ["", "kafka:///x", "kafka://h/a/b", "file:", "http://h", "es+ftp://h", "es+http://"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_goes_to_the_server_and_is_never_shown() {
        for text in ["es+http://alice:se%2Fcret@h:9200/", "es+https://alice:se%2Fcret@h:9200/search"] {
            let address: Address = text.parse().unwrap();
            assert!(!format!("{address} {address:?}").contains("cret"), "{address:?}");
            let Address::Search(url) = address else { panic!("{text}") };
            assert!(url.has_user() && url.whole().contains("alice:se%2Fcret@h:9200"));
            assert_eq!(url.with_user("bob", "x"), url);
        }
        for text in
            ["es+ftp://alice:secret@h", "es+http://alice:se/cret@h", "alice:secret@h", "kafka://alice:secret@h/t"]
        {
            let bad = text.parse::<Address>().unwrap_err();
            assert!(!format!("{bad} {bad:?}").contains("cret"), "{bad}");
        }
        let bare: SearchUrl = "http://h:9200".parse().unwrap();
        for (user, password) in [("alice", "a b:c@/"), ("al%69ce", "p%41ss%"), ("alice", "ä%C3%A4+#?")] {
            let named = bare.with_user(user, password);
            assert_eq!(named.to_string(), "http://h:9200");
            let request = reqwest::Client::new().get(named.whole()).build().unwrap();
            let sent = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
            assert_eq!(request.headers()["authorization"], sent, "{password}");
        }
    }
}
