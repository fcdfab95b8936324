//! ZooKeeper away: the model serves on, and afterwards everything stands there again.

use crate::bed::{Bed, PATIENCE, get, send, until};
use crate::model::Model;
use maas_client::reason::{InstanceState, ReasonCode};
use rustix::process::Signal;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Stands between the runner and the server, and can be cut.
struct Wire {
    address: String,
    up: Arc<watch::Sender<bool>>,
    /// How often somebody wanted to connect while it was cut.
    refused: watch::Receiver<u32>,
}

impl Wire {
    async fn to(server: String) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let up = Arc::new(watch::channel(true).0);
        let state = up.clone();
        let (count, refused) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, mut state) = (server.clone(), state.subscribe());
                if !*state.borrow() {
                    count.send_modify(|count| *count += 1);
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(mut upstream) = TcpStream::connect(server).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut upstream) => {}
                        _ = state.wait_for(|up| !up) => {}
                    }
                });
            }
        });
        Wire { address, up, refused }
    }
}

/// A bed whose runner reaches ZooKeeper through a wire.
async fn wired(model: &Model) -> (Bed, Wire) {
    let mut bed = Bed::make(model).await;
    let (server, chroot) = bed.spec.zookeeper.split_once('/').unwrap();
    let wire = Wire::to(server.to_string()).await;
    bed.spec.zookeeper = format!("{}/{chroot}", wire.address);
    bed.spec.session_timeout_ms = 4000;
    (bed, wire)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_serves_through_an_outage_that_its_session_does_not_survive_and_is_registered_again() {
    let (mut bed, mut wire) = wired(&Model::server()).await;
    bed.start();
    let url = bed.registered().await;
    let pid = bed.claim().await.unwrap().pid;
    wire.up.send_replace(false);
    bed.unregistered().await;
    // The server has given the session up; from here on each attempt is one in vain.
    let before = *wire.refused.borrow();
    for attempt in 1..=8 {
        tokio::time::timeout(PATIENCE, wire.refused.wait_for(|count| *count >= before + attempt))
            .await
            .unwrap()
            .unwrap();
        assert!(get(&url).await.is_ok());
    }
    wire.up.send_replace(true);
    assert_eq!(bed.registered().await, url);
    let claim = bed.claim_that("Ready", |claim| claim.state == InstanceState::Ready).await;
    assert_eq!(claim.pid, pid);
    bed.want_stop().await;
    assert_eq!(bed.ended().await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_during_an_outage_is_told_in_the_directory_at_once() {
    let (mut bed, wire) = wired(&Model::server()).await;
    bed.start();
    bed.registered().await;
    wire.up.send_replace(false);
    let model = bed.processes_with("server.py");
    for pid in model.iter().filter(|pid| !bed.processes_with("guard").contains(pid)) {
        send(*pid, Signal::KILL);
    }
    let begun = Instant::now();
    assert_eq!(bed.ended().await.1.unwrap().reason.code, ReasonCode::Killed);
    assert!(begun.elapsed() < Duration::from_secs(8), "took {:?}", begun.elapsed());
    bed.nothing_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_was_asked_during_an_outage_is_obeyed_after_it() {
    let (mut bed, wire) = wired(&Model::server()).await;
    bed.start();
    bed.registered().await;
    wire.up.send_replace(false);
    bed.want_stop().await;
    wire.up.send_replace(true);
    let (code, exit) = bed.ended().await;
    assert_eq!((code, exit.unwrap().state), (Some(0), InstanceState::Stopped));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_never_reached_zookeeper_starts_nothing_and_ends_when_asked() {
    let (mut bed, wire) = wired(&Model::server()).await;
    wire.up.send_replace(false);
    bed.start();
    until("the lock", async || (!bed.read("lock").is_empty()).then_some(())).await;
    send(bed.runner_pid(), Signal::TERM);
    let (_, exit) = bed.ended().await;
    assert_eq!(exit.unwrap().started, None);
    assert!(!bed.directory.join("work").exists());
}
