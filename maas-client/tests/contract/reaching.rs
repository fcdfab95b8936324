//! Reaching a server, or not: what is said, how long it takes, and what a session lives through.

use super::proxy::Proxy;
use super::world::{chroot, options, server};
use maas_client::tree::{Error, Op, SharedTree, Tree};
use maas_client::zk::{ZkOptions, ZkTree};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A port nobody listens on.
async fn dead_port() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

async fn failure(connect: String, give_up: Duration) -> (Error, Duration) {
    let start = Instant::now();
    let error = ZkTree::connect(ZkOptions::command(connect, give_up)).await.err().expect("nothing to connect to");
    (error, start.elapsed())
}

#[tokio::test]
async fn a_command_names_each_server_that_refuses_and_does_not_wait() {
    let (one, two) = (dead_port().await, dead_port().await);
    let (error, took) = failure(format!("{one},{two}/x"), Duration::from_secs(10)).await;
    let Error::Unreachable { detail } = &error else { panic!("{error:?}") };
    assert_eq!(detail, &format!("{one}: connection refused, {two}: connection refused"));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_command_gives_up_on_a_server_that_never_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let (error, took) = failure(address.clone(), Duration::from_secs(1)).await;
    assert_eq!(error, Error::Unreachable { detail: format!("{address}: connected, but it does not answer") });
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_once() {
    for bad in ["", "h:port", "a:1/x//y"] {
        let (error, _) = failure(bad.into(), Duration::from_secs(1)).await;
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_without_recursive_watches_is_too_old() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut first = true;
                loop {
                    let mut length = [0; 4];
                    if stream.read_exact(&mut length).await.is_err() {
                        return;
                    }
                    if &length == b"srvr" {
                        let _told =
                            stream.write_all(b"Zookeeper version: 3.5.9-83df9301, built\nMode: standalone\n").await;
                        return;
                    }
                    let mut request = vec![0; u32::from_be_bytes(length) as usize];
                    stream.read_exact(&mut request).await.unwrap();
                    let answer = answer(&request, first);
                    first = false;
                    let framed = [&(answer.len() as u32).to_be_bytes()[..], &answer].concat();
                    stream.write_all(&framed).await.unwrap();
                }
            });
        }
    });
    let (error, _) = failure(address, Duration::from_secs(5)).await;
    assert_eq!(error, Error::OldServer { found: "3.5.9".into() });
}

/// What a server before 3.6 answers: a session, pings and sync, and "unimplemented" to addWatch.
fn answer(request: &[u8], first: bool) -> Vec<u8> {
    if first {
        let timeout = request[12..16].to_vec();
        return [&[0; 4][..], &timeout, &7_i64.to_be_bytes(), &16_i32.to_be_bytes(), &[1; 16], &[0]].concat();
    }
    let (xid, op) = (&request[..4], i32::from_be_bytes(request[4..8].try_into().unwrap()));
    let error = if op == 106 { -6_i32 } else { 0 };
    let body: &[u8] = if op == 9 { &[0, 0, 0, 1, b'/'] } else { &[] };
    [xid, &1_i64.to_be_bytes(), &error.to_be_bytes(), body].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_during_an_outage_end_within_their_bound_and_say_why() {
    let proxy = Proxy::start(server()).await;
    let tree =
        ZkTree::connect(ZkOptions { call_timeout: Duration::from_secs(2), ..options(&proxy.address, &chroot()) })
            .await
            .unwrap();
    proxy.down();
    tree.session().wait_for(|state| state.connected().is_none()).await.unwrap();
    let start = Instant::now();
    let error = tree.get("/").await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { detail } if detail.contains(&proxy.address)), "{error:?}");
    assert!((Duration::from_millis(1500)..Duration::from_secs(4)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_through_a_server_that_is_down_for_three_time_outs() {
    let servers = Servers::new();
    let address = servers.run(&["start"]);
    let tree: SharedTree = ZkTree::connect(options(&address, "/x")).await.unwrap();
    tree.multi(vec![Op::create_ephemeral("/e", "")]).await.unwrap();
    let mut state = tree.session();
    let session = state.borrow().connected().unwrap();
    servers.run(&["kill9"]);
    state.wait_for(|state| state.connected().is_none()).await.unwrap();
    // Three time-outs of nobody there; the client library alone would have given the session up by then.
    let back_early =
        tokio::time::timeout(Duration::from_secs(6), state.wait_for(|s| s.connected().is_some())).await.is_ok();
    assert!(!back_early);
    servers.run(&["start"]);
    let back = tokio::time::timeout(Duration::from_secs(10), state.wait_for(|state| state.connected().is_some())).await;
    assert_eq!(back.unwrap().unwrap().connected(), Some(session), "the same session, its ephemeral nodes with it");
    let node = tree.get("/e").await.unwrap().unwrap();
    assert_eq!(node.stat.ephemeral_owner, session);
    tree.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_through_a_rolling_restart_of_an_ensemble() {
    let servers = Servers::new();
    let address = servers.run(&["start", "--servers", "3"]);
    let how = ZkOptions { session_timeout: Duration::from_secs(10), ..options(&address, "/x") };
    let tree: SharedTree = ZkTree::connect(how).await.unwrap();
    tree.multi(vec![Op::create_ephemeral("/e", "0")]).await.unwrap();
    let session = tree.session().borrow().connected().unwrap();
    for server in ["1", "2", "3"] {
        servers.run(&["kill9", "--server", server]);
        let bytes = format!("without {server}");
        // A write may meet the election: its outcome is then unknown, and looked at.
        let written = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                let _known_or_not = tree.multi(vec![Op::set("/e", bytes.clone(), None)]).await;
                if tree.get("/e").await.is_ok_and(|node| node.is_some_and(|node| node.data == bytes.as_bytes())) {
                    return;
                }
            }
        });
        written.await.unwrap();
        assert_eq!(tree.get("/e").await.unwrap().unwrap().stat.ephemeral_owner, session);
        servers.run(&["start"]);
    }
    tree.close().await;
}

/// Servers of this test's own, stopped at its end.
struct Servers(tempfile::TempDir);

impl Servers {
    fn new() -> Self {
        Servers(tempfile::tempdir().unwrap())
    }

    /// Runs the script; what it says of the address, when it says it.
    fn run(&self, arguments: &[&str]) -> String {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scripts/services/zookeeper.sh");
        let output = Command::new(script).args(arguments).arg("--dir").arg(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().find_map(|line| line.strip_prefix("MAAS_ZK=")).unwrap_or_default().to_string()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.run(&["stop"]);
    }
}
