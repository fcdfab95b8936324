//! `maas_runner guard`: the small process between runner and script that leaves no descendant alive.
//!
//! One thread, no runtime, safe calls only. Its standard input is one end of a socket pair whose other end only the
//! runner holds, and is closed on exec: end of file there means that the runner is gone, however it went. Then, and when
//! the script ends, everything below the guard is killed; as a subreaper it has inherited what lost its parent or made
//! its own session. What it leaves to others: deciding (the runner), and the case that guard and runner die together
//! (then the master clears what carries the instance's id in its environment).

use crate::process_tree::{kill_below, own_pid, reap};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What the runner asks its guard to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// `cgroup.procs` files of the groups that the script shall live in.
    pub(crate) groups: Vec<PathBuf>,
    /// The program and its arguments.
    pub(crate) program: Vec<OsString>,
}

/// What the guard tells the runner, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// The script runs under this pid.
    Started(i32),
    /// The script could not be executed.
    NotStarted(String),
    /// The script ended with this raw wait status.
    Ended(i32),
}

impl Report {
    fn line(&self) -> String {
        match self {
            Report::Started(pid) => format!("started {pid}\n"),
            Report::NotStarted(why) => format!("not_started {}\n", why.replace('\n', " ")),
            Report::Ended(status) => format!("ended {status}\n"),
        }
    }

    /// Reads one line; `None` when it is none of ours.
    pub(crate) fn parse(line: &str) -> Option<Report> {
        let (word, rest) = line.trim_end_matches('\n').split_once(' ')?;
        match word {
            "started" => rest.parse().ok().map(Report::Started),
            "not_started" => Some(Report::NotStarted(rest.to_string())),
            "ended" => rest.parse().ok().map(Report::Ended),
            _ => None,
        }
    }
}

/// Starts the script, waits for its end or the runner's, kills everything below, and returns.
pub(crate) fn run(order: &Order) -> std::io::Result<()> {
    let runner = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    runner.set_nonblocking(true)?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    if at_end(&runner) {
        return Ok(());
    }
    let script = match start(order) {
        Ok(script) => script,
        Err(error) => {
            tell(&runner, &Report::NotStarted(error.to_string()));
            return Ok(());
        }
    };
    tell(&runner, &Report::Started(script));
    // The script can't be reaped by anyone else before we do it, so the pid is still its own.
    let pidfd = Pid::from_raw(script).map(|pid| pidfd_open(pid, PidfdFlags::empty())).transpose()?;
    loop {
        let mut waited = vec![PollFd::new(&runner, PollFlags::IN)];
        waited.extend(pidfd.as_ref().map(|pidfd| PollFd::new(pidfd, PollFlags::IN)));
        // Once a second zombies that were re-parented to us are taken away.
        let _interrupted_or_ready = poll(&mut waited, Some(&Timespec { tv_sec: 1, tv_nsec: 0 }));
        while let Some((pid, status)) = reap() {
            if pid == script {
                tell(&runner, &Report::Ended(status));
                clear();
                return Ok(());
            }
        }
        if at_end(&runner) {
            clear();
            return Ok(());
        }
    }
}

/// Starts the script inside its control groups and steps out of them again, so that the guard's own memory is not
/// counted and the guard is not the one that is killed when it runs out.
fn start(order: &Order) -> std::io::Result<i32> {
    let (program, arguments) =
        order.program.split_first().ok_or_else(|| std::io::Error::other("no program was named"))?;
    let mut left = Vec::new();
    for group in &order.groups {
        let home = group_of_this_process(group);
        enter(group)?;
        left.extend(home);
    }
    let started = Command::new(program).args(arguments).stdin(Stdio::null()).process_group(0).spawn();
    for home in left {
        // Not permitted everywhere; then the guard stays inside and costs the model two megabytes.
        let _stays = enter(&home);
    }
    Ok(i32::try_from(started?.id()).unwrap_or(i32::MAX))
}

fn enter(procs: &Path) -> std::io::Result<()> {
    fs::OpenOptions::new().write(true).open(procs)?.write_all(own_pid().to_string().as_bytes())
}

/// The `cgroup.procs` file of the group that this process is in now, in the hierarchy that `group` belongs to.
fn group_of_this_process(group: &Path) -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    find_home(group, &groups, &own_pid().to_string())
}

/// Each line of `groups` names a group from the root of its hierarchy: the one that lists `pid` below a directory above
/// `group` is meant.
fn find_home(group: &Path, groups: &str, pid: &str) -> Option<PathBuf> {
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).map(|path| path.trim_start_matches('/'));
    let places: Vec<&str> = paths.collect();
    group
        .parent()?
        .ancestors()
        .skip(1)
        .flat_map(|above| places.iter().map(move |place| above.join(place).join(crate::memory::PROCS)))
        .find(|procs| fs::read_to_string(procs).is_ok_and(|list| list.lines().any(|line| line == pid)))
}

/// True when the runner's end is closed.
fn at_end(runner: &UnixStream) -> bool {
    let mut byte = [0u8; 16];
    loop {
        match rustix::io::read(runner, &mut byte) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return false,
            Err(_) => return true,
        }
    }
}

fn tell(mut runner: &UnixStream, report: &Report) {
    let _runner_is_gone = runner.write_all(report.line().as_bytes());
}

/// Kills and reaps until nothing lives below this process.
fn clear() {
    let own = own_pid();
    let mut pause = Duration::from_millis(1);
    // What can't be looked at just now may live.
    while !matches!(kill_below(own, None), Ok(0)) {
        let _interrupted = poll(&mut [], Timespec::try_from(pause).ok().as_ref());
        while reap().is_some() {}
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_to_go_back_to_may_stand_beside_the_instances() {
        let mount = tempfile::tempdir().unwrap();
        let service = mount.path().join("system.slice/maas.service");
        for (group, processes) in [("", ""), ("master", "70\n71\n"), ("1-1-beef", "")] {
            fs::create_dir_all(service.join(group)).unwrap();
            fs::write(service.join(group).join(crate::memory::PROCS), processes).unwrap();
        }
        let leaf = service.join("1-1-beef").join(crate::memory::PROCS);
        let groups = "4:memory:/elsewhere\n0::/system.slice/maas.service/master\n";
        let home = service.join("master").join(crate::memory::PROCS);
        assert_eq!(find_home(&leaf, groups, "71"), Some(home));
        assert_eq!(find_home(&leaf, groups, "7"), None);
    }

    #[test]
    fn a_report_survives_its_line() {
        for report in [Report::Started(7), Report::NotStarted("No such file".into()), Report::Ended(256)] {
            assert_eq!(Report::parse(&report.line()), Some(report));
        }
        assert_eq!(Report::parse("nonsense\n"), None);
        assert_eq!(Report::parse("started x\n"), None);
    }
}
