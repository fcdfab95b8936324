//! A test that is run in a process of its own, with a bound on its memory that the kernel keeps.

use std::process::Command;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Set in the process that is bounded.
const BOUNDED: &str = "HADOOP_YARN_TEST_BOUNDED";
/// What a decoder of small inputs may take beside what the process has: far less than the lengths that hostile bytes announce.
const MORE: u64 = 64 << 20;

/// Runs `body` in a process of its own that may take [`MORE`] than it has when it begins. `test` is the calling test's path in this crate.
pub(crate) fn within_bounds(test: &str, body: impl FnOnce()) {
    if std::env::var_os(BOUNDED).is_some() {
        let pages: u64 = std::fs::read_to_string("/proc/self/statm")
            .ok()
            .and_then(|text| text.split(' ').next()?.parse().ok())
            .expect("the kernel says how large a process is");
        let limit = Some(pages * rustix::param::page_size() as u64 + MORE);
        setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).expect("a limit can be lowered");
        return body();
    }
    let output = Command::new(std::env::current_exe().expect("the test has a path"))
        .args(["--exact", test, "--test-threads=1", "--nocapture"])
        .env(BOUNDED, "1")
        // Each thread's arena would take 64 MiB of addresses for itself.
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .expect("a test starts itself");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{test}: {}: {text}", output.status);
}

#[test]
#[should_panic(expected = "memory allocation of")]
fn memory_beyond_the_bound_ends_the_process() {
    within_bounds("hostile::memory::memory_beyond_the_bound_ends_the_process", || {
        std::hint::black_box(vec![1u8; 128 << 20]);
    });
}
