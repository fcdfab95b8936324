//! Which process of this machine a pid means: what `/proc` says of it, for the runner that writes a lock file and the
//! master that reads it.
//!
//! A pid is reused, so it counts only with its start time, and that only within one boot. A look that fails is no word
//! about the process: only [`is_gone`] says that there is none. Signals and waiting are left to those who look.

use std::{fs, io};

/// What the system answers for a process that there is not ("no such process").
const ESRCH: i32 = 3;

/// What `/proc/<pid>/stat` says of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its parent's id.
    pub parent: i32,
    /// When it was started, in clock ticks since boot: with the pid, which process it is.
    pub start_ticks: u64,
    /// Resident pages.
    pub resident_pages: u64,
    /// False for a zombie, of which nothing is left but its exit code.
    pub alive: bool,
}

/// Reads one line of `/proc/<pid>/stat`. The command's name may hold blanks and brackets, so it is cut at the last one.
pub fn parse_stat(text: &str) -> Option<Process> {
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

/// One process now; `None` when there is none of that id. Fails when that can't be told.
pub fn look(pid: i32) -> io::Result<Option<Process>> {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(text) => match parse_stat(&text) {
            None => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/stat can't be read: {text:?}")))
            }
            process => Ok(process),
        },
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The ids of all processes that `/proc` shows.
pub fn all() -> io::Result<Vec<i32>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc")? {
        pids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(pids)
}

/// Whether an error says that there is no such process or file. Any other one says nothing of the kind.
pub fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ESRCH)
}

/// This boot's id.
pub fn boot_id() -> io::Result<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn only_what_is_not_there_is_gone() {
        // Linux has no process with so high an id.
        assert_eq!(look(i32::MAX).unwrap(), None);
        assert!(look(i32::try_from(std::process::id()).unwrap()).unwrap().unwrap().alive);
        for (code, gone) in [(2, true), (ESRCH, true), (24, false), (23, false), (12, false), (13, false), (5, false)] {
            assert_eq!(is_gone(&io::Error::from_raw_os_error(code)), gone, "error {code}");
        }
    }
}
