//! How much memory the model's process tree uses, and the limit on it.
//!
//! With a control group (v2, or v1 where only that has the memory controller) the kernel enforces the limit and counts
//! its kills; without one, or where none can be made, the tree's resident size is watched. Reading and deciding stand
//! apart: [`Verdict`] comes from plain numbers.

use crate::process_tree::Process;
use std::fs;
use std::path::{Path, PathBuf};

/// Name of the file in a control group that lists its processes.
pub(crate) const PROCS: &str = "cgroup.procs";
const MIB: u64 = 1 << 20;

/// A control group of one instance.
#[derive(Debug)]
pub(crate) struct Group {
    leaf: PathBuf,
    version: Version,
    limit: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Why no control group could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{} has no memory controller", .0.display())]
    NoController(PathBuf),
    #[error("{} can't be written", .path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

fn write(path: PathBuf, value: &str) -> Result<(), Error> {
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, value.as_bytes()))
        .map_err(|source| Error::Write { path, source })
}

impl Group {
    /// Makes the leaf `id` below `parent` with this limit.
    pub(crate) fn create(parent: &Path, id: &str, limit_mb: u64) -> Result<Group, Error> {
        let version = if parent.join("memory.limit_in_bytes").exists() {
            Version::One
        } else if fs::read_to_string(parent.join("cgroup.controllers"))
            .is_ok_and(|list| list.split_ascii_whitespace().any(|controller| controller == "memory"))
        {
            // Already on, or not ours to turn on: the limit's own file decides, below.
            let _maybe_on = write(parent.join("cgroup.subtree_control"), "+memory");
            Version::Two
        } else {
            return Err(Error::NoController(parent.to_path_buf()));
        };
        let leaf = parent.join(id);
        match fs::create_dir(&leaf) {
            Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(Error::Write { path: leaf, source });
            }
            _ => {}
        }
        let group = Group { leaf, version, limit: limit_mb.saturating_mul(MIB) };
        let value = group.limit.to_string();
        match version {
            Version::One => {
                write(group.leaf.join("memory.limit_in_bytes"), &value)?;
                // Only there where swap is accounted.
                let _no_swap = write(group.leaf.join("memory.memsw.limit_in_bytes"), &value);
            }
            Version::Two => {
                write(group.leaf.join("memory.max"), &value)?;
                let _no_swap = write(group.leaf.join("memory.swap.max"), "0");
                // One of them is no model any more: all go together.
                let _older_kernel = write(group.leaf.join("memory.oom.group"), "1");
            }
        }
        Ok(group)
    }

    /// The file that a process writes itself into to be in the group.
    pub(crate) fn procs(&self) -> PathBuf {
        self.leaf.join(PROCS)
    }

    /// How often the kernel has killed a process of the group for want of memory.
    fn kills(&self) -> u64 {
        let (file, key) = match self.version {
            Version::One => ("memory.oom_control", "oom_kill"),
            Version::Two => ("memory.events", "oom_kill"),
        };
        let text = fs::read_to_string(self.leaf.join(file)).unwrap_or_default();
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(name, _)| *name == key)
            .and_then(|(_, count)| count.trim().parse().ok())
            .unwrap_or(0)
    }

    /// The most it ever used, bytes.
    fn peak(&self) -> Option<u64> {
        let file = match self.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        fs::read_to_string(self.leaf.join(file)).ok()?.trim().parse().ok()
    }

    /// Whether the kernel has killed for want of memory, and what was used then.
    pub(crate) fn verdict(&self) -> Verdict {
        if self.kills() == 0 {
            return Verdict::Within;
        }
        Verdict::Over {
            used_mb: self.peak().unwrap_or(self.limit).max(self.limit).div_ceil(MIB),
            limit_mb: self.limit / MIB,
        }
    }

    /// Kills everything in the group at once, where the kernel can.
    pub(crate) fn kill(&self) {
        if self.version == Version::Two {
            let _older_kernel = write(self.leaf.join("cgroup.kill"), "1");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Fails while something lives in it; the master takes away what stays.
        let _still_in_use = fs::remove_dir(&self.leaf);
    }
}

/// Whether a tree keeps within its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It does.
    Within,
    /// It does not.
    Over {
        /// What it used, MB.
        used_mb: u64,
        /// What it may use, MB.
        limit_mb: u64,
    },
}

/// Compares. Pure.
pub(crate) fn judge(used_bytes: u64, limit_mb: u64) -> Verdict {
    if used_bytes > limit_mb.saturating_mul(MIB) {
        Verdict::Over { used_mb: used_bytes.div_ceil(MIB), limit_mb }
    } else {
        Verdict::Within
    }
}

/// The resident size of a tree, bytes, pages that several of its processes share counted once for each.
pub(crate) fn resident(tree: &[Process]) -> u64 {
    let page = rustix::param::page_size() as u64;
    tree.iter().map(|process| process.resident_pages.saturating_mul(page)).sum()
}

/// The resident size of a tree, bytes, shared pages shared out among those who share them. Costly: asked for only when
/// [`resident`] is over the limit, so that a server which forks its workers is not killed for pages it holds once.
pub(crate) fn proportional(tree: &[Process]) -> u64 {
    let page = rustix::param::page_size() as u64;
    tree.iter()
        .map(|process| {
            fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid))
                .ok()
                .and_then(|text| parse_pss(&text))
                .unwrap_or(process.resident_pages.saturating_mul(page))
        })
        .sum()
}

fn parse_pss(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kb| kb * 1024)
}

/// Whether a new figure is worth telling: it differs by an eighth and at least 4 MB. Pure.
pub(crate) fn is_notable(told_mb: Option<u64>, now_mb: u64) -> bool {
    match told_mb {
        // Nothing runs yet.
        None => now_mb > 0,
        Some(told) => told.abs_diff(now_mb) >= (told / 8).max(4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_within() {
        assert_eq!(judge(256 * MIB, 256), Verdict::Within);
        assert_eq!(judge(312 * MIB - 5, 256), Verdict::Over { used_mb: 312, limit_mb: 256 });
    }

    #[test]
    fn small_changes_are_not_worth_a_write() {
        assert!(is_notable(None, 1) && is_notable(Some(100), 113) && is_notable(Some(10), 5));
        assert!(!is_notable(None, 0) && !is_notable(Some(100), 111) && !is_notable(Some(10), 13));
    }

    #[test]
    fn the_shared_part_is_read_from_the_rollup() {
        assert_eq!(parse_pss("00-11 ---p [rollup]\nRss:   900 kB\nPss:    320 kB\n"), Some(320 * 1024));
        assert_eq!(parse_pss("nonsense"), None);
    }

    /// A directory that looks like a delegated v2 group: the leaf's own files must be there before they are written.
    fn second_version(controllers: &str) -> tempfile::TempDir {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("cgroup.controllers"), controllers).unwrap();
        fs::write(parent.path().join("cgroup.subtree_control"), "").unwrap();
        let leaf = parent.path().join("1-2-abcd");
        fs::create_dir(&leaf).unwrap();
        for file in ["memory.max", "memory.swap.max", "memory.oom.group", "cgroup.kill", PROCS] {
            fs::write(leaf.join(file), "").unwrap();
        }
        fs::write(leaf.join("memory.events"), "low 0\noom 0\noom_kill 0\noom_group_kill 0\n").unwrap();
        parent
    }

    #[test]
    fn a_group_of_version_two_gets_its_limit_and_tells_of_kills() {
        let parent = second_version("cpu memory pids");
        let group = Group::create(parent.path(), "1-2-abcd", 256).unwrap();
        let leaf = parent.path().join("1-2-abcd");
        assert_eq!(fs::read_to_string(leaf.join("memory.max")).unwrap(), (256 * MIB).to_string());
        assert_eq!(fs::read_to_string(leaf.join("memory.oom.group")).unwrap(), "1");
        assert_eq!(fs::read_to_string(parent.path().join("cgroup.subtree_control")).unwrap(), "+memory");
        assert_eq!(group.procs(), leaf.join(PROCS));
        assert_eq!(group.verdict(), Verdict::Within);
        fs::write(leaf.join("memory.events"), "oom 3\noom_kill 1\n").unwrap();
        assert_eq!(group.verdict(), Verdict::Over { used_mb: 256, limit_mb: 256 });
        group.kill();
        assert_eq!(fs::read_to_string(leaf.join("cgroup.kill")).unwrap(), "1");
    }

    #[test]
    fn without_the_memory_controller_there_is_no_group() {
        let parent = second_version("hugetlb");
        assert!(matches!(Group::create(parent.path(), "1-2-abcd", 1), Err(Error::NoController(_))));
    }
}
