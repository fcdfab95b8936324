//! Model directories for tests.

use maas_store::bundle::{Bundle, Limits};
use maas_store::manifest::Manifest;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

/// A model directory under construction.
pub(crate) struct ModelDir(pub(crate) TempDir);

impl ModelDir {
    /// One with a script and nothing else.
    pub(crate) fn with_script() -> Self {
        let dir = ModelDir::empty().file("run.sh", "#!/bin/sh\nexec sleep 1\n");
        fs::set_permissions(dir.path().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        dir
    }

    pub(crate) fn empty() -> Self {
        ModelDir(tempfile::tempdir().unwrap())
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self
    }

    pub(crate) fn link(self, path: &str, target: impl AsRef<Path>) -> Self {
        let link = self.path().join(path);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, link).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn bundle(&self) -> (Bundle, Manifest) {
        let bundle = Bundle::check(self.path(), &Limits::default()).unwrap();
        let manifest = bundle.manifest(&mut |_| {}).unwrap();
        (bundle, manifest)
    }
}
