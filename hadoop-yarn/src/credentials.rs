//! Credentials: tokens and secrets by their names, as they stand in a container's token file.
//!
//! The file is named by `HADOOP_TOKEN_FILE_LOCATION`. It begins with `HDTS`, then a byte: 0 for the older body, which ResourceManager and NodeManagers write
//! and expect in launch contexts, 1 for one protobuf message. In the older body numbers are Hadoop's variable-length integers and texts
//! have their length in front. Both seen with Hadoop 3.5.0. Nothing in a file is trusted: a length is checked against what is left before memory is taken.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message as _;

use crate::proto::common::CredentialsProto;
use crate::types::Token;

const MAGIC: &[u8; 4] = b"HDTS";
const WRITABLE: u8 = 0;
const PROTOBUF: u8 = 1;
/// Longest file that is read. Real ones have some hundred bytes.
const LONGEST_FILE: u64 = 16 << 20;

/// The variable that names a container's token file.
pub const TOKEN_FILE_VARIABLE: &str = "HADOOP_TOKEN_FILE_LOCATION";

/// Tokens and secrets by their names.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    tokens: BTreeMap<String, Token>,
    secrets: BTreeMap<String, Bytes>,
}

/// Why credentials can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The file can't be read.
    #[error("token file {path}")]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The variable is not set: this process was not started by a NodeManager.
    #[error("{TOKEN_FILE_VARIABLE} is not set; a NodeManager sets it in every container")]
    NoFile,
    /// The bytes are no credentials.
    #[error("no credentials: {what} at byte {at}")]
    Format {
        /// What is wrong.
        what: &'static str,
        /// Where.
        at: usize,
    },
}

impl Credentials {
    /// None at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the token file that the environment names.
    pub fn from_environment() -> Result<Self, CredentialsError> {
        let path = std::env::var_os(TOKEN_FILE_VARIABLE).ok_or(CredentialsError::NoFile)?;
        Self::read(Path::new(&path))
    }

    /// Reads a token file.
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        let failed = |source| CredentialsError::File { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(LONGEST_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LONGEST_FILE {
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 16 MiB")));
        }
        Self::from_bytes(&bytes)
    }

    /// Reads the content of a token file, in either form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CredentialsError> {
        let format = |what, at| Err(CredentialsError::Format { what, at });
        if bytes.get(..4) != Some(MAGIC) {
            return format("they do not begin with HDTS", 0);
        }
        match bytes.get(4) {
            Some(&WRITABLE) => Reader { bytes, at: 5 }.credentials(),
            Some(&PROTOBUF) => match CredentialsProto::decode_length_delimited(&bytes[5..]) {
                Ok(message) => Ok(Self::from_proto(message)),
                Err(_) => format("a message that can't be decoded", 5),
            },
            Some(_) => format("an unknown form", 4),
            None => format("the end", 4),
        }
    }

    /// The content of a token file in the older form, the one that YARN reads everywhere.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(WRITABLE);
        put_number(&mut bytes, self.tokens.len() as i64);
        for (alias, token) in &self.tokens {
            put(&mut bytes, alias.as_bytes());
            put(&mut bytes, token.identifier());
            put(&mut bytes, token.password());
            put(&mut bytes, token.kind().as_bytes());
            put(&mut bytes, token.service().as_bytes());
        }
        put_number(&mut bytes, self.secrets.len() as i64);
        for (alias, secret) in &self.secrets {
            put(&mut bytes, alias.as_bytes());
            put(&mut bytes, secret);
        }
        bytes
    }

    /// Adds a token under a name, in the place of one that had it.
    pub fn add(&mut self, alias: impl Into<String>, token: Token) {
        self.tokens.insert(alias.into(), token);
    }

    /// Adds a secret under a name, in the place of one that had it.
    pub fn add_secret(&mut self, alias: impl Into<String>, secret: impl Into<Bytes>) {
        self.secrets.insert(alias.into(), secret.into());
    }

    /// The tokens and their names.
    pub fn tokens(&self) -> impl Iterator<Item = (&str, &Token)> {
        self.tokens.iter().map(|(alias, token)| (alias.as_str(), token))
    }

    /// The first token of a kind. The ResourceManager gives a master's own token neither name nor service, so the kind is what finds it.
    pub fn of_kind(&self, kind: &str) -> Option<&Token> {
        self.tokens.values().find(|token| token.kind() == kind)
    }

    /// The secret of a name.
    pub fn secret(&self, alias: &str) -> Option<&[u8]> {
        self.secrets.get(alias).map(AsRef::as_ref)
    }

    /// The same less what a container has no business with: the application master's own token, one that stands for the user at the ResourceManager, and
    /// every secret.
    #[must_use]
    pub fn for_containers(&self) -> Self {
        let mut kept = self.clone();
        kept.tokens.retain(|_, token| ![Token::AM_RM, Token::RM_DELEGATION].contains(&token.kind()));
        kept.secrets.clear();
        kept
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.secrets.is_empty()
    }

    fn from_proto(message: CredentialsProto) -> Self {
        let tokens =
            message.tokens.into_iter().filter_map(|entry| Some((entry.alias, Token::from_proto(entry.token?))));
        let secrets = message.secrets.into_iter().filter_map(|entry| Some((entry.alias, entry.secret?.into())));
        Self { tokens: tokens.collect(), secrets: secrets.collect() }
    }
}

// Secrets stay out of logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("tokens", &self.tokens).field("secrets", &self.secrets.keys()).finish()
    }
}

/// Reads the older body.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn credentials(mut self) -> Result<Credentials, CredentialsError> {
        let mut credentials = Credentials::new();
        for _ in 0..self.count()? {
            let alias = self.text()?;
            let (identifier, password) = (self.block()?, self.block()?);
            let (kind, service) = (self.text()?, self.text()?);
            credentials.add(
                alias,
                Token::new(Bytes::copy_from_slice(identifier), Bytes::copy_from_slice(password), kind, service),
            );
        }
        for _ in 0..self.count()? {
            let alias = self.text()?;
            credentials.add_secret(alias, Bytes::copy_from_slice(self.block()?));
        }
        if self.at != self.bytes.len() {
            return self.fail("something after the end");
        }
        Ok(credentials)
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, CredentialsError> {
        Err(CredentialsError::Format { what, at: self.at })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], CredentialsError> {
        match self.bytes.get(self.at..).and_then(|rest| rest.get(..length)) {
            Some(taken) => {
                self.at += length;
                Ok(taken)
            }
            None => self.fail("fewer bytes than announced"),
        }
    }

    /// A number: a byte from -112 to 127 is the value; below, it says the sign and how many bytes follow.
    fn number(&mut self) -> Result<i64, CredentialsError> {
        let first = self.take(1)?[0].cast_signed();
        let (length, negative) = match first {
            -112..=127 => return Ok(i64::from(first)),
            -120..=-113 => (-112 - i32::from(first), false),
            -128..=-121 => (-120 - i32::from(first), true),
        };
        let magnitude =
            self.take(length.unsigned_abs() as usize)?.iter().fold(0i64, |value, &byte| value << 8 | i64::from(byte));
        Ok(if negative { !magnitude } else { magnitude })
    }

    /// How many entries follow. Each has at least one byte.
    fn count(&mut self) -> Result<usize, CredentialsError> {
        match usize::try_from(self.number()?) {
            Ok(count) if count <= self.bytes.len() - self.at => Ok(count),
            _ => self.fail("an impossible count"),
        }
    }

    fn block(&mut self) -> Result<&'a [u8], CredentialsError> {
        match usize::try_from(self.number()?) {
            Ok(length) => self.take(length),
            Err(_) => self.fail("a negative length"),
        }
    }

    fn text(&mut self) -> Result<&'a str, CredentialsError> {
        let block = self.block()?;
        std::str::from_utf8(block).or_else(|_| self.fail("a text that is not UTF-8"))
    }
}

fn put(bytes: &mut Vec<u8>, block: &[u8]) {
    put_number(bytes, block.len() as i64);
    bytes.extend_from_slice(block);
}

fn put_number(bytes: &mut Vec<u8>, value: i64) {
    if (-112..=127).contains(&value) {
        bytes.push((value as i8).cast_unsigned());
        return;
    }
    let (magnitude, base) = if value < 0 { (!value, -120i8) } else { (value, -112i8) };
    let all = magnitude.to_be_bytes();
    let skip = all.iter().take_while(|&&byte| byte == 0).count().min(7);
    bytes.push((base - (8 - skip) as i8).cast_unsigned());
    bytes.extend_from_slice(&all[skip..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_token() -> impl Strategy<Value = Token> {
        (
            proptest::collection::vec(any::<u8>(), 0..300),
            proptest::collection::vec(any::<u8>(), 0..40),
            ".{0,20}",
            ".{0,20}",
        )
            .prop_map(|(identifier, password, kind, service)| Token::new(identifier, password, kind, service))
    }

    fn any_credentials() -> impl Strategy<Value = Credentials> {
        let tokens = proptest::collection::btree_map(".{0,10}", any_token(), 0..4);
        let secrets = proptest::collection::btree_map(
            ".{0,10}",
            proptest::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from),
            0..4,
        );
        (tokens, secrets).prop_map(|(tokens, secrets)| Credentials { tokens, secrets })
    }

    #[test]
    fn a_master_s_own_token_and_secrets_are_not_handed_on() {
        let mut credentials = Credentials::new();
        credentials.add("", Token::new("am", "x", Token::AM_RM, ""));
        credentials.add("rm", Token::new("rm", "z", Token::RM_DELEGATION, "rm:8032"));
        credentials.add("nn", Token::new("hdfs", "y", Token::HDFS_DELEGATION, "nn:8020"));
        credentials.add_secret("order", "keys of ours");
        let kept = credentials.for_containers();
        assert!(kept.secret("order").is_none());
        assert!(kept.of_kind(Token::AM_RM).is_none() && kept.of_kind(Token::RM_DELEGATION).is_none());
        assert!(kept.of_kind(Token::HDFS_DELEGATION).is_some());
    }

    #[test]
    fn what_is_no_token_file_is_refused_with_the_place() {
        let refused = |bytes: &[u8]| Credentials::from_bytes(bytes).unwrap_err().to_string();
        assert_eq!(refused(b"HDT"), "no credentials: they do not begin with HDTS at byte 0");
        assert_eq!(refused(b"HDTS\x00\x7f"), "no credentials: an impossible count at byte 6");
        assert_eq!(refused(b"HDTS\x00\x01\x85"), "no credentials: fewer bytes than announced at byte 7");
        assert_eq!(refused(b"HDTS\x00\x00\x00\x00"), "no credentials: something after the end at byte 7");
        assert_eq!(refused(b"HDTS\x02"), "no credentials: an unknown form at byte 4");
    }

    #[test]
    fn the_newer_form_is_read_too() {
        use crate::proto::common::CredentialsKvProto;
        let token = Token::new("id", "pw", Token::AM_RM, "s");
        let entry = CredentialsKvProto { alias: "a".into(), token: Some(token.to_proto()), secret: None };
        let message = CredentialsProto { tokens: vec![entry], secrets: Vec::new() };
        let mut bytes = b"HDTS\x01".to_vec();
        bytes.extend(message.encode_length_delimited_to_vec());
        assert_eq!(Credentials::from_bytes(&bytes).unwrap().tokens().collect::<Vec<_>>(), [("a", &token)]);
    }

    proptest! {
        #[test]
        fn credentials_are_read_back(credentials in any_credentials()) {
            prop_assert_eq!(Credentials::from_bytes(&credentials.to_bytes()).unwrap(), credentials);
        }

        #[test]
        fn every_number_is_read_back(value in any::<i64>()) {
            let mut bytes = Vec::new();
            put_number(&mut bytes, value);
            prop_assert_eq!(Reader { bytes: &bytes, at: 0 }.number().unwrap(), value);
        }

        #[test]
        fn arbitrary_bytes_are_no_panic(body in proptest::collection::vec(any::<u8>(), 0..600), form in 0u8..3) {
            let mut bytes = vec![b'H', b'D', b'T', b'S', form];
            bytes.extend(body);
            let _ = Credentials::from_bytes(&bytes);
        }

        #[test]
        fn damaged_credentials_are_no_panic_and_hold_no_more_than_their_bytes(credentials in any_credentials(), at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<proptest::sample::Index>()) {
            let mut bytes = credentials.to_bytes();
            let length = bytes.len();
            bytes[at.index(length)] = byte;
            bytes.truncate(cut.index(length) + 1);
            if let Ok(read) = Credentials::from_bytes(&bytes) {
                let held: usize = read.tokens().map(|(alias, token)| alias.len() + token.identifier().len() + token.password().len()).sum();
                prop_assert!(held <= bytes.len());
            }
        }
    }
}
