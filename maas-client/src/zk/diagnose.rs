//! Why no session comes about: each server and its trouble, for the message a person reads.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What a server answers when asked by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing listens there.
    Refused,
    /// Anything else, in words.
    Other(String),
}

/// Asks every server and says what is wrong with each. The flag is true when all of them refuse connections, so that
/// waiting for an answer is of no use.
pub(super) async fn diagnose(servers: &[String], limit: Duration) -> (String, bool) {
    let asked = servers.iter().map(|server| async move { (server, ask(server, limit).await) });
    let answers = futures_util::future::join_all(asked).await;
    let all_refuse = answers.iter().all(|(_, trouble)| *trouble == Trouble::Refused);
    let lines = answers.iter().map(|(server, trouble)| match trouble {
        Trouble::Refused => format!("{server}: connection refused"),
        Trouble::Other(text) => format!("{server}: {text}"),
    });
    (lines.collect::<Vec<_>>().join(", "), all_refuse)
}

async fn ask(server: &str, limit: Duration) -> Trouble {
    let mut stream = match timeout(limit, TcpStream::connect(server)).await {
        Err(_) => return Trouble::Other(format!("no answer in {} s", limit.as_secs_f32())),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => return Trouble::Refused,
        Ok(Err(error)) => return Trouble::Other(error.to_string()),
        Ok(Ok(stream)) => stream,
    };
    let answer = timeout(limit, async {
        stream.write_all(b"srvr").await?;
        let mut text = Vec::new();
        (&mut stream).take(4096).read_to_end(&mut text).await?;
        io::Result::Ok(String::from_utf8_lossy(&text).into_owned())
    });
    match answer.await {
        Ok(Ok(text)) if text.contains("Mode:") => Trouble::Other("serves, but gave no session".into()),
        Ok(Ok(text)) if text.contains("not currently serving") => {
            Trouble::Other("runs, but does not serve requests (no quorum?)".into())
        }
        Ok(Ok(_)) => Trouble::Other("connected, but it does not answer like ZooKeeper".into()),
        Ok(Err(error)) => Trouble::Other(format!("connected, then {error}")),
        Err(_) => Trouble::Other("connected, but it does not answer".into()),
    }
}

/// The version a server says it has, when it says so.
pub(super) async fn version(servers: &[String], limit: Duration) -> Option<String> {
    for server in servers {
        let asked = timeout(limit, async {
            let mut stream = TcpStream::connect(server).await?;
            stream.write_all(b"srvr").await?;
            let mut text = Vec::new();
            (&mut stream).take(4096).read_to_end(&mut text).await?;
            io::Result::Ok(String::from_utf8_lossy(&text).into_owned())
        });
        if let Ok(Ok(text)) = asked.await
            && let Some((_, rest)) = text.split_once("version: ")
        {
            return rest.split(['-', ',', '\n']).next().map(str::to_string);
        }
    }
    None
}
