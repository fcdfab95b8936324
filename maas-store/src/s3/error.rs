//! What S3's refusals mean, in words that say what to do. Pure.

use crate::store::{Denied, Error};
use std::error::Error as StdError;
use std::io;

/// Longer texts of a service are cut here.
const LONGEST: usize = 300;

/// What is known of the store when something fails.
#[derive(Debug)]
pub(super) struct Trouble {
    store: String,
    endpoint: Option<String>,
    /// The access key's id, which is a name and no secret; `None` where a role's was to be used.
    key_id: Option<String>,
}

impl Trouble {
    pub(super) fn new(store: &str, endpoint: Option<String>, key_id: Option<String>) -> Trouble {
        Trouble { store: store.to_string(), endpoint, key_id }
    }

    /// Variables that can't be used.
    pub(super) fn settings(&self, error: &object_store::Error) -> Error {
        let message = format!("can't be opened with the AWS_… variables that are set: {}", plainly(error));
        Error::Url { url: self.store.clone(), message }
    }

    /// A key that the client does not take.
    pub(super) fn key(&self, key: &str, error: &object_store::path::Error) -> Error {
        let message = format!("can't hold the key {key:?}: {}", plainly(error));
        Error::Url { url: self.store.clone(), message }
    }

    /// The machine gives no thread, or the client's ended.
    pub(super) fn thread(&self, source: io::Error) -> Error {
        Error::Io { action: "work with", path: self.store.clone().into(), source }
    }

    /// Any answer but a good one.
    pub(super) fn explain(&self, action: &'static str, key: &str, error: &object_store::Error) -> Error {
        let text = chain_text(error);
        let code = between(&text, "<Code>", "</Code>").unwrap_or_default();
        let url = |message: &str| Error::Url { url: self.store.clone(), message: message.to_string() };
        match (error, code.as_str()) {
            (_, "NoSuchBucket") => url("names a bucket that is not there; create it, or choose another with --store"),
            (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
                url("names a bucket of another region; set AWS_REGION to that of the bucket")
            }
            (object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }, _)
            | (_, "ExpiredToken" | "InvalidToken") => self.denied(action, key, &code),
            _ => self.unreachable(action, key, error, &text),
        }
    }

    fn denied(&self, action: &'static str, key: &str, code: &str) -> Error {
        let advice = match code {
            "ExpiredToken" | "InvalidToken" => "; the session token has ended, get new credentials",
            "InvalidAccessKeyId" => "; the service does not know AWS_ACCESS_KEY_ID",
            "SignatureDoesNotMatch" => "; AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID",
            "RequestTimeTooSkewed" => "; set this machine's clock",
            _ => "; ask for that right in the bucket's policy, or use other credentials",
        };
        Error::NotPermitted(Box::new(Denied {
            store: "S3",
            user: self.key_id.clone().unwrap_or_else(|| "of this machine's role".to_string()),
            right: if matches!(action, "read" | "list") { "read" } else { "write" },
            object: self.object(key),
            owner: if code.is_empty() { "no reason given".to_string() } else { code.to_string() },
            advice: advice.to_string(),
        }))
    }

    fn unreachable(&self, action: &'static str, key: &str, error: &object_store::Error, text: &str) -> Error {
        let of_instance = text.contains("169.254.169.254") || text.contains("169.254.170.2");
        let advice = match (&self.endpoint, &self.key_id) {
            (_, None) if of_instance => {
                "; no AWS_ACCESS_KEY_ID is set and this machine has no role: set it with AWS_SECRET_ACCESS_KEY"
                    .to_string()
            }
            (Some(endpoint), _) => format!("; AWS_ENDPOINT_URL is {endpoint}"),
            (None, _) => "; for a service other than AWS set AWS_ENDPOINT_URL".to_string(),
        };
        let source = io::Error::other(plainly(error));
        Error::Unreachable { store: self.store.clone(), action, object: self.object(key), advice, source }
    }

    fn object(&self, key: &str) -> String {
        format!("{}/{key}", self.store.trim_end_matches('/'))
    }
}

/// Whether a 404 is the object's and not the bucket's.
pub(super) fn is_no_object(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. }) && !chain_text(error).contains("<Code>NoSuchBucket</Code>")
}

/// The innermost cause in one line: each layer above it repeats what is below.
pub(super) fn plainly(error: &(dyn StdError + 'static)) -> String {
    let text = chain_text(error);
    match (between(&text, "<Code>", "</Code>"), between(&text, "<Message>", "</Message>")) {
        (Some(code), Some(message)) => cut(&format!("{code}: {message}")),
        (Some(code), None) => cut(&code),
        _ => cut(&innermost(error).to_string()),
    }
}

fn innermost<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner
}

fn chain_text(error: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn between(text: &str, from: &str, to: &str) -> Option<String> {
    let (_, rest) = text.split_once(from)?;
    let (found, _) = rest.split_once(to)?;
    Some(found.to_string())
}

fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: &str) -> Box<dyn StdError + Send + Sync> {
        format!("HTTP error\n<?xml?><Error><Code>{code}</Code><Message>words of the service</Message></Error>").into()
    }

    fn trouble() -> Trouble {
        Trouble::new("s3://bucket/p", Some("http://127.0.0.1:1".into()), Some("AKIDEXAMPLE".into()))
    }

    #[test]
    fn a_missing_bucket_is_told_from_a_missing_object() {
        let path = "k".to_string();
        let bucket = object_store::Error::NotFound { path: path.clone(), source: answer("NoSuchBucket") };
        let object = object_store::Error::NotFound { path, source: answer("NoSuchKey") };
        assert!(is_no_object(&object) && !is_no_object(&bucket));
        let error = trouble().explain("read", "k", &bucket);
        assert_eq!(error.code(), "bad_store_url");
        assert!(error.to_string().contains("create it"), "{error}");
    }

    #[test]
    fn a_refusal_names_user_right_and_object() {
        for (code, words) in [("AccessDenied", "policy"), ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY")] {
            let refusal = object_store::Error::PermissionDenied { path: "k".into(), source: answer(code) };
            let error = trouble().explain("write", "k", &refusal);
            assert_eq!(error.code(), "not_permitted");
            let text = error.to_string();
            for part in ["user AKIDEXAMPLE may not write s3://bucket/p/k", code, words] {
                assert!(text.contains(part), "{text}");
            }
        }
    }

    #[test]
    fn what_does_not_answer_is_named_with_its_endpoint_and_the_innermost_cause() {
        let source = Box::new(io::Error::other(io::Error::from(io::ErrorKind::ConnectionRefused)));
        let error = trouble().explain("list", "k", &object_store::Error::Generic { store: "S3", source });
        assert_eq!(error.code(), "store_unreachable");
        assert!(error.is_retryable() && error.to_string().contains("http://127.0.0.1:1"), "{error}");
        assert_eq!(error.source().unwrap().to_string(), "connection refused");
    }
}
