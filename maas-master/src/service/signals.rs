//! What a signal asks of a running master.

use crate::error::Error;
use std::io::IsTerminal;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// A second Ctrl-C within this leaves the models running.
const SECOND: Duration = Duration::from_secs(3);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// End; models run on.
    Leave,
    /// Drain and stop the models, then end.
    StopModels,
    /// Once more, too late to mean "leave them": they are being stopped.
    Again,
}

/// The signals of this process.
pub(super) struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    at_terminal: bool,
    first_interrupt: Option<Instant>,
}

impl Signals {
    pub(super) fn listen() -> Result<Signals, Error> {
        let on = |kind| signal(kind).map_err(|source| Error::System { doing: "listen to signals", source });
        Ok(Signals {
            terminate: on(SignalKind::terminate())?,
            hang_up: on(SignalKind::hangup())?,
            interrupt: on(SignalKind::interrupt())?,
            at_terminal: std::io::stdin().is_terminal() || std::io::stderr().is_terminal(),
            first_interrupt: None,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Leave,
            _ = self.hang_up.recv() => Asked::Leave,
            _ = self.interrupt.recv() => {
                let asked = interrupt(self.at_terminal, self.first_interrupt.map(|first| first.elapsed()));
                self.first_interrupt.get_or_insert_with(Instant::now);
                asked
            }
        }
    }
}

fn interrupt(at_terminal: bool, since_first: Option<Duration>) -> Asked {
    match since_first {
        _ if !at_terminal => Asked::Leave,
        None => Asked::StopModels,
        Some(elapsed) if elapsed <= SECOND => Asked::Leave,
        Some(_) => Asked::Again,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_stops_models_at_a_terminal_and_a_quick_second_one_leaves_them() {
        assert_eq!(interrupt(false, None), Asked::Leave);
        assert_eq!(interrupt(true, None), Asked::StopModels);
        assert_eq!(interrupt(true, Some(Duration::from_secs(2))), Asked::Leave);
        assert_eq!(interrupt(true, Some(Duration::from_secs(4))), Asked::Again);
    }
}
