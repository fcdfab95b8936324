//! ZooKeeper digest credentials from a file: the masters' on the first line, the runners' on the second.
//!
//! Never an argument, never in a log: [`Credential`] does not show its password.

use std::fmt;
use std::path::Path;

/// `user:password` for ZooKeeper's digest scheme.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// The text as ZooKeeper takes it.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.0.split(':').next().unwrap_or_default();
        write!(f, "Credential({user}:…)")
    }
}

/// What a credentials file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The masters' own.
    pub master: Credential,
    /// What runners get: good for their claims and registrations.
    pub runner: Credential,
}

impl Credentials {
    /// Reads the file; others must not be able to read it too.
    pub fn from_file(path: &Path) -> Result<Credentials, super::Error> {
        let refused = |detail: &str| super::Error::Credentials { path: path.to_path_buf(), detail: detail.to_string() };
        let read = |error: std::io::Error| refused(&error.to_string());
        let metadata = std::fs::metadata(path).map_err(read)?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o077 != 0 {
            return Err(refused(&format!("others may read it (mode {:o}); chmod 600 it", mode & 0o777)));
        }
        Credentials::parse(&std::fs::read_to_string(path).map_err(read)?).map_err(|detail| refused(&detail))
    }

    fn parse(text: &str) -> Result<Credentials, String> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut next = |whose: &str| match lines.next() {
            None => Err(format!("the {whose} user:password is missing")),
            Some(line) => match line.split_once(':') {
                Some((user, password)) if !user.is_empty() && !password.is_empty() => Ok(Credential(line.to_string())),
                _ => Err(format!("the {whose} line is not user:password")),
            },
        };
        let (master, runner) = (next("masters'")?, next("runners'")?);
        if lines.next().is_some() {
            return Err("more than two lines; the masters' and the runners' are all it may hold".to_string());
        }
        if master == runner {
            return Err("masters and runners have the same credential; give the runners their own".to_string());
        }
        Ok(Credentials { master, runner })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_password_is_never_shown() {
        let credentials = Credentials::parse("# ours\nmaster:geheim\n\nrunner:auch:geheim\n").unwrap();
        assert_eq!(credentials.runner.secret(), "runner:auch:geheim");
        assert!(!format!("{credentials:?}").contains("geheim"));
    }

    #[test]
    fn a_file_that_others_read_or_that_lacks_a_line_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a:b\nc:d\n").unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = Credentials::from_file(file.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(Credentials::from_file(file.path()).is_ok());
        for bad in ["", "a:b", "a\nb:c", "a:b\na:b", "a:b\nc:d\ne:f"] {
            assert!(Credentials::parse(bad).is_err(), "{bad}");
        }
    }
}
