//! What happens around the programs: the wall clock jumps, the disk under the state directory is full.

use anyhow::{Context, Result, bail, ensure};
use integration_tests::{Site, until};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The library that lets a test turn a program's wall clock.
fn clock_library() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").context("/usr/lib")?.flatten().map(|entry| entry.path());
    folders
        .chain([PathBuf::from("/usr/lib")])
        .map(|folder| folder.join("faketime/libfaketime.so.1"))
        .find(|path| path.is_file())
        .context("libfaketime is missing: install the package faketime, as scripts/test.sh does")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_clock_that_jumps_loses_and_doubles_nothing() -> Result<()> {
    let site = Site::new().await?;
    let clock = site.path("clock");
    std::fs::write(&clock, "+0\n")?;
    let mut options = site.options();
    options.env = [
        ("LD_PRELOAD", clock_library()?.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_string()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_string()),
    ]
    .map(|(name, value)| (name.to_string(), value))
    .to_vec();
    let mut master = integration_tests::Master::start(&options).await?;
    let m = site.model("m")?.serves("")?;
    site.add(&m, "m", "1.0", 2).await?;
    let before = site.answering("m", 2).await?;
    for (jump, count) in [("+3650d", "3"), ("-3650d", "4"), ("+0", "3"), ("+86400s", "2")] {
        std::fs::write(&clock, format!("{jump}\n"))?;
        site.deploy(&["-mo", "SCALE", "-n", "m", "-v", "1.0", "-ni", count, "--wait", "60"]).await?.exits(0)?;
        site.answering("m", count.parse()?).await?;
        site.no_orphans(&["m"]).await?;
    }
    // A master that starts in another year adopts all the same.
    master.kill().await?;
    std::fs::write(&clock, "-3650d\n")?;
    let _master = integration_tests::Master::start(&options).await?;
    let after = site.answering("m", 2).await?;
    ensure!(before.iter().all(|one| after.contains(one)), "{before:?} became {after:?}");
    site.no_orphans(&["m"]).await?;
    let ended = site.deploy(&["events", "-n", "m", "--json"]).await?.exits(0)?;
    ensure!(!ended.stdout.contains("InstanceFailed"), "{}", ended.stdout);
    Ok(())
}

/// A small file system of its own, while it lives.
struct Disk(PathBuf);

impl Disk {
    /// `None` where mounting is not permitted.
    fn mount(at: &Path, megabytes: u32) -> Result<Option<Disk>> {
        std::fs::create_dir_all(at)?;
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status()?;
        Ok(mounted.success().then(|| Disk(at.to_path_buf())))
    }

    /// Writes until nothing more goes.
    fn fill(&self) -> Result<PathBuf> {
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path)?;
        let full = loop {
            if let Err(error) = std::io::Write::write_all(&mut file, &[b'x'; 4096]) {
                break error;
            }
        };
        ensure!(full.kind() == std::io::ErrorKind::StorageFull, "{full}");
        Ok(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[expect(clippy::print_stderr, reason = "a test that can't be made here says so")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_state_directory_is_said_and_passes() -> Result<()> {
    let site = Site::new().await?;
    let options = site.options();
    let Some(disk) = Disk::mount(&options.state_dir, 16)? else {
        if rustix::process::getuid().is_root() {
            bail!("can't mount a tmpfs, though this is root");
        }
        eprintln!("mounting is for root: not tested");
        return Ok(());
    };
    let mut master = integration_tests::Master::start(&options).await?;
    let (m, late) = (site.model("m")?.serves("")?, site.model("late")?.serves("")?);
    site.add(&m, "m", "1.0", 2).await?;
    let before = site.answering("m", 2).await?;
    let filler = disk.fill()?;

    let add = ["-mo", "ADD", "-n", "late", "-v", "1", "-ni", "1", "-m", "64", "-lmp", late.arg(), "-hmp", "/models"];
    site.deploy(&add).await?.exits(0)?;
    until(Duration::from_secs(60), "the reason", async || {
        let status = site.deploy(&["status", "-n", "late", "--json"]).await?.exits(0)?.json()?;
        let reason = status[0]["reason"].as_str().unwrap_or_default().to_lowercase();
        ensure!(reason.contains("no space left"), "{status}");
        Ok(())
    })
    .await?;
    let after = site.answering("m", 2).await?;
    ensure!(before == after, "{before:?} became {after:?}");
    // Also a master that starts on the full disk leads and keeps what runs.
    master.kill().await?;
    let _master = integration_tests::Master::start(&options).await?;
    ensure!(site.answering("m", 2).await? == before, "the running ones were touched");

    std::fs::remove_file(filler)?;
    site.deploy(&add).await?.exits(0)?;
    site.answering("late", 2).await?;
    let ready = site.deploy(&["status", "-n", "late", "--json"]).await?.exits(0)?.json()?;
    ensure!(ready[0]["state"] == "Ready", "{ready}");
    site.no_orphans(&["m", "late"]).await
}
