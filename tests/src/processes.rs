//! Which processes belong to a test: whose command line, working directory or environment lies in its directory.
//!
//! Models inherit a temporary directory below the state directory and run there, so a model's descendants are found even
//! when they made a session of their own.

use std::path::Path;

/// One process found.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its command line, blanks between the arguments.
    pub command: String,
    /// Its `MAAS_INSTANCE_ID`, when it is a model's.
    pub instance: Option<String>,
}

/// All living processes of a test whose directory is `dir`. Zombies don't count.
pub fn of_site(dir: &Path) -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|&pid| pid != std::process::id())
        .filter_map(|pid| look(pid, dir))
        .collect()
}

fn look(pid: u32, dir: &Path) -> Option<Process> {
    let proc = Path::new("/proc").join(pid.to_string());
    let text = |file: &str| {
        std::fs::read(proc.join(file)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    };
    let (command, environment) = (text("cmdline"), text("environ"));
    let works_there = std::fs::read_link(proc.join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir));
    let name = dir.to_str()?;
    if command.is_empty() || !(works_there || command.contains(name) || environment.contains(name)) {
        return None;
    }
    let instance = environment.split('\0').find_map(|pair| pair.strip_prefix("MAAS_INSTANCE_ID=")).map(str::to_string);
    Some(Process { pid, command: command.trim_end_matches('\0').replace('\0', " "), instance })
}
