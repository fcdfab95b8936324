//! Whether somebody listens where a registration points: asked three times over half a minute before it counts as dead.
//!
//! Only a refused connection says that nobody is there. A time-out or an unknown host may be the network between.

use futures_util::future::join_all;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::net::TcpStream;
use url::Url;

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

/// Asks once, from this host.
pub(crate) async fn from_here(url: String, timeout: Duration) -> Answer {
    let parsed = Url::parse(&url).ok();
    let address = parsed.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    let Some((host, port)) = address else {
        return Answer::Unknown("its url names no host and port".to_string());
    };
    let host = host.trim_matches(['[', ']']);
    match tokio::time::timeout(timeout, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Answer::Answers,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Answer::Refused,
        Ok(Err(error)) => Answer::Unknown(error.to_string()),
        Err(_) => Answer::Unknown(format!("no answer in {} ms", timeout.as_millis())),
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

    #[tokio::test]
    async fn a_listening_port_answers_and_a_closed_one_refuses() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        assert_eq!(from_here(url.clone(), QUICK.timeout).await, Answer::Answers);
        drop(listener);
        assert_eq!(from_here(url, QUICK.timeout).await, Answer::Refused);
        assert!(matches!(from_here("nonsense".into(), QUICK.timeout).await, Answer::Unknown(_)));
    }
}
