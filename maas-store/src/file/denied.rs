//! "Permission denied" in words: who may not do what with what, and whose it is.

use crate::store::{Denied, Error};
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Names user, right and object where the system only says that permission is denied.
pub(super) fn explain(error: Error) -> Error {
    match error {
        Error::Io { action, path, source }
            if matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) =>
        {
            let right = if action == "read" { "read" } else { "write" };
            let read_only = source.kind() == io::ErrorKind::ReadOnlyFilesystem;
            let (object, mut owner) = owner_of(&path);
            if read_only {
                owner.push_str(", file system mounted read-only");
            }
            let advice = if right == "write" { "; choose another -hmp or --store".into() } else { String::new() };
            Error::NotPermitted(Box::new(Denied { store: "store", user: user(), right, object, owner, advice }))
        }
        other => other,
    }
}

/// The nearest thing on the way to `path` that can be looked at, with owner, group and mode.
fn owner_of(path: &Path) -> (String, String) {
    for there in path.ancestors() {
        if let Ok(metadata) = fs::metadata(there) {
            let owner = name_of("/etc/passwd", metadata.uid());
            let group = name_of("/etc/group", metadata.gid());
            let mode = metadata.permissions().mode() & 0o7777;
            return (there.display().to_string(), format!("{owner}:{group} {mode:o}"));
        }
    }
    (path.display().to_string(), "owner unknown".to_string())
}

/// The user this process acts for.
fn user() -> String {
    name_of("/etc/passwd", rustix::process::geteuid().as_raw())
}

/// The name of a number in `/etc/passwd` or `/etc/group`; the number itself when it has none.
fn name_of(file: &str, id: u32) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    find_name(&text, id).unwrap_or_else(|| id.to_string())
}

fn find_name(text: &str, id: u32) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(id)).then(|| name.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_right_object_and_owner_are_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let path = dir.path().join("models/dga");
        let source = io::ErrorKind::PermissionDenied.into();
        let error = explain(Error::Io { action: "make", path, source });
        let text = error.to_string();
        assert!(text.contains("may not write") && text.contains(" 700)") && text.contains("-hmp"), "{text}");
        assert_eq!(error.code(), "not_permitted");
    }

    #[test]
    fn names_are_found_by_number() {
        let text = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        assert_eq!(find_name(text, 1000).as_deref(), Some("alice"));
        assert_eq!(find_name(text, 7), None);
    }
}
