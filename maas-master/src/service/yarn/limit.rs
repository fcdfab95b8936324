//! The time that `-t` gives a submission, from its beginning until the application runs.

use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// A time that ends, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    end: Option<(Instant, Duration)>,
}

impl Limit {
    /// Begins now.
    pub(super) fn begin(milliseconds: Option<u64>) -> Limit {
        let within = milliseconds.map(Duration::from_millis);
        // What lies beyond the clock's end never comes.
        Limit { end: within.and_then(|within| Some((Instant::now().checked_add(within)?, within))) }
    }

    /// Does it as far as the time reaches; `None` when that was too short.
    pub(super) async fn bound<T>(self, work: impl Future<Output = T>) -> Option<T> {
        match self.end {
            None => Some(work.await),
            Some((at, _)) => tokio::time::timeout_at(at, work).await.ok(),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            Some((_, within)) => write!(formatter, "{} ms", within.as_millis()),
            None => formatter.write_str("any time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_steps_together_have_the_time_and_without_one_they_have_any() {
        let sleep = || tokio::time::sleep(Duration::from_millis(60));
        let limit = Limit::begin(Some(100));
        assert_eq!(limit.to_string(), "100 ms");
        assert!(limit.bound(sleep()).await.is_some());
        assert!(limit.bound(sleep()).await.is_none());
        for none in [None, Some(u64::MAX)] {
            assert!(Limit::begin(none).bound(tokio::time::sleep(Duration::from_secs(9999))).await.is_some());
        }
    }
}
