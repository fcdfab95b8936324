//! `stellar enrichment` and the functions that read what it loads, across processes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stellar_fns::services::Services;
use stellar_fns::services::report::Logged;
use stellar_fns::{Compiler, Environment, Layers};

const SETTINGS: &str = r#"{"stellar.enrichment.settings": {"store": "STORE"}}"#;

/// A directory with a store and a global.json that names it.
struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = SETTINGS.replace("STORE", dir.path().join("store.redb").to_str().unwrap());
        fs::write(dir.path().join("global.json"), settings).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stellar"));
        command.arg("-c").arg(self.path("global.json")).args(arguments);
        command.env("HOME", self.dir.path()).env_remove("MAAS_ZK");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn load(&self, file: &Path, more: &[&str]) -> Output {
        let file = file.to_str().unwrap();
        self.run(&[&["enrichment", "load", "--type", "whois", file], more].concat())
    }

    fn owner(&self) -> String {
        let found = self.run(&["-e", "MAP_GET('owner', ENRICHMENT_GET('whois', 'cnn.com', 'enrichment', 't'))"]);
        assert!(found.status.success(), "{}", text(&found.stderr));
        text(&found.stdout).trim().to_owned()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Waits for a condition, with a bound.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn what_is_loaded_is_read_by_expressions_listed_and_deleted() {
    let world = World::new();
    let file = world.write("whois.csv", "domain,owner\ncnn.com,Turner\n");
    let loaded = world.load(&file, &[]);
    assert_eq!(text(&loaded.stdout), "whois in enrichment, t: 1 added, 0 changed, 0 unchanged\n");
    assert_eq!(world.owner(), "Turner");
    let exists = world.run(&["-e", "ENRICHMENT_EXISTS('whois', 'cnn', 'enrichment', 't')"]);
    assert_eq!(text(&exists.stdout), "false\n");
    let got = world.run(&["enrichment", "get", "--type", "whois", "cnn.com"]);
    assert_eq!(text(&got.stdout), "{\"domain\":\"cnn.com\",\"owner\":\"Turner\"}\n");
    assert_eq!(world.run(&["enrichment", "get", "--type", "whois", "none"]).status.code(), Some(4));
    let listed = world.run(&["enrichment", "list"]);
    assert_eq!(text(&listed.stdout), "TABLE       FAMILY  TYPE   INDICATORS\nenrichment  t       whois  1\n");
    assert_eq!(world.run(&["enrichment", "delete", "--type", "whois"]).status.code(), Some(2), "it asks first");
    let deleted = world.run(&["enrichment", "delete", "--type", "whois", "--yes"]);
    assert_eq!(text(&deleted.stdout), "whois in enrichment, t: 1 deleted\n");
    assert_eq!(world.owner(), "null");
}

#[test]
fn bad_lines_are_told_by_number_and_keep_everything_from_being_loaded() {
    let world = World::new();
    let file = world.write("whois.jsonl", "{\"indicator\": \"a\"}\nnonsense\n");
    let refused = world.load(&file, &[]);
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(3), ""));
    assert!(text(&refused.stderr).contains("whois.jsonl:2: no JSON object"), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("--skip-bad"));
    let skipped = world.load(&file, &["--skip-bad", "--json"]);
    assert!(skipped.status.success() && text(&skipped.stdout).contains("\"added\":1"), "{}", text(&skipped.stdout));
}

#[test]
fn no_store_is_an_error_that_says_what_to_set_and_a_broken_one_is_told() {
    let world = World::new();
    world.write("global.json", "{}");
    let unknown = world.run(&["-e", "ENRICHMENT_GET('a', 'b', 'c', 'd')"]);
    assert_eq!(unknown.status.code(), Some(3));
    assert!(text(&unknown.stderr).contains("stellar.enrichment.settings"), "{}", text(&unknown.stderr));
    let broken = world.write("broken", "no store");
    world.write("global.json", &SETTINGS.replace("STORE", broken.to_str().unwrap()));
    let told = world.run(&["-e", "ENRICHMENT_GET('a', 'b', 'c', 'd')"]);
    assert_eq!((told.status.code(), text(&told.stdout)), (Some(0), "{}\n"));
    assert!(text(&told.stderr).starts_with("ENRICHMENT_GET: the store "), "{}", text(&told.stderr));
}

#[test]
fn a_store_that_was_overwritten_in_places_is_told_as_damaged_and_as_nothing_else() {
    const PAGE: usize = 4096;
    let world = World::new();
    let file = world.write("whois.csv", "domain,owner\ncnn.com,Turner\n");
    assert!(world.load(&file, &[]).status.success());
    let whole = fs::read(world.path("store.redb")).unwrap();
    let mut refused = 0;
    for page in 0..12 {
        let mut overwritten = whole.clone();
        overwritten[page * PAGE..page * PAGE + PAGE / 2].fill(0xa5);
        fs::write(world.path("store.redb"), overwritten).unwrap();
        let listed = world.run(&["enrichment", "list"]);
        let told = text(&listed.stderr);
        assert!(!told.contains("panicked"), "page {page}: {told}");
        assert!(matches!(listed.status.code(), Some(0 | 3)), "page {page}: {told}");
        refused += usize::from(!listed.status.success());
    }
    assert!(refused > 2, "{refused}");
}

/// A load that reads from a pipe, so that it is under way for as long as the test wants.
struct Loading {
    child: Child,
    input: ChildStdin,
}

impl Loading {
    fn start(world: &World) -> Self {
        let arguments = ["enrichment", "load", "--type", "whois", "--format", "csv", "--replace", "-"];
        let mut command = world.command(&arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        Self { child, input }
    }

    fn feed(&mut self, rows: std::ops::Range<usize>) {
        for row in rows {
            writeln!(self.input, "key{row},some{row}").unwrap();
        }
    }
}

#[test]
fn a_load_that_is_killed_changes_nothing_and_readers_go_on_all_the_time() {
    let world = World::new();
    let file = world.write("whois.csv", "domain,owner\ncnn.com,Turner\n");
    assert!(world.load(&file, &[]).status.success());
    let mut loading = Loading::start(&world);
    writeln!(loading.input, "domain,owner\ncnn.com,nobody").unwrap();
    loading.feed(0..100_000);
    until("the load has begun", || world.path("store.redb.new").exists());
    assert_eq!(world.owner(), "Turner", "half a load is not seen");
    let busy = world.load(&file, &[]);
    assert_eq!(busy.status.code(), Some(8), "{}", text(&busy.stderr));
    loading.child.kill().unwrap();
    loading.child.wait().unwrap();
    assert_eq!(world.owner(), "Turner");
    assert!(world.path("store.redb.new").exists(), "what it left");
    let file = world.write("whois.csv", "domain,owner\ncnn.com,Warner\n");
    assert!(world.load(&file, &[]).status.success());
    assert_eq!(world.owner(), "Warner");
    assert!(!world.path("store.redb.new").exists());
}

#[test]
fn a_running_reader_sees_a_load_by_another_process() {
    let world = World::new();
    let file = world.write("whois.csv", "domain,owner\ncnn.com,Turner\n");
    assert!(world.load(&file, &[]).status.success());
    let globals = serde_json::from_str(&fs::read_to_string(world.path("global.json")).unwrap()).unwrap();
    let services = Services::from_globals(&globals, Arc::new(Logged::default())).unwrap();
    let environment = Environment { services, ..Environment::default() };
    let expression = "MAP_GET('owner', ENRICHMENT_GET('whois', 'cnn.com', 'enrichment', 't'))";
    let program = Compiler::default().compile(expression).unwrap();
    let owner = || program.evaluate(&Layers::default(), &environment).unwrap().to_string();
    assert_eq!(owner(), "Turner");
    let file = world.write("whois.csv", "domain,owner\ncnn.com,Warner\n");
    assert!(world.load(&file, &[]).status.success());
    until("the reader sees the new load", || match owner().as_str() {
        "Warner" => true,
        "Turner" => false,
        other => panic!("{other} was never loaded"),
    });
}
