//! The processes below a process, read from `/proc`, and signals to all of them.
//!
//! Guard and runner are both subreapers, so whatever a model starts stays below one of them even when it makes its own
//! session or its parent dies. Signals go through pidfds, after a second look at the start time: a pid that was reused
//! since the look at `/proc` is never hit. Reading one process is [`maas_client::process`]'s. Deciding who is below whom is pure ([`below`]).

pub(crate) use maas_client::process::Process;

use maas_client::process;
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal};
use std::collections::HashMap;
use std::{fs, io};

/// One process now; `None` when there is none of that id, or when it can't be told.
pub(crate) fn look(pid: i32) -> Option<Process> {
    process::look(pid).ok().flatten()
}

/// Every process that `/proc` shows.
fn all() -> io::Result<Vec<Process>> {
    let hidden = |looked: &io::Result<Process>| matches!(looked, Err(e) if e.kind() == io::ErrorKind::PermissionDenied);
    let looked = process::all()?.into_iter().filter_map(|pid| process::look(pid).transpose());
    // Where /proc hides other users' processes they are none of ours.
    looked.filter(|looked| !hidden(looked)).collect()
}

/// Those of `processes` that stand below `root`, `root` left out. Pure.
pub(crate) fn below(root: i32, processes: &[Process]) -> Vec<Process> {
    let mut children: HashMap<i32, Vec<&Process>> = HashMap::new();
    for process in processes {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            found.push(*child);
            parents.push(child.pid);
        }
    }
    found
}

/// Everything below `root` now, zombies included, from a look at the whole of `/proc`. Fails when that can't be told,
/// which is not the same as nothing.
pub(crate) fn descendants(root: i32) -> io::Result<Vec<Process>> {
    Ok(below(root, &all()?))
}

/// As [`descendants`], following the kernel's lists of children where it keeps them: the cost is that of this tree, not
/// of the machine. It may miss a process that is being started or re-parented just now, so it is for accounting only.
pub(crate) fn descendants_cheaply(root: i32) -> Vec<Process> {
    let Some(first) = children_of(root) else { return descendants(root).unwrap_or_default() };
    let mut found = Vec::new();
    let mut waiting = first;
    while let Some(pid) = waiting.pop() {
        let Some(process) = look(pid) else { continue };
        found.push(process);
        waiting.extend(children_of(pid).unwrap_or_default());
    }
    found
}

fn children_of(pid: i32) -> Option<Vec<i32>> {
    let mut children = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        match fs::read_to_string(task.path().join("children")) {
            Ok(list) => children.extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok())),
            // A thread that has just ended is no reason to read all of /proc; a kernel without these lists is.
            Err(_) if task.path().join("stat").exists() => return None,
            Err(_) => {}
        }
    }
    Some(children)
}

/// Sends `signal` to exactly this process; one that has ended meanwhile is left alone.
pub(crate) fn signal(process: &Process, signal: Signal) {
    let Some(pid) = Pid::from_raw(process.pid) else { return };
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    if look(process.pid).is_some_and(|now| now.start_ticks == process.start_ticks) {
        let _ended_meanwhile = pidfd_send_signal(&pidfd, signal);
    }
}

/// Sends `SIGKILL` to all that live below `root` but `spared`, and says how many those were.
///
/// A process may have forked between the look and the signal: repeat until nothing is left.
pub(crate) fn kill_below(root: i32, spared: Option<i32>) -> io::Result<usize> {
    let mut living = 0;
    for process in descendants(root)?.iter().filter(|process| process.alive && Some(process.pid) != spared) {
        living += 1;
        signal(process, Signal::KILL);
    }
    Ok(living)
}

/// Takes the exit code of one child that has ended, if there is one: pid and raw wait status.
pub(crate) fn reap() -> Option<(i32, i32)> {
    let (pid, status) = rustix::process::wait(WaitOptions::NOHANG).ok()??;
    Some((pid.as_raw_nonzero().get(), status.as_raw()))
}

/// This process's own id.
pub(crate) fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32) -> Process {
        Process { pid, parent, start_ticks: 1, resident_pages: 1, alive: true }
    }

    #[test]
    fn all_generations_are_found_and_strangers_are_not() {
        let all = [process(2, 1), process(3, 2), process(4, 3), process(5, 1), process(6, 5), process(7, 2)];
        let mut found: Vec<i32> = below(2, &all).iter().map(|process| process.pid).collect();
        found.sort_unstable();
        assert_eq!(found, [3, 4, 7]);
    }

    #[test]
    fn a_parent_that_is_its_own_child_does_not_go_round_for_ever() {
        assert_eq!(below(2, &[process(2, 2)]).len(), 1);
    }
}
