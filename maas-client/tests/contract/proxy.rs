//! A TCP proxy whose connections can be cut, for outages that only one client sees.

use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes connections on to a server while it is up.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: String,
    up: Arc<watch::Sender<bool>>,
}

impl Proxy {
    /// Listens on a port of its own.
    pub(crate) async fn start(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let up = Arc::new(watch::channel(true).0);
        let state = up.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut state = state.subscribe();
                if !*state.borrow() {
                    continue;
                }
                let server = server.clone();
                tokio::spawn(async move {
                    let Ok(mut upstream) = TcpStream::connect(&server).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut upstream) => {}
                        _ = state.wait_for(|up| !up) => {}
                    }
                });
            }
        });
        Proxy { address, up }
    }

    /// Cuts all connections and refuses new ones.
    pub(crate) fn down(&self) {
        self.up.send_replace(false);
    }

    /// Lets connections through again.
    pub(crate) fn up(&self) {
        self.up.send_replace(true);
    }
}
