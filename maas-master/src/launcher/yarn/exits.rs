//! What is kept of an instance that has ended: its runner's own word where that came through, else the launcher's, which is [`ends`]'s.
//!
//! The [book](super::book) keeps it until the instance's record is gone. Pure.

use super::ends::{self, End};
use hadoop_yarn::types::{ContainerStatus, ExitStatus};
use jiff::Timestamp;
use maas_client::launch::Exit;
use maas_client::reason::{InstanceState, Reason, ReasonCode};

/// The end of one whose container YARN does not know any more.
pub(super) fn unknown_to_yarn(id: &str, since: Timestamp, now: Timestamp) -> Exit {
    let reason = Reason::new(ReasonCode::NodeLost, "YARN knows nothing of its container any more");
    let end = End { state: InstanceState::Failed, reason, exit_code: None };
    exit_of(id, end, "", since, now)
}

/// The launcher's word about an end.
pub(super) fn word(status: &ContainerStatus, id: &str) -> End {
    let end = ends::end(status);
    // What YARN did to it is YARN's to tell; else its runner knows best.
    let by_itself = status.exit_status.0 > 0 && status.exit_status != ExitStatus::LOST;
    match Exit::from_lines(&status.diagnostics, id).filter(|_| by_itself) {
        // It was told to end, and knows not why.
        Some(exit) if exit.reason.code == ReasonCode::Killed => ends::over_memory(&status.diagnostics).unwrap_or(End {
            state: exit.state,
            reason: exit.reason,
            exit_code: exit.exit_code,
        }),
        Some(exit) => End { state: exit.state, reason: exit.reason, exit_code: exit.exit_code },
        None => end,
    }
}

/// Everything that is told of an end.
pub(super) fn exit_of(id: &str, end: End, diagnostics: &str, since: Timestamp, now: Timestamp) -> Exit {
    let said = Exit::from_lines(diagnostics, id);
    let ran = now.duration_since(since).as_millis();
    Exit {
        id: id.to_string(),
        state: end.state,
        reason: end.reason,
        exit_code: end.exit_code,
        host: said.as_ref().map(|exit| exit.host.clone()).unwrap_or_default(),
        started: said.as_ref().and_then(|exit| exit.started),
        ended: now,
        ran_ms: said.as_ref().map_or_else(|| u64::try_from(ran).unwrap_or(0), |exit| exit.ran_ms),
        was_ready: said.as_ref().is_some_and(|exit| exit.was_ready),
        stderr_tail: said.map(|exit| exit.stderr_tail).unwrap_or_default(),
    }
}
