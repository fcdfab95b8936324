//! Memory, output and disks: what is bounded.

use crate::bed::{Bed, until};
use crate::model::Model;
use maas_client::reason::ReasonCode;
use std::fs;
use std::path::{Path, PathBuf};

const GREEDY: &str = "#!/bin/sh\nexec python3 -c 'import time; x = bytearray(200 << 20); time.sleep(1000)'\n";

async fn out_of_memory(cgroup: Option<PathBuf>) -> String {
    let mut bed = Bed::make(&Model::new(GREEDY)).await;
    bed.spec.resources.memory_mb = 64;
    bed.spec.cgroup = cgroup;
    bed.start();
    let (code, exit) = bed.ended().await;
    let exit = exit.unwrap();
    assert_eq!((code, exit.reason.code), (Some(7), ReasonCode::OutOfMemory), "{}", exit.reason.text);
    bed.nothing_left().await;
    exit.reason.text
}

#[tokio::test]
async fn without_a_control_group_the_tree_is_watched_and_killed_over_its_limit() {
    let text = out_of_memory(None).await;
    let used: u64 = text.strip_prefix("used ").unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(used > 64 && text.ends_with(" of 64 MB"), "{text}");
}

#[tokio::test]
async fn a_control_group_of_version_one_is_used_where_it_can_be_written() {
    let root = Path::new("/sys/fs/cgroup/memory");
    let parent = root.join(format!("maas-test-{}", std::process::id()));
    if !root.join("memory.limit_in_bytes").exists() || fs::create_dir(&parent).is_err() {
        // No such controller here, or not ours to use: watching is tested above, version two beside the code.
        return;
    }
    let text = out_of_memory(Some(parent.clone())).await;
    let leaves = fs::read_dir(&parent).unwrap().flatten().filter(|entry| entry.path().is_dir()).count();
    fs::remove_dir(&parent).unwrap();
    assert_eq!(text, "used 64 MB of 64 MB");
    assert_eq!(leaves, 0, "the leaf goes with the instance");
}

#[tokio::test]
async fn a_flood_of_output_neither_blocks_the_model_nor_fills_the_disk() {
    let script = "#!/bin/sh\nhead -c 50000000 /dev/zero | tr '\\0' 'x'\necho last words >&2\nexec python3 server.py\n";
    let mut bed = Bed::make(&Model::new(script)).await;
    bed.spec.log_bytes = 1 << 20;
    bed.start();
    bed.registered().await;
    for name in ["logs/stdout", "logs/stdout.1"] {
        let length = fs::metadata(bed.directory.join(name)).unwrap().len();
        assert!(length <= 1 << 20, "{name} has {length} bytes");
    }
    assert_eq!(bed.read("logs/stderr"), "last words\n");
}

#[tokio::test]
async fn the_memory_used_is_told_in_the_claim() {
    let bed = Bed::ready(&Model::server()).await;
    let claim = bed.claim_that("a figure", |claim| claim.memory_used_mb.is_some()).await;
    assert!((1..500).contains(&claim.memory_used_mb.unwrap()));
}

#[tokio::test]
async fn logs_that_cannot_be_written_do_not_hold_up_the_model() {
    let mut bed = Bed::make(&Model::new("#!/bin/sh\nseq 100000\nexec python3 server.py\n")).await;
    // A file where the directory would be: as a full disk, every write fails.
    fs::write(bed.directory.join("logs"), "").unwrap();
    bed.start();
    bed.registered().await;
    bed.want_stop().await;
    assert_eq!(until("the end", async || Some(bed.ended().await.0)).await, Some(0));
}

#[tokio::test]
async fn a_disk_that_the_model_fills_keeps_neither_its_service_nor_its_end_from_being_told() {
    let script = "#!/bin/sh\n\
                  (while [ ! -e endpoint.dat ]; do sleep 0.1; done; yes > filler; seq 1000000) &\n\
                  python3 server.py\n";
    let mut bed = Bed::make(&Model::new(script)).await;
    if !bed.mount(2) {
        // Mounting is not permitted here.
        return;
    }
    bed.start();
    bed.registered().await;
    let filler = bed.directory.join("work/filler");
    until("a full disk", async || fs::metadata(&filler).ok().filter(|file| file.len() > 1 << 20).map(drop)).await;
    bed.want_stop().await;
    let (code, exit) = bed.ended().await;
    assert_eq!((code, exit.unwrap().reason.text.as_str()), (Some(0), "asked by a test"), "{}", bed.read("runner.log"));
}

#[tokio::test]
async fn a_disk_too_small_for_the_payload_is_named() {
    let mut bed = Bed::make(&Model::server().file("weights.bin", &"w".repeat(3 << 20))).await;
    if !bed.mount(1) {
        return;
    }
    bed.start();
    let exit = bed.ended().await.1.unwrap();
    assert_eq!(exit.reason.code, ReasonCode::ScriptNotStarted);
    assert!(exit.reason.text.contains("no space left"), "{}", exit.reason.text);
}
