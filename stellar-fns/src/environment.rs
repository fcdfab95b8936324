//! What an evaluation needs beside its variables: the zone, the clock, the limits, services, whoever calls models.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::asking::CallThread;
use crate::services::Services;

/// How much an evaluation may cost; how large an expression may be is its [compiler](crate::Compiler)'s affair. A hostile one ends in an error, never in a hang, a stack overflow or gigabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of one evaluation: a call, an item walked over, 16 bytes of text written; 5,000,000.
    pub steps: u64,
    /// Bytes of one text; 16 MiB.
    pub text: usize,
    /// Backtracking steps of one match of a regular expression in a text of up to 16 KiB, fewer in longer ones; 100,000.
    pub backtracking: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 5_000_000, text: 16 << 20, backtracking: 100_000 }
    }
}

/// What an evaluation needs beside its variables. Made once, shared by all evaluations.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The zone of dates that name none.
    pub zone: TimeZone,
    /// What time it is; fixed in tests.
    pub now: fn() -> Timestamp,
    /// How much an expression may cost.
    pub limits: Limits,
    /// Where questions of evaluations that block are waited for.
    pub calls: Arc<CallThread>,
    /// What functions ask that need more than their arguments.
    pub services: Services,
    /// Who is told of each call.
    pub trace: Option<Arc<dyn crate::trace::Trace>>,
    /// Whoever finds and calls models; none: expressions that ask for one are in error.
    #[cfg(feature = "maas")]
    pub models: Option<Arc<dyn crate::maas::ModelCaller>>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            zone: TimeZone::system(),
            now: Timestamp::now,
            limits: Limits::default(),
            calls: Arc::default(),
            services: Services::default(),
            trace: None,
            #[cfg(feature = "maas")]
            models: None,
        }
    }
}
