//! Model directories made on the fly.

use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A model directory in the making.
#[derive(Debug)]
pub struct ModelDir {
    path: PathBuf,
}

impl ModelDir {
    /// An empty directory.
    pub fn new(path: PathBuf) -> Result<ModelDir> {
        fs::create_dir_all(&path).with_context(|| format!("can't make {}", path.display()))?;
        Ok(ModelDir { path })
    }

    /// Adds a file; a `.sh` is executable.
    pub fn file(self, name: &str, text: &str) -> Result<ModelDir> {
        let path = self.path.join(name);
        fs::write(&path, text)?;
        if name.ends_with(".sh") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(self)
    }

    /// Adds `run.sh`, which becomes our small test server with these options (see `src/bin/test_model.rs`).
    pub fn serves(self, options: &str) -> Result<ModelDir> {
        let program = crate::programs::program("test_model")?;
        self.file("run.sh", &format!("#!/bin/sh\nexec '{}' {options}\n", program.display()))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same, for a command line.
    pub fn arg(&self) -> &str {
        self.path.to_str().unwrap_or("a temporary directory's name is plain text")
    }
}
