//! Finds the control group that systemd lends a master for its instances.
//!
//! In version 2 a group that hands the memory controller on to groups below it holds no process itself, and systemd can't
//! start a service again in such a group while instances of before live below it. So the master does not move itself: it
//! takes what is lent only where systemd has put it into a group of its own below, which is what `Delegate=yes` with
//! `DelegateSubgroup=master` asks for. Elsewhere `--cgroup` names one. The leaves are the runners' to make.

use rustix::fs::{Access, access};
use std::fs;
use std::path::{Path, PathBuf};

/// The group that the unit asks for, for the master alone.
const OWN_GROUP: &str = "master";

/// The group that instances may have theirs below; `None` where none is lent.
pub(super) fn delegated() -> Option<PathBuf> {
    let read = |name: &str| fs::read_to_string(Path::new("/proc/self").join(name)).ok();
    lent(&own_group(&read("mountinfo")?, &read("cgroup")?)?)
}

/// The directory of this process's own group of version 2. Pure.
fn own_group(mounts: &str, groups: &str) -> Option<PathBuf> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let fields: Vec<&str> = mount.split(' ').collect();
        // proc(5): the fourth field is what of the file system is mounted, the fifth is where.
        let (root, place) = (Path::new(fields.get(3)?), Path::new(fields.get(4)?));
        let below = Path::new(path).strip_prefix(root).ok()?;
        (file_system.split(' ').next() == Some("cgroup2")).then(|| place.join(below))
    })
}

/// What is above `own`, when that is for instances and can be used.
fn lent(own: &Path) -> Option<PathBuf> {
    let parent = own.parent().filter(|_| own.file_name().is_some_and(|name| name == OWN_GROUP))?;
    let read = |name: &str| fs::read_to_string(parent.join(name)).ok();
    let has_memory = read("cgroup.controllers")?.split_ascii_whitespace().any(|controller| controller == "memory");
    let is_empty = read("cgroup.procs")?.trim().is_empty();
    let writable = ["", "cgroup.procs", "cgroup.subtree_control"]
        .iter()
        .all(|name| access(parent.join(name), Access::WRITE_OK).is_ok());
    (has_memory && is_empty && writable).then(|| parent.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service's group with the master's below it.
    fn service(controllers: &str, processes: &str, own: &str) -> (tempfile::TempDir, PathBuf) {
        let group = tempfile::tempdir().unwrap();
        fs::write(group.path().join("cgroup.controllers"), controllers).unwrap();
        fs::write(group.path().join("cgroup.procs"), processes).unwrap();
        fs::write(group.path().join("cgroup.subtree_control"), "").unwrap();
        let own = group.path().join(own);
        fs::create_dir(&own).unwrap();
        (group, own)
    }

    #[test]
    fn a_service_group_is_lent_when_the_master_has_one_of_its_own_below_it() {
        let (group, own) = service("cpu memory pids\n", "", "master");
        assert_eq!(lent(&own).as_deref(), Some(group.path()));
    }

    #[test]
    fn a_group_without_memory_or_with_processes_or_of_others_is_not_lent() {
        for (controllers, processes, own) in
            [("hugetlb", "", "master"), ("memory", "77\n", "master"), ("memory", "", "maas.service")]
        {
            let (_group, own) = service(controllers, processes, own);
            assert_eq!(lent(&own), None, "{controllers} {processes:?} {}", own.display());
        }
        assert_eq!(lent(Path::new("/")), None);
    }

    #[test]
    fn the_own_group_is_found_through_the_mounts() {
        let mounts = "30 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      36 25 0:31 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";
        let found = own_group(mounts, "4:memory:/x\n0::/system.slice/maas.service/master\n").unwrap();
        assert_eq!(found, Path::new("/sys/fs/cgroup/system.slice/maas.service/master"));
        let part = "36 25 0:31 /machine /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(own_group(part, "0::/machine/master\n").unwrap(), Path::new("/sys/fs/cgroup/master"));
        assert_eq!(own_group(part, "0::/other/master\n"), None);
        assert_eq!(own_group(mounts, "4:memory:/x\n"), None);
    }
}
