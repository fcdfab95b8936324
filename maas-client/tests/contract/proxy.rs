//! A TCP proxy whose connections can be cut, for outages and lost answers that only one client sees.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Cut the connection at the request that contains these bytes: before it reaches the server, or before its answer
/// reaches the client.
struct Loss {
    marker: Vec<u8>,
    applied: bool,
}

/// Passes connections on to a server while it is up.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: String,
    up: Arc<watch::Sender<bool>>,
    loss: Arc<Mutex<Option<Loss>>>,
}

impl Proxy {
    /// Listens on a port of its own.
    pub(crate) async fn start(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let up = Arc::new(watch::channel(true).0);
        let loss = Arc::new(Mutex::new(None));
        let (state, losses) = (up.clone(), loss.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut state = state.subscribe();
                if !*state.borrow() {
                    continue;
                }
                let (server, losses) = (server.clone(), losses.clone());
                tokio::spawn(async move {
                    let Ok(upstream) = TcpStream::connect(&server).await else { return };
                    tokio::select! {
                        () = pass(client, upstream, losses) => {}
                        _ = state.wait_for(|up| !up) => {}
                    }
                });
            }
        });
        Proxy { address, up, loss }
    }

    /// Cuts all connections and refuses new ones.
    pub(crate) fn down(&self) {
        self.up.send_replace(false);
    }

    /// Lets connections through again.
    pub(crate) fn up(&self) {
        self.up.send_replace(true);
    }

    /// Loses the answer to the next request that contains `marker`.
    pub(crate) fn lose(&self, marker: &str, applied: bool) {
        *self.loss.lock().unwrap() = Some(Loss { marker: marker.into(), applied });
    }
}

async fn pass(client: TcpStream, upstream: TcpStream, losses: Arc<Mutex<Option<Loss>>>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), upstream.into_split());
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut swallow = false;
    loop {
        tokio::select! {
            read = from_client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let lost = {
                    let mut losses = losses.lock().unwrap();
                    let hit = losses.as_ref().is_some_and(|loss| contains(&asked[..length], &loss.marker));
                    if hit { losses.take() } else { None }
                };
                match lost {
                    Some(Loss { applied: false, .. }) => return,
                    Some(_) => swallow = true,
                    None => {}
                }
                if to_server.write_all(&asked[..length]).await.is_err() { return }
            }
            read = from_server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if swallow || to_client.write_all(&answered[..length]).await.is_err() { return }
            }
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
