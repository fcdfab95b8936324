//! The proofs of DIGEST-MD5 (RFC 2831, section 2.1.2) as Hadoop uses it for tokens: the user is the base64 of the token's identifier, the password the
//! base64 of its password, the algorithm md5-sess, the count always 1. Checked against Java's own implementation on both sides.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use super::challenge::{self, Challenge};
use super::seal::{Cipher, Keys};
use super::{Opener, Protection, SaslError, Sealer, Security};
use crate::types::Token;

/// Each negotiation counts from 1, and has but one message.
const COUNT: &str = "00000001";

/// One negotiation's inputs and results.
pub(super) struct Digest {
    challenge: Challenge,
    username: String,
    uri: String,
    nonce: String,
    protection: Protection,
    cipher: Option<Cipher>,
    secret: [u8; 16],
}

impl Digest {
    /// Chooses the protection and takes in what the proofs are made of.
    pub(super) fn new(
        challenge: Challenge,
        token: &Token,
        uri: &str,
        accepted: &[Protection],
        nonce: &str,
    ) -> Result<Self, SaslError> {
        let protection = accepted
            .iter()
            .copied()
            .find(|protection| challenge.qop.iter().any(|qop| qop == protection.qop()))
            .ok_or_else(|| {
                let accepted: Vec<_> = accepted.iter().map(|protection| protection.qop()).collect();
                SaslError::Protection { offered: printable(&challenge.qop), accepted: accepted.join(", ") }
            })?;
        let cipher = match protection {
            Protection::Privacy => Some(Cipher::choose(&challenge.ciphers).ok_or_else(|| {
                SaslError::Challenge(format!("ciphers {} and none of 3des, rc4", printable(&challenge.ciphers)))
            })?),
            Protection::Authentication | Protection::Integrity => None,
        };
        let username = STANDARD.encode(token.identifier());
        let password = STANDARD.encode(token.password());
        let user: [u8; 16] = Md5::digest(format!("{username}:{}:{password}", challenge.realm)).into();
        let mut session = Md5::new();
        session.update(user);
        session.update(format!(":{}:{nonce}", challenge.nonce));
        let secret = session.finalize().into();
        Ok(Self { challenge, username, uri: uri.to_owned(), nonce: nonce.to_owned(), protection, cipher, secret })
    }

    fn proof(&self, direction: &str) -> String {
        let zeros =
            if self.protection == Protection::Authentication { "" } else { ":00000000000000000000000000000000" };
        let what = hex(&Md5::digest(format!("{direction}:{}{zeros}", self.uri)));
        let Self { challenge: Challenge { nonce, .. }, nonce: ours, .. } = self;
        let qop = self.protection.qop();
        hex(&Md5::digest(format!("{}:{nonce}:{COUNT}:{ours}:{qop}:{what}", hex(&self.secret))))
    }

    /// What the client sends.
    pub(super) fn response(&self) -> String {
        let mut text = format!(
            "charset=utf-8,username=\"{}\",realm=\"{}\",nonce=\"{}\",nc={COUNT},cnonce=\"{}\",digest-uri=\"{}\",maxbuf=65536,response={},qop={}",
            self.username,
            quoted(&self.challenge.realm),
            quoted(&self.challenge.nonce),
            self.nonce,
            quoted(&self.uri),
            self.proof("AUTHENTICATE"),
            self.protection.qop(),
        );
        if let Some(cipher) = self.cipher {
            let _ = write!(text, ",cipher=\"{}\"", cipher.name());
        }
        text
    }

    /// Whether `received` proves that the server knows the password.
    pub(super) fn check(&self, received: &[u8]) -> Result<(), SaslError> {
        let pairs = challenge::pairs(received).map_err(|_| SaslError::ServerProof)?;
        match pairs.as_slice() {
            [(key, value)] if key == "rspauth" && *value == self.proof("") => Ok(()),
            _ => Err(SaslError::ServerProof),
        }
    }

    /// How frames travel from now on.
    pub(super) fn security(&self) -> Security {
        match self.protection {
            Protection::Authentication => Security::Plain,
            Protection::Integrity | Protection::Privacy => {
                let (sealer, opener) = Keys::new(&self.secret, self.cipher).into_both();
                Security::Sealed(Sealer::Digest(sealer), Opener::Digest(opener))
            }
        }
    }
}

// The secret stays out of logs.
impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digest").field("uri", &self.uri).field("protection", &self.protection).finish_non_exhaustive()
    }
}

fn printable(words: &[String]) -> String {
    words.join(", ").chars().take(100).collect()
}

/// The text between quotes: `"` and `\` behind a backslash.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proofs_are_those_of_java() {
        let nonce = "Q29uc3RhbnROb25jZUZvclZlY3Rvcg==";
        let challenge = format!("realm=\"default\",nonce=\"{nonce}\",qop=\"auth\",charset=utf-8,algorithm=md5-sess");
        let challenge = Challenge::parse(challenge.as_bytes()).unwrap();
        let identifier = STANDARD.decode("Cg0KCQgBEAECAw==").unwrap();
        let password = STANDARD.decode("AQIDBAUGBwgJCgsMDQ4PEBESExQ=").unwrap();
        let token = Token::new(identifier, password, "", "");
        let digest = Digest::new(challenge, &token, "/default", &[Protection::Authentication], "Y25vbmNl").unwrap();
        assert_eq!(hex(&digest.secret), "ca5584aa67afa45853139d9b248b5319");
        assert_eq!(digest.proof("AUTHENTICATE"), "346d5e2208b2bf86b3c8d29b637cbd3e");
        assert_eq!(digest.check(b"rspauth=fd9217326394b4fbca48f6a1da8f9ef8"), Ok(()));
        assert_eq!(digest.check(b"rspauth=fd9217326394b4fbca48f6a1da8f9ef9"), Err(SaslError::ServerProof));
    }

    #[test]
    fn a_protection_that_we_do_not_accept_is_refused_with_both_lists() {
        let challenge = Challenge::parse(b"nonce=\"n\",qop=\"auth\",algorithm=md5-sess").unwrap();
        let error =
            Digest::new(challenge, &Token::new("", "", "", ""), "/default", &[Protection::Privacy], "c").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server offers the protection auth and we accept auth-conf (hadoop.rpc.protection)"
        );
    }
}
