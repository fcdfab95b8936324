//! Where the programs under test lie: beside the test's own binary, as `cargo build --bins` leaves them.
//! `$MAAS_BENCH_PROGRAMS` names another folder, for benches of what is shipped.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// Path of a program of this workspace.
pub fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("where this test's binary lies")?;
    let profile = own.ancestors().nth(2).context("target/<profile>/deps/<test>")?;
    let given = std::env::var_os("MAAS_BENCH_PROGRAMS").map(PathBuf::from);
    let path = given.as_deref().unwrap_or(profile).join(name);
    ensure!(path.is_file(), "{} is missing; run: cargo build --workspace --bins", path.display());
    Ok(path)
}

/// The repository's top directory.
pub fn repository() -> &'static Path {
    // The manifest of this member lies one level below the top.
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
