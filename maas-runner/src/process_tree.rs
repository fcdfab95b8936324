//! The processes below a process, read from `/proc`, and signals to all of them.
//!
//! Guard and runner are both subreapers, so whatever a model starts stays below one of them even when it makes its own
//! session or its parent dies. Signals go through pidfds, after a second look at the start time: a pid that was reused
//! since the look at `/proc` is never hit. Deciding who is below whom is pure ([`below`]).

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal};
use std::collections::HashMap;
use std::fs;

/// What `/proc/<pid>/stat` says of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id.
    pub(crate) pid: i32,
    /// Its parent's id.
    pub(crate) parent: i32,
    /// When it was started, in clock ticks since boot: with the pid, which process it is.
    pub(crate) start_ticks: u64,
    /// Resident pages.
    pub(crate) resident_pages: u64,
    /// False for a zombie, of which nothing is left but its exit code.
    pub(crate) alive: bool,
}

/// Reads one line of `/proc/<pid>/stat`. The command's name may hold blanks and brackets, so it is cut at the last one.
pub(crate) fn parse_stat(text: &str) -> Option<Process> {
    let pid = text.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
    // Numbered from `state`, which proc(5) counts as field 3. A leader thread that is gone while others go on is shown
    // as a zombie too; the number of threads tells.
    let threads: u32 = fields.get(17)?.parse().ok()?;
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
        resident_pages: fields.get(21)?.parse::<i64>().ok()?.max(0).unsigned_abs(),
        alive: !matches!(*fields.first()?, "Z" | "X") || threads > 1,
    })
}

/// One process now; `None` when there is none of that id.
pub(crate) fn look(pid: i32) -> Option<Process> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Every process that `/proc` shows.
fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(look).collect()
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

/// Everything below `root` now, zombies included, from a look at the whole of `/proc`.
pub(crate) fn descendants(root: i32) -> Vec<Process> {
    below(root, &all())
}

/// As [`descendants`], following the kernel's lists of children where it keeps them: the cost is that of this tree, not
/// of the machine. It may miss a process that is being started or re-parented just now, so it is for accounting only.
pub(crate) fn descendants_cheaply(root: i32) -> Vec<Process> {
    let Some(first) = children_of(root) else { return descendants(root) };
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
pub(crate) fn kill_below(root: i32, spared: Option<i32>) -> usize {
    let mut living = 0;
    for process in descendants(root).iter().filter(|process| process.alive && Some(process.pid) != spared) {
        living += 1;
        signal(process, Signal::KILL);
    }
    living
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
    fn a_command_name_with_blanks_and_brackets_does_not_shift_the_fields() {
        let line = "71 (a) b (c) S 9 71 71 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 5566 1000 77 18446744073709551615 1 1";
        let found = parse_stat(line).unwrap();
        assert_eq!((found.pid, found.parent, found.start_ticks, found.resident_pages), (71, 9, 5566, 77));
        assert!(found.alive);
        assert!(!parse_stat(&line.replace(") S ", ") Z ")).unwrap().alive);
        assert!(parse_stat("71 (cut").is_none());
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
