//! Whether somebody listens where a registration points: asked three times over half a minute before it counts as dead.
//!
//! Only a refused connection says that nobody is there. A time-out or an unknown host may be the network between.

use futures_util::future::join_all;
use maas_client::api::Reach;
use std::time::Duration;

/// How often, for how long, how patiently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// So many refusals count.
    pub(crate) times: u32,
    /// From the first to the last.
    pub(crate) over: Duration,
    /// How long one connection may take.
    pub(crate) timeout: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { times: 3, over: Duration::from_secs(30), timeout: Duration::from_secs(2) }
    }
}

/// What a port said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Somebody listens.
    Answers,
    /// Nobody listens, each time it was asked.
    Refused,
    /// It can't be known, and why.
    Unknown(String),
}

impl Answer {
    /// What one look said.
    pub(crate) fn of(answer: Reach, detail: Option<String>) -> Answer {
        match answer {
            Reach::Answers => Answer::Answers,
            Reach::Refused => Answer::Refused,
            Reach::Unknown => Answer::Unknown(detail.unwrap_or_else(|| "it can't be told".to_string())),
        }
    }
}

/// Asks about all of them at once, again and again as long as they refuse; one that does not is settled.
pub(crate) async fn ask<T>(targets: &[T], patience: &Patience, look: impl AsyncFn(&T) -> Answer) -> Vec<Answer> {
    let mut answers = join_all(targets.iter().map(|target| look(target))).await;
    for _ in 1..patience.times {
        let open: Vec<usize> = (0..targets.len()).filter(|index| answers[*index] == Answer::Refused).collect();
        if open.is_empty() {
            break;
        }
        tokio::time::sleep(patience.over / (patience.times - 1)).await;
        let again = join_all(open.iter().map(|index| look(&targets[*index]))).await;
        for (index, answer) in open.into_iter().zip(again) {
            answers[index] = answer;
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    const QUICK: Patience = Patience { times: 3, over: Duration::from_millis(2), timeout: Duration::from_millis(500) };

    #[tokio::test]
    async fn a_port_counts_as_refused_only_when_it_refused_every_time() {
        let asked = AtomicU32::new(0);
        let look = async |target: &u32| {
            let round = asked.fetch_add(u32::from(*target == 1), Ordering::Relaxed);
            match target {
                0 => Answer::Refused,
                1 if round == 2 => Answer::Answers,
                1 => Answer::Refused,
                _ => Answer::Unknown("no answer".into()),
            }
        };
        let answers = ask(&[0, 1, 2], &QUICK, look).await;
        assert_eq!(answers, [Answer::Refused, Answer::Answers, Answer::Unknown("no answer".into())]);
    }
}
