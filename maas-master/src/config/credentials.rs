//! The masters' ZooKeeper credential, from a file that nobody else may read. Never an argument, never in a log.

use super::Error;
use maas_client::zk::Credential;
use std::path::Path;

/// Reads `user:password` from a file; refused when others may read the file too. The runners' is derived from it.
pub fn credential_from_file(path: &Path) -> Result<Credential, Error> {
    Credential::from_file(path)
        .map_err(|error| Error::Credentials { path: path.to_path_buf(), detail: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_that_others_read_or_that_holds_no_credential_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "maas:geheim\n").unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = credential_from_file(file.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(credential_from_file(file.path()).unwrap().user(), "maas");
        std::fs::write(file.path(), "geheim").unwrap();
        let error = credential_from_file(file.path()).unwrap_err();
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}
