//! How an instance ends, and what the end of its script means. Pure.

use maas_client::reason::{InstanceState, Reason, ReasonCode};

/// How an instance ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// `Stopped` or `Failed`.
    pub(crate) state: InstanceState,
    /// Why.
    pub(crate) reason: Reason,
}

impl End {
    /// It ended because nobody wanted it any more.
    pub(crate) fn stopped(reason: Reason) -> End {
        End { state: InstanceState::Stopped, reason }
    }

    /// It ended while it was wanted.
    pub(crate) fn failed(reason: Reason) -> End {
        End { state: InstanceState::Failed, reason }
    }

    /// What the end of the script means when nobody had asked for it.
    pub(crate) fn of_script(how: ScriptEnd) -> End {
        End::failed(match how {
            ScriptEnd::Code(code) if code > 128 && code < 128 + 65 => {
                let text = format!("its script ended with {code} ({})", signal_name(code - 128));
                Reason::new(ReasonCode::ScriptExited, text)
            }
            ScriptEnd::Code(code) => Reason::new(ReasonCode::ScriptExited, format!("its script ended with {code}")),
            ScriptEnd::Signal(signal @ (9 | 15)) => {
                Reason::new(ReasonCode::Killed, format!("its script was killed by {}", signal_name(signal)))
            }
            ScriptEnd::Signal(signal) => {
                Reason::new(ReasonCode::ScriptExited, format!("its script was ended by {}", signal_name(signal)))
            }
        })
    }

    /// True when a kill for want of memory may stand behind it.
    pub(crate) fn may_be_out_of_memory(&self) -> bool {
        matches!(self.reason.code, ReasonCode::ScriptExited | ReasonCode::Killed) && self.state == InstanceState::Failed
    }
}

/// How the script's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScriptEnd {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl ScriptEnd {
    /// From a raw wait status.
    pub(crate) fn from_status(status: i32) -> ScriptEnd {
        match status & 0x7f {
            0 => ScriptEnd::Code((status >> 8) & 0xff),
            signal => ScriptEnd::Signal(signal),
        }
    }

    /// One number, as a shell gives it.
    pub(crate) fn code(self) -> i32 {
        match self {
            ScriptEnd::Code(code) => code,
            ScriptEnd::Signal(signal) => 128 + signal,
        }
    }
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        other => return format!("signal {other}"),
    };
    name.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_status_becomes_a_code_or_a_signal() {
        assert_eq!(ScriptEnd::from_status(3 << 8), ScriptEnd::Code(3));
        assert_eq!(ScriptEnd::from_status(9), ScriptEnd::Signal(9));
        assert_eq!(ScriptEnd::from_status(0x80 | 11), ScriptEnd::Signal(11));
        assert_eq!(ScriptEnd::Signal(9).code(), 137);
    }

    #[test]
    fn a_kill_by_somebody_is_not_an_exit() {
        assert_eq!(End::of_script(ScriptEnd::Signal(9)).reason.code, ReasonCode::Killed);
        assert_eq!(End::of_script(ScriptEnd::Signal(11)).reason.code, ReasonCode::ScriptExited);
        assert_eq!(End::of_script(ScriptEnd::Code(137)).reason.text, "its script ended with 137 (SIGKILL)");
    }
}
