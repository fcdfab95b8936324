//! The server's DIGEST-MD5 challenge: `key=value` pairs, values bare or in quotes (RFC 2831, section 2.1.1). Pure, and nothing in it is trusted.

use super::SaslError;

/// Longest challenge that is read. Hadoop's are about 150 bytes; the RFC allows 2048.
const LIMIT: usize = 4096;

/// What a challenge says, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) realm: String,
    pub(super) nonce: String,
    /// Protections, in SASL's words. The RFC's default is `auth`.
    pub(super) qop: Vec<String>,
    /// Ciphers for `auth-conf`, as the server lists them.
    pub(super) ciphers: Vec<String>,
}

impl Challenge {
    /// Reads a challenge.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, SaslError> {
        let bad = |what: &str| SaslError::Challenge(what.to_owned());
        let pairs = pairs(bytes)?;
        let one = |key: &str| -> Result<Option<&str>, SaslError> {
            let mut values = pairs.iter().filter(|(k, _)| k == key).map(|(_, value)| value.as_str());
            let first = values.next();
            if values.next().is_some() { Err(SaslError::Challenge(format!("{key} comes twice"))) } else { Ok(first) }
        };
        match one("algorithm")? {
            Some("md5-sess") => {}
            Some(other) => return Err(SaslError::Challenge(format!("algorithm {other:.40} instead of md5-sess"))),
            None => return Err(bad("no algorithm")),
        }
        let nonce = one("nonce")?.filter(|nonce| !nonce.is_empty()).ok_or_else(|| bad("no nonce"))?.to_owned();
        // A server may list several realms; Hadoop names one, and any of a list will do.
        let realm = pairs.iter().find(|(key, _)| key == "realm").map(|(_, realm)| realm.clone()).unwrap_or_default();
        let list = |value: Option<&str>| -> Vec<String> {
            value
                .into_iter()
                .flat_map(|list| list.split(','))
                .map(|word| word.trim().to_ascii_lowercase())
                .filter(|word| !word.is_empty())
                .collect()
        };
        let mut qop = list(one("qop")?);
        if qop.is_empty() {
            qop.push("auth".to_owned());
        }
        Ok(Self { realm, nonce, qop, ciphers: list(one("cipher")?) })
    }
}

/// The pairs of a challenge or of a server's proof, keys in lower case.
pub(super) fn pairs(bytes: &[u8]) -> Result<Vec<(String, String)>, SaslError> {
    let bad = |what: &str| SaslError::Challenge(what.to_owned());
    if bytes.len() > LIMIT {
        return Err(SaslError::Challenge(format!("{} bytes, more than {LIMIT}", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| bad("not UTF-8"))?;
    let mut rest = text.trim_start_matches([' ', '\t', '\r', '\n', ',']);
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| bad("a word without ="))?;
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(bad("a key that is no word"));
        }
        let (value, after) = value(after.trim_start())?;
        pairs.push((key.to_ascii_lowercase(), value));
        let after = after.trim_start();
        if !after.is_empty() && !after.starts_with(',') {
            return Err(bad("no comma between two pairs"));
        }
        rest = after.trim_start_matches([' ', '\t', '\r', '\n', ',']);
    }
    Ok(pairs)
}

/// A value and what follows it.
fn value(text: &str) -> Result<(String, &str), SaslError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t', '\r', '\n']).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => match characters.next() {
                Some((_, escaped)) => value.push(escaped),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err(SaslError::Challenge("a quote that does not end".to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_challenge_of_hadoop_is_read() {
        let text = br#"realm="default",nonce="a\"b,=",qop="auth-conf,auth",charset=utf-8,cipher="3des,rc4",algorithm=md5-sess"#;
        let challenge = Challenge::parse(text).unwrap();
        assert_eq!(challenge.realm, "default");
        assert_eq!(challenge.nonce, "a\"b,=");
        assert_eq!(challenge.qop, ["auth-conf", "auth"]);
        assert_eq!(challenge.ciphers, ["3des", "rc4"]);
    }

    #[test]
    fn a_challenge_that_says_no_protection_means_authentication() {
        assert_eq!(Challenge::parse(b"nonce=\"x\",algorithm=md5-sess").unwrap().qop, ["auth"]);
    }

    #[test]
    fn what_is_missing_doubled_or_unfinished_is_refused() {
        for bad in [
            "",
            "algorithm=md5-sess",
            "nonce=\"a\",nonce=\"b\",algorithm=md5-sess",
            "nonce=\"a",
            "nonce=\"a\",algorithm=md5",
            "nonce=\"a\"b=c",
            "=x",
            "nonce",
        ] {
            assert!(Challenge::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Challenge::parse(&[b' '; LIMIT + 1]).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_a_challenge_or_an_error_but_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let _ = Challenge::parse(&bytes);
        }

        #[test]
        fn arbitrary_text_of_the_same_letters_never_panics_and_takes_no_more_memory_than_it_is(text in "[a-c=\",\\\\ é]{0,200}") {
            if let Ok(pairs) = pairs(text.as_bytes()) {
                prop_assert!(pairs.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() <= text.len());
            }
        }
    }
}
