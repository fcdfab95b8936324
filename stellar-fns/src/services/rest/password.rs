//! Passwords: read from their files for each request, on a thread that may wait for a disk, and never shown.
//!
//! A file that an expression names must be below one directory; what is opened is the path that was checked, not the one that was written.

use std::io::{self, Read};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;

use super::Credentials;
use super::client::{Trouble, trouble};
use crate::services::Outcome;

/// Bytes of a password file.
const LONGEST: u64 = 4096;

/// What says who asks.
pub(super) async fn basic(credentials: &Credentials) -> Result<HeaderValue, Trouble> {
    let credentials = credentials.clone();
    let read = tokio::task::spawn_blocking(move || header(&credentials));
    read.await.unwrap_or_else(|error| Err(trouble(&error)))
}

fn header(credentials: &Credentials) -> Result<HeaderValue, Trouble> {
    let written = credentials.password.display();
    let unreadable = |what: String| Trouble(Outcome::Unreadable, format!("the password file {written} {what}"));
    let cant_read = |error: io::Error| unreadable(format!("can't be read: {error}"));
    let path = permitted(credentials)?;
    // A pipe would be waited for.
    if !std::fs::metadata(&path).map_err(cant_read)?.is_file() {
        return Err(unreadable("is no file".into()));
    }
    let mut both = format!("{}:", credentials.user).into_bytes();
    let user = both.len() as u64;
    std::fs::File::open(&path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut both)).map_err(cant_read)?;
    if both.len() as u64 - user > LONGEST {
        return Err(unreadable(format!("has more than {LONGEST} bytes")));
    }
    let mut value =
        HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(both))).map_err(|error| trouble(&error))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The path to open, without links where it must lie below a directory. What is absent and what is outside are told alike, so that nobody learns what there is.
fn permitted(credentials: &Credentials) -> Result<PathBuf, Trouble> {
    let Some(below) = &credentials.below else { return Ok(credentials.password.clone()) };
    match (credentials.password.canonicalize(), below.canonicalize()) {
        (Ok(file), Ok(dir)) if file.starts_with(&dir) => Ok(file),
        _ => {
            let (file, dir) = (credentials.password.display(), below.display());
            Err(Trouble(Outcome::Refused, format!("{file} is no file below {dir}, the passwords.dir of global.json")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_the_directory_are_read_whatever_links_say() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("password"), "x").unwrap();
        std::fs::write(&outside, "x").unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("leads-out")).unwrap();
        std::os::unix::fs::symlink(inside.join("password"), inside.join("stays")).unwrap();
        let header = |name: &str| {
            let credentials =
                Credentials { user: "me".into(), password: inside.join(name), below: Some(inside.clone()) };
            header(&credentials).map_err(|Trouble(outcome, _)| outcome)
        };
        assert!(header("password").is_ok() && header("stays").unwrap().is_sensitive());
        for refused in ["leads-out", "../out", "absent"] {
            assert_eq!(header(refused), Err(Outcome::Refused), "{refused}");
        }
    }
}
