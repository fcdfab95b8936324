//! Which directories are model directories.

use crate::fixture::ModelDir;
use maas_store::bundle::{Bundle, Error, Limits};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

fn check(dir: &Path) -> Result<Bundle, Error> {
    Bundle::check(dir, &Limits::default())
}

fn code(dir: &ModelDir) -> &'static str {
    check(dir.path()).unwrap_err().code()
}

fn paths(bundle: &Bundle) -> Vec<&str> {
    bundle.files().iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn a_good_directory_has_its_files_in_order_and_its_executable_bits() {
    let dir = ModelDir::with_script().file("lib/b.py", "b").file("lib/a.py", "a").file("lib/other.sh", "");
    let bundle = check(dir.path()).unwrap();
    assert_eq!(paths(&bundle), ["lib/a.py", "lib/b.py", "lib/other.sh", "run.sh"]);
    assert_eq!(bundle.script(), "run.sh");
    assert!(bundle.files()[3].executable && !bundle.files()[0].executable);
}

#[test]
fn exactly_one_script_must_stand_at_the_top() {
    assert_eq!(code(&ModelDir::empty()), "empty");
    assert_eq!(code(&ModelDir::empty().file("sub/run.sh", "")), "no_script");
    let two = ModelDir::with_script().file("other.sh", "");
    assert_eq!(code(&two), "two_scripts");
    assert!(check(two.path()).unwrap_err().to_string().contains("other.sh, run.sh"));
    assert_eq!(check(Path::new("/nonexistent/x")).unwrap_err().code(), "not_directory");
    assert_eq!(check(&ModelDir::with_script().path().join("run.sh")).unwrap_err().code(), "not_directory");
}

#[test]
fn a_left_over_endpoint_and_git_are_left_out_and_said() {
    let dir = ModelDir::with_script().file("endpoint.dat", "{}").file(".git/config", "").file("sub/endpoint.dat", "");
    let bundle = check(dir.path()).unwrap();
    assert_eq!(bundle.skipped(), [".git", "endpoint.dat"]);
    assert_eq!(paths(&bundle), ["run.sh", "sub/endpoint.dat"]);
    assert_eq!(code(&ModelDir::empty().file("endpoint.dat", "{}")), "empty");
}

#[test]
fn links_are_followed_inside_and_refused_when_they_lead_out_or_in_circles() {
    let inside = ModelDir::with_script().file("data/v1", "x").link("current", "data/v1").link("more", "data");
    assert_eq!(paths(&check(inside.path()).unwrap()), ["current", "data/v1", "more/v1", "run.sh"]);
    assert_eq!(code(&ModelDir::with_script().link("passwd", "/etc/passwd")), "link_out");
    assert_eq!(code(&ModelDir::with_script().link("up", "../")), "link_out");
    assert_eq!(code(&ModelDir::with_script().link("sub/up", "../../../etc")), "link_out");
    assert_eq!(code(&ModelDir::with_script().link("broken", "nothing")), "link_out");
    assert_eq!(code(&ModelDir::with_script().link("sub/circle", "..")), "link_loop");
    assert_eq!(code(&ModelDir::with_script().link("self", "self")), "link_loop");
    // A sibling with the same beginning of its name is outside.
    let dir = ModelDir::with_script();
    let sibling = format!("{}-sibling", dir.path().display());
    fs::create_dir(&sibling).unwrap();
    let dir = dir.link("out", &sibling);
    assert_eq!(code(&dir), "link_out");
    fs::remove_dir(&sibling).unwrap();
}

#[test]
fn the_directory_itself_may_be_a_link() {
    let dir = ModelDir::with_script();
    let around = ModelDir::empty().link("model", dir.path());
    assert_eq!(paths(&check(&around.path().join("model")).unwrap()), ["run.sh"]);
}

#[test]
fn names_that_cannot_be_stored_and_special_files_are_refused() {
    let dir = ModelDir::with_script();
    fs::write(dir.path().join(OsStr::from_bytes(b"bad\xff")), "").unwrap();
    assert_eq!(code(&dir), "not_utf8");
    assert_eq!(code(&ModelDir::with_script().file("new\nline", "")), "bad_path");
    let dir = ModelDir::with_script();
    let _listener = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    assert_eq!(code(&dir), "special_file");
}

#[test]
fn limits_hold() {
    let dir = ModelDir::with_script().file("a/b/c", "12345");
    let limited = |limits| Bundle::check(dir.path(), &limits).unwrap_err().code();
    assert_eq!(limited(Limits { files: 1, ..Limits::default() }), "too_many_files");
    assert_eq!(limited(Limits { bytes: 5, ..Limits::default() }), "too_large");
    assert_eq!(limited(Limits { depth: 2, ..Limits::default() }), "too_deep");
}

#[test]
fn settings_are_part_of_the_check() {
    assert_eq!(code(&ModelDir::with_script().file("maas.json", "{\"drian_s\":1}")), "bad_settings");
    assert_eq!(code(&ModelDir::with_script().file("maas.json", "{}").file("maas.yaml", "")), "two_settings");
    let (_, manifest) = ModelDir::with_script().file("maas.json", "{\"drain_s\":1}").bundle();
    assert_eq!(manifest.settings().drain_s, 1);
}

#[test]
fn a_file_that_changes_between_check_and_reading_is_noticed() {
    let dir = ModelDir::with_script().file("data", "short");
    let bundle = check(dir.path()).unwrap();
    fs::write(dir.path().join("data"), "longer than before").unwrap();
    assert_eq!(bundle.manifest(&mut |_| {}).unwrap_err().code(), "changed_while_read");
}

#[test]
fn the_same_content_has_the_same_digest_in_another_place() {
    let one = ModelDir::with_script().file("a", "x").bundle().1;
    let other = ModelDir::with_script().file("a", "x").bundle().1;
    assert_eq!(one.digest(), other.digest());
    assert_ne!(one.digest(), ModelDir::with_script().file("a", "y").bundle().1.digest());
}
