//! Time as the planner sees it: a monotonic moment for every decision, the wall clock for what people read.
//!
//! Clocks that jump change no decision, because nothing is decided by the wall clock.

use jiff::{Timestamp, Unit};
use std::time::Duration;
use tokio::time::Instant;

/// A point on the monotonic clock of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// This long after the clock's origin.
    pub const fn after_origin(duration: Duration) -> Moment {
        Moment(duration)
    }
    /// How long ago `earlier` was; zero when it is not earlier.
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
    /// This much later.
    pub fn plus(self, duration: Duration) -> Moment {
        Moment(self.0.saturating_add(duration))
    }
}

/// What a pass knows of time and chance; the same values give the same plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Now {
    /// Decides.
    pub at: Moment,
    /// Is only shown.
    pub time: Timestamp,
    /// From 0 to 1: stretches delays, so that many versions do not retry together.
    pub jitter: f64,
}

/// Gives [`Now`].
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Clock::start()
    }
}

impl Clock {
    /// A clock whose origin is now.
    pub fn start() -> Clock {
        Clock { origin: Instant::now() }
    }
    /// The monotonic moment.
    pub fn moment(&self) -> Moment {
        Moment(self.origin.elapsed())
    }
    /// Moment, wall clock and a random number.
    pub fn now(&self) -> Now {
        Now { at: self.moment(), time: wall_time(), jitter: rand::random::<f64>() }
    }
}

/// The wall clock, to the millisecond.
pub fn wall_time() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}
