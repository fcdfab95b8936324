//! Cases as files: a script, a line `---`, and the plan that must come of it.
//!
//! `MAAS_BLESS=1` writes down what comes now; what changed is then read in the diff.

use super::script::{Site, shown};
use crate::plan::plan;
use crate::policy::Policy;
use std::path::PathBuf;

const LINE: &str = "---\n";

#[test]
fn every_case_comes_to_the_plan_it_states() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/plan/tests/cases");
    let bless = std::env::var_os("MAAS_BLESS").is_some();
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20, "{} cases found", files.len());
    let mut differences = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (script, expected) = text.split_once(LINE).unwrap_or((&text, ""));
        let site = Site::parse(script);
        let found = shown(&plan(&site.desired, &site.observed, &Policy::default(), &site.now), &site.now);
        if bless {
            std::fs::write(&file, format!("{script}{LINE}{found}")).unwrap();
        } else if found != expected {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            differences.push(format!("{name}\nstated:\n{expected}\nfound:\n{found}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
