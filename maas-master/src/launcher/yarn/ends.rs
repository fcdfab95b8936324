//! From a container's exit status and diagnostics to a reason that a person understands, and that decides whether the model is to blame.
//!
//! It is the launcher's word, for when the runner could not leave its own. Statuses and texts are those of Hadoop 3.5.0.

use hadoop_yarn::types::{ContainerStatus, ExitStatus};
use maas_client::reason::{InstanceState, Reason, ReasonCode};

/// Longest part of YARN's own words that goes into a reason.
const WORDS: usize = 300;

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// `Stopped` when it was ended on our order, else `Failed`.
    pub state: InstanceState,
    /// Why. [`ReasonCode::Preempted`], [`ReasonCode::NodeLost`] and [`ReasonCode::Replaced`] don't count as the model's failure.
    pub reason: Reason,
    /// The command's own exit code, where it had one.
    pub exit_code: Option<i32>,
}

/// What a completed container's status means.
pub fn end(status: &ContainerStatus) -> End {
    let words = status.diagnostics.as_str();
    let failed =
        |code, text: String| End { state: InstanceState::Failed, reason: Reason::new(code, text), exit_code: None };
    let stopped = |text: &str| End {
        state: InstanceState::Stopped,
        reason: Reason::new(ReasonCode::Killed, text),
        exit_code: None,
    };
    match status.exit_status {
        ExitStatus::ABORTED if words.contains("*lost* node") => {
            failed(ReasonCode::NodeLost, "its node is lost to YARN".into())
        }
        ExitStatus::ABORTED if words.contains("expired since it was unused") => {
            failed(ReasonCode::ScriptNotStarted, "its container was granted and not started in time".into())
        }
        ExitStatus::ABORTED if words.contains("completed application") => failed(
            ReasonCode::Replaced,
            "its container had not begun to run when the master that asked for it ended".into(),
        ),
        ExitStatus::ABORTED => stopped("its container was released"),
        ExitStatus::DISKS_FAILED => failed(ReasonCode::NodeLost, "too many disks of its node are bad".into()),
        ExitStatus::PREEMPTED => failed(ReasonCode::Preempted, "YARN's scheduler took its container back".into()),
        ExitStatus::KILLED_BY_SCHEDULER => {
            failed(ReasonCode::Preempted, "its node needed its container for a guaranteed one".into())
        }
        ExitStatus::MEMORY | ExitStatus::VIRTUAL_MEMORY => failed(ReasonCode::OutOfMemory, memory(words)),
        ExitStatus::KILLED_BY_MASTER => stopped("stopped through YARN"),
        ExitStatus::KILLED_BY_RESOURCE_MANAGER => failed(
            ReasonCode::NodeLost,
            "killed by the ResourceManager, as when a node comes back after it was lost".into(),
        ),
        ExitStatus::KILLED_AFTER_APPLICATION => stopped("its application has ended"),
        ExitStatus::INVALID => not_started(words),
        ExitStatus::LOST => {
            failed(ReasonCode::ScriptExited, "it ended while its NodeManager was away, and how is lost".into())
        }
        ExitStatus(code @ (126 | 127)) => End {
            exit_code: Some(code),
            ..failed(
                ReasonCode::ScriptNotStarted,
                format!("its command was not {}", if code == 127 { "found" } else { "executable" }),
            )
        },
        ExitStatus(code @ 129..=159) => {
            End { exit_code: Some(code), ..failed(ReasonCode::Killed, format!("killed by signal {}", code - 128)) }
        }
        // The command is a runner, which ends so only when nobody wants it any more.
        ExitStatus(0) => End {
            state: InstanceState::Stopped,
            reason: Reason::new(ReasonCode::Removed, "stopped as it was told"),
            exit_code: Some(0),
        },
        ExitStatus(code @ 0..) => {
            End { exit_code: Some(code), ..failed(ReasonCode::ScriptExited, format!("ended with {code}")) }
        }
        ExitStatus(code) => failed(ReasonCode::Killed, format!("ended by YARN with {code}: {}", first_line(words))),
    }
}

/// The end of one that YARN killed for its memory, and whose command ended by itself on YARN's SIGTERM: the status then is
/// the command's, and only the diagnostics say why.
pub(super) fn over_memory(words: &str) -> Option<End> {
    let is_it = |line: &&str| line.contains("Container [pid=") && line.contains("memory limit. Current usage: ");
    let line = words.lines().find(is_it)?;
    let reason = Reason::new(ReasonCode::OutOfMemory, memory(line));
    Some(End { state: InstanceState::Failed, reason, exit_code: None })
}

/// `used 411.1 MB of 128 MB physical memory`, out of YARN's longer words.
fn memory(words: &str) -> String {
    let usage = words.split_once("Current usage: ").map(|(_, rest)| rest);
    // Under virtual memory the amount that broke the limit is the second one.
    let usage = usage.and_then(|usage| {
        if words.contains("'VIRTUAL'") { usage.split_once("; ").map(|(_, rest)| rest) } else { Some(usage) }
    });
    match usage.and_then(|usage| usage.split_once(" used")) {
        Some((usage, _)) if usage.contains(" of ") => format!("used {}", shortened(usage)),
        _ => "used more memory than it asked for".to_string(),
    }
}

/// Its files could not be fetched, or its launch could not be set up.
fn not_started(words: &str) -> End {
    let code = if words.contains("changed on src filesystem") {
        ReasonCode::PayloadChanged
    } else if ["Localiz", "localiz", "FileNotFoundException", "not publicly accessible", "Permission denied"]
        .iter()
        .any(|mark| words.contains(mark))
    {
        ReasonCode::PayloadUnreadable
    } else {
        ReasonCode::ScriptNotStarted
    };
    let reason = Reason::new(code, format!("its container could not be started: {}", cause(words)));
    End { state: InstanceState::Failed, reason, exit_code: None }
}

/// The innermost cause where Java names one, else the first line. Long texts arrive with their front cut off.
fn cause(words: &str) -> String {
    match words.rsplit_once("Caused by: ") {
        Some((_, cause)) => first_line(cause),
        None => first_line(words),
    }
}

fn first_line(words: &str) -> String {
    let mut lines = words.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("at "));
    lines.next().map_or_else(|| "YARN says nothing".to_string(), shortened)
}

fn shortened(text: &str) -> String {
    // What YARN puts in front: when it was said.
    let text = match (text.strip_prefix('['), text.split_once(']')) {
        (Some(_), Some((time, rest))) if time.contains(':') => rest,
        _ => text,
    };
    text.chars().take(WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hadoop_yarn::types::ContainerState;

    fn ended(code: i32, diagnostics: &str) -> End {
        let id = "container_1795236020553_0004_01_000002".parse().expect("an id");
        end(&ContainerStatus {
            id,
            state: ContainerState::Complete,
            exit_status: ExitStatus(code),
            diagnostics: diagnostics.to_string(),
        })
    }

    #[test]
    fn every_end_has_its_code_and_a_sentence() {
        let memory = "[2026-11-21 04:40:51.921]Container [pid=1,containerID=c] is running 296845312B beyond the 'PHYSICAL' memory limit. Current usage: 411.1 MB of 128 MB physical memory used; 2.6 GB of 268.8 MB virtual memory used. Killing container.";
        let changed =
            "[2026-11-21 04:40:51.921]Resource hdfs://nn:8020/x changed on src filesystem - expected: 1, was: 2";
        let missing = "Failed to localize\nJava trace\n\tat a.b\nCaused by: java.io.FileNotFoundException: File does not exist: hdfs://nn:8020/x\n\tat c.d";
        let cases: [(i32, &str, InstanceState, ReasonCode, &str); 16] = [
            (
                -100,
                "Container of a completed application",
                InstanceState::Failed,
                ReasonCode::Replaced,
                "its container had not begun to run when the master that asked for it ended",
            ),
            (
                -100,
                "Container released on a *lost* node",
                InstanceState::Failed,
                ReasonCode::NodeLost,
                "its node is lost to YARN",
            ),
            (
                -100,
                "Container released by application",
                InstanceState::Stopped,
                ReasonCode::Killed,
                "its container was released",
            ),
            (
                -100,
                "Container expired since it was unused",
                InstanceState::Failed,
                ReasonCode::ScriptNotStarted,
                "its container was granted and not started in time",
            ),
            (-101, "", InstanceState::Failed, ReasonCode::NodeLost, "too many disks of its node are bad"),
            (
                -102,
                "Container preempted by scheduler",
                InstanceState::Failed,
                ReasonCode::Preempted,
                "YARN's scheduler took its container back",
            ),
            (-104, memory, InstanceState::Failed, ReasonCode::OutOfMemory, "used 411.1 MB of 128 MB physical memory"),
            (
                -103,
                &memory.replace("PHYSICAL", "VIRTUAL"),
                InstanceState::Failed,
                ReasonCode::OutOfMemory,
                "used 2.6 GB of 268.8 MB virtual memory",
            ),
            (-105, "", InstanceState::Stopped, ReasonCode::Killed, "stopped through YARN"),
            (
                -1000,
                changed,
                InstanceState::Failed,
                ReasonCode::PayloadChanged,
                "its container could not be started: Resource hdfs://nn:8020/x changed on src filesystem - expected: 1, was: 2",
            ),
            (
                -1000,
                missing,
                InstanceState::Failed,
                ReasonCode::PayloadUnreadable,
                "its container could not be started: java.io.FileNotFoundException: File does not exist: hdfs://nn:8020/x",
            ),
            (0, "", InstanceState::Stopped, ReasonCode::Removed, "stopped as it was told"),
            (3, "", InstanceState::Failed, ReasonCode::ScriptExited, "ended with 3"),
            (127, "", InstanceState::Failed, ReasonCode::ScriptNotStarted, "its command was not found"),
            (143, "", InstanceState::Failed, ReasonCode::Killed, "killed by signal 15"),
            (-999, "", InstanceState::Failed, ReasonCode::Killed, "ended by YARN with -999: YARN says nothing"),
        ];
        for (code, diagnostics, state, reason, text) in cases {
            let end = ended(code, diagnostics);
            assert_eq!(
                (end.state, end.reason.code, end.reason.text.as_str()),
                (state, reason, text),
                "{code} {diagnostics}"
            );
        }
    }

    #[test]
    fn only_what_the_command_did_has_an_exit_code() {
        assert_eq!(
            [0, 3, 137, -104, -1000].map(|code| ended(code, "").exit_code),
            [Some(0), Some(3), Some(137), None, None]
        );
    }

    #[test]
    fn a_memory_kill_without_figures_is_still_one() {
        assert_eq!(ended(-104, "killed").reason.text, "used more memory than it asked for");
    }
}
