//! Where lines come from and documents go to, as the command line writes it: `kafka://HOST:PORT/TOPIC`, `file:PATH`, `-`, `es+http://HOST:PORT`, `null`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

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
    /// A search server's base url.
    Search(String),
    /// Nowhere: what is written is dropped.
    Null,
}

/// A text that is no address.
#[derive(Debug, ThisError, Clone, PartialEq, Eq)]
#[error("{text:?} is none of kafka://HOST:PORT/TOPIC, file:PATH, -, es+http://HOST:PORT, null")]
pub struct BadAddress {
    text: String,
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress { text: text.to_owned() };
        Ok(match text {
            "-" => Self::Standard,
            "null" => Self::Null,
            _ => {
                if let Some(rest) = text.strip_prefix("kafka://") {
                    let (brokers, topic) = rest.split_once('/').unwrap_or((rest, ""));
                    let is_topic = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
                    if brokers.is_empty() || !topic.chars().all(is_topic) {
                        return Err(bad());
                    }
                    let topic = (!topic.is_empty()).then(|| topic.to_owned());
                    Self::Kafka { brokers: brokers.to_owned(), topic }
                } else if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
                    Self::File(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
                } else if let Some(url) = text.strip_prefix("es+") {
                    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).ok_or_else(bad)?;
                    if rest.trim_end_matches('/').is_empty() || rest.contains(char::is_whitespace) {
                        return Err(bad());
                    }
                    Self::Search(url.trim_end_matches('/').to_owned())
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
}
