//! Whether somebody listens where a url points: one connection, nothing sent.
//!
//! Only a refused connection says that nobody is there. A time-out or an unknown host may be the network between. Asking
//! more than once, and what follows, is the caller's.

use crate::api::Reach;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::net::TcpStream;
use url::Url;

/// Connects once. With [`Reach::Unknown`] comes why.
pub async fn reach(url: &str, timeout: Duration) -> (Reach, Option<String>) {
    let parsed = Url::parse(url).ok();
    let address = parsed.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    let Some((host, port)) = address else {
        return (Reach::Unknown, Some("its url names no host and port".to_string()));
    };
    let host = host.trim_matches(['[', ']']);
    match tokio::time::timeout(timeout, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => (Reach::Answers, None),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => (Reach::Refused, None),
        Ok(Err(error)) => (Reach::Unknown, Some(error.to_string())),
        Err(_) => (Reach::Unknown, Some(format!("no answer in {} ms", timeout.as_millis()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listening_port_answers_and_a_closed_one_refuses() {
        let within = Duration::from_secs(5);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/path", listener.local_addr().unwrap());
        assert_eq!(reach(&url, within).await, (Reach::Answers, None));
        drop(listener);
        assert_eq!(reach(&url, within).await, (Reach::Refused, None));
        assert_eq!(reach("nonsense", within).await.0, Reach::Unknown);
    }
}
