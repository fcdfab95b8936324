//! A tree that Metron's client put into a store, as a bundle. Shared by the stores.
//!
//! Metron's runner finds all files of the tree in its working directory under their bare names, whatever directory
//! they were in. So that such a script still works, nested files are there twice: under their path and, where no other
//! file has it, under their bare name. Scripts are not doubled: exactly one may stand at the top.

use crate::bundle::{Bundle, BundleFile, Error, Limits};
use crate::manifest::{self, Manifest};
use crate::path::StorePath;
use crate::payload;
use crate::store::{self, Found, ModelStore};
use std::collections::BTreeMap;
use std::path::Path;

/// [`ModelStore::import`] for a store that has no directory of this machine: `download` copies the tree into one.
pub(crate) fn import(
    store: &dyn ModelStore,
    path: &StorePath,
    download: impl FnOnce(&Path) -> Result<(), store::Error>,
) -> Result<(StorePath, Manifest), store::Error> {
    match store.look(path)? {
        Found::Payload(manifest) => return Ok((path.clone(), *manifest)),
        Found::Nothing => return Err(store::Error::NotFound { store: store.url(), path: path.clone() }),
        Found::Tree { .. } => {}
    }
    let here =
        tempfile::tempdir().map_err(|error| payload::write_error("make", Path::new("a temporary directory"), error))?;
    download(here.path())?;
    let bundle = bundle_of(here.path())?;
    let manifest = bundle.manifest(&mut |_| {})?;
    let imported = StorePath::imported(manifest.digest())?;
    store.put(&imported, &bundle, &manifest, &mut |_| {})?;
    Ok((imported, manifest))
}

/// Checks a tree and describes it as a bundle.
pub(crate) fn bundle_of(dir: &Path) -> Result<Bundle, Error> {
    let mut bundle = Bundle::check(dir, &Limits::default())?;
    let bare = bare_names(bundle.files());
    bundle.extend(bare);
    Ok(bundle)
}

fn bare_names(files: &[BundleFile]) -> Vec<BundleFile> {
    let mut by_name: BTreeMap<&str, Vec<&BundleFile>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.path.contains('/')) {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        by_name.entry(name).or_default().push(file);
    }
    let taken = |name: &str| {
        let below = format!("{name}/");
        files.iter().any(|file| file.path == name || file.path.starts_with(&below))
    };
    let single = by_name.into_iter().filter_map(|(name, files)| match files.as_slice() {
        [file] if !manifest::is_script(name) && !taken(name) => {
            Some(BundleFile { path: name.to_string(), ..(*file).clone() })
        }
        _ => None,
    });
    single.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_files_are_also_there_under_their_bare_names_unless_that_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["run.sh", "top.txt", "a/one.py", "a/top.txt", "a/twice", "b/twice", "b/other.sh", "b/a"] {
            let file = dir.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, path).unwrap();
        }
        let bundle = bundle_of(dir.path()).unwrap();
        let paths: Vec<&str> = bundle.files().iter().map(|file| file.path.as_str()).collect();
        let expected =
            ["a/one.py", "a/top.txt", "a/twice", "b/a", "b/other.sh", "b/twice", "one.py", "run.sh", "top.txt"];
        assert_eq!(paths, expected);
        assert!(bundle.manifest(&mut |_| {}).is_ok());
    }
}
