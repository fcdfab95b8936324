//! What HDFS's exceptions mean, in words that say what to do. Pure.

use crate::store::{Denied, Error};
use hdfs_native::HdfsError;
use std::io;
use std::time::Duration;

const ACCESS_CONTROL: &str = "org.apache.hadoop.security.AccessControlException";
const NOT_FOUND: &str = "java.io.FileNotFoundException";
const NO_DIRECTORY: &str = "org.apache.hadoop.fs.ParentNotDirectoryException";
const NOT_EMPTY: &str = "org.apache.hadoop.fs.PathIsNotEmptyDirectoryException";
/// Longer texts of a server are cut here.
const LONGEST: usize = 300;

/// Whether an answer means that nothing is under the path.
pub(super) fn is_not_there(error: &HdfsError) -> bool {
    match error {
        HdfsError::FileNotFound(_) => true,
        // A file where a directory was to be is told as a want of rights.
        HdfsError::RPCError(class, text) if class == ACCESS_CONTROL => {
            first_line(text).ends_with("(is not a directory)")
        }
        HdfsError::RPCError(class, _) => matches!(class.as_str(), NOT_FOUND | NO_DIRECTORY),
        _ => false,
    }
}

/// Whether an answer means that a directory holds something.
pub(super) fn is_not_empty(error: &HdfsError) -> bool {
    matches!(error, HdfsError::RPCError(class, _) if class == NOT_EMPTY)
}

/// Whether an answer means that the user may not.
pub(super) fn is_refusal(error: &HdfsError) -> bool {
    matches!(error, HdfsError::RPCError(class, _) if class == ACCESS_CONTROL)
}

/// No answer at all.
pub(super) fn no_answer(limit: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("no answer in {} s", limit.as_secs()))
}

/// An exception as an error of input or output whose kind says what sort it is.
pub(super) fn to_io(error: HdfsError) -> io::Error {
    match error {
        HdfsError::IOError(error) => error,
        HdfsError::RPCError(class, text) | HdfsError::FatalRPCError(class, text) => {
            io::Error::new(kind_of(&class), said(&class, &text))
        }
        HdfsError::GSSAPIError(_, _, text) => {
            io::Error::other(format!("Kerberos: {}; run kinit, or set KRB5CCNAME", first_line(&text)))
        }
        other => io::Error::other(first_line(&other.to_string())),
    }
}

fn kind_of(class: &str) -> io::ErrorKind {
    match class.rsplit(['.', '$']).next().unwrap_or(class) {
        "AccessControlException" => io::ErrorKind::PermissionDenied,
        "DSQuotaExceededException" | "NSQuotaExceededException" | "QuotaByStorageTypeExceededException" => {
            io::ErrorKind::QuotaExceeded
        }
        "FileNotFoundException" => io::ErrorKind::NotFound,
        "SafeModeException" => io::ErrorKind::ResourceBusy,
        _ => io::ErrorKind::Other,
    }
}

fn said(class: &str, text: &str) -> String {
    let line = first_line(text);
    if class == ACCESS_CONTROL || line.is_empty() {
        line
    } else {
        format!("{}: {line}", class.rsplit('.').next().unwrap_or(class))
    }
}

/// A stack trace of Java follows in the others.
fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Which HDFS it is, for what is said of it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    url: String,
}

impl Place {
    pub(super) fn new(url: &str) -> Place {
        Place { url: url.to_string() }
    }

    /// A configuration that leads nowhere.
    pub(super) fn settings(&self, error: &HdfsError) -> Error {
        let message = format!(
            "leads to no NameNode ({}); write hdfs://HOST:PORT/DIR, or set HADOOP_CONF_DIR to a directory with core-site.xml",
            first_line(&error.to_string())
        );
        Error::Url { url: self.url.clone(), message }
    }

    /// What a failure means, for the user.
    pub(super) fn explain(&self, action: &'static str, path: &str, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Error::NotPermitted(Box::new(denied(action, path, &error.to_string()))),
            io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull => {
                Error::NoSpace { path: path.into(), source: error }
            }
            // It answered, with an exception that has no better words here.
            io::ErrorKind::NotFound | io::ErrorKind::Other => Error::Io { action, path: path.into(), source: error },
            kind => Error::Unreachable {
                store: self.url.clone(),
                action,
                object: path.to_string(),
                advice: match kind {
                    io::ErrorKind::ResourceBusy => "; wait until its NameNode has left safe mode".to_string(),
                    _ => "; see whether its NameNode and DataNodes run".to_string(),
                },
                source: error,
            },
        }
    }
}

/// Reads `Permission denied: user=alice, access=WRITE, inode="/user":root:supergroup:drwxr-xr-x`.
fn denied(action: &str, path: &str, text: &str) -> Denied {
    let after = |key: &str| text.split_once(key).map(|(_, rest)| rest);
    let word = |key: &str| after(key).and_then(|rest| rest.split([',', ' ']).next()).filter(|word| !word.is_empty());
    let user = word("user=").unwrap_or("unknown").to_string();
    let inode = after("inode=\"").and_then(|rest| rest.split_once('"'));
    let (object, owner) = match inode {
        Some((object, rest)) => (object.to_string(), owner(rest).unwrap_or_else(|| "owner not told".to_string())),
        None => (path.to_string(), first_line(text)),
    };
    let writes = word("access=").map_or(action != "read", |access| access.contains("WRITE"));
    let advice = match writes {
        true => format!("; choose -hmp /user/{user}/models, or another --store"),
        false => "; ask its owner for that right".to_string(),
    };
    Denied { store: "HDFS", user, right: if writes { "write" } else { "read" }, object, owner, advice }
}

/// `:root:supergroup:drwxr-xr-x` as `root:supergroup 755`.
fn owner(text: &str) -> Option<String> {
    let mut parts = text.trim_start_matches(':').split(':');
    let (user, group, mode) = (parts.next()?, parts.next()?, parts.next()?);
    let bits: Vec<char> = mode.chars().skip(1).take(9).collect();
    if bits.len() < 9 {
        return None;
    }
    let digit =
        |three: &[char]| three.iter().zip([4, 2, 1]).filter(|(bit, _)| **bit != '-').map(|(_, n)| n).sum::<u32>();
    let octal: String = bits.chunks(3).map(|three| digit(three).to_string()).collect();
    Some(format!("{user}:{group} {octal}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rpc(class: &str, text: &str) -> HdfsError {
        HdfsError::RPCError(class.to_string(), text.to_string())
    }

    #[test]
    fn a_refusal_names_user_right_object_and_owner() {
        let text =
            "Permission denied: user=alice, access=WRITE, inode=\"/user\":root:supergroup:drwxr-xr-x\n\tat org.x.Y";
        let error =
            Place::new("hdfs://n:8020/").explain("make", "/user/alice/models", to_io(rpc(ACCESS_CONTROL, text)));
        assert_eq!(error.code(), "not_permitted");
        let expected = "HDFS refused: user alice may not write /user (root:supergroup 755); choose -hmp /user/alice/models, or another --store";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_refusal_in_unknown_words_is_still_a_refusal() {
        let error = Place::new("hdfs://n:8020/").explain("read", "/x", to_io(rpc(ACCESS_CONTROL, "no\nstack")));
        assert_eq!(error.to_string(), "HDFS refused: user unknown may not read /x (no); ask its owner for that right");
    }

    #[test]
    fn quotas_safe_mode_and_silence_are_told_apart() {
        let explain = |error| Place::new("hdfs://n:8020/").explain("write", "/x", error);
        let quota = rpc("org.apache.hadoop.hdfs.protocol.DSQuotaExceededException", "The DiskSpace quota is exceeded");
        assert_eq!(explain(to_io(quota)).code(), "no_space");
        let safe = explain(to_io(rpc(
            "org.apache.hadoop.hdfs.server.namenode.SafeModeException",
            "Name node is in safe mode.",
        )));
        assert!(safe.code() == "store_unreachable" && safe.to_string().contains("safe mode"), "{safe}");
        let silent = explain(no_answer(Duration::from_secs(60)));
        assert!(silent.is_retryable() && silent.to_string().contains("NameNode"), "{silent}");
    }

    #[test]
    fn nothing_there_and_a_full_directory_are_answers() {
        assert!(is_not_there(&rpc(NOT_FOUND, "")) && is_not_there(&rpc(NO_DIRECTORY, "")));
        assert!(is_not_there(&rpc(ACCESS_CONTROL, "/a/b (is not a directory)\n\tat org.x.Y")));
        assert!(!is_not_there(&rpc(ACCESS_CONTROL, "")) && is_not_empty(&rpc(NOT_EMPTY, "")));
    }
}
