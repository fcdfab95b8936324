//! Named places at which a debug build can be made to die: `MAAS_CRASH_AT=<name>` aborts the process there.
//!
//! One stands after each effect of the master, so that tests can crash it between any two steps. In-process tests use
//! [`Failpoints::arm`], which makes the step fail in place of the process. Release builds read nothing.

use std::sync::{Arc, Mutex, PoisonError};

/// Every failpoint of the master, in the order of a request's way.
pub const NAMES: &[&str] = &[
    "after-election",
    "after-intake",
    "after-reject",
    "after-import",
    "after-payload-recorded",
    "after-intent",
    "after-launch",
    "after-stop-recorded",
    "after-kill",
    "after-bury",
    "after-forget",
    "after-trim",
];

/// The armed failpoints of one master. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Failpoints {
    armed: Arc<Mutex<Option<String>>>,
}

/// The failpoint that was reached; ends the term it happens in as a crash would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failpoint {0} was reached")]
pub struct Reached(pub &'static str);

impl Failpoints {
    /// The next time `name` is reached, [`Failpoints::reach`] fails, once.
    pub fn arm(&self, name: &str) {
        *self.armed.lock().unwrap_or_else(PoisonError::into_inner) = Some(name.to_string());
    }

    /// Aborts the process when `MAAS_CRASH_AT` names this point, fails when it is armed, else does nothing.
    pub fn reach(&self, name: &'static str) -> Result<(), Reached> {
        debug_assert!(NAMES.contains(&name), "{name} is not in the list");
        if cfg!(debug_assertions) {
            if std::env::var_os("MAAS_CRASH_AT").is_some_and(|wanted| wanted == name) {
                tracing::error!(failpoint = name, "crashing as asked");
                std::process::abort();
            }
            let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
            if armed.as_deref() == Some(name) {
                *armed = None;
                return Err(Reached(name));
            }
        }
        Ok(())
    }
}
