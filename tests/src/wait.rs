//! Waiting for a condition, always with a bound and with the last thing seen in the failure.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// Looks every 50 ms until `look` gives a value. Its `Err` says what is there instead; the last one ends up in the error.
pub async fn until<T>(bound: Duration, what: &str, mut look: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + bound;
    loop {
        match look().await {
            Ok(value) => return Ok(value),
            Err(seen) if Instant::now() >= deadline => bail!("waited {bound:?} for {what}; last seen: {seen:#}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
