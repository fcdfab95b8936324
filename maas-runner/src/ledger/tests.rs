//! The ledger against a memory tree with its faults: lost answers, lost connections, expired sessions.

use super::*;
use maas_client::model::ModelId;
use maas_client::reason::InstanceState;
use maas_client::registry::default_functions;
use maas_client::request::Resources;
use maas_client::tree::memory::{MemoryServer, MemoryTree};
use maas_client::tree::{Mode, Tree};
use std::sync::Arc;

const ID: &str = "1-1-beef";

fn claim(pid: u32) -> Claim {
    Claim {
        state: InstanceState::Localizing,
        reason: None,
        pid,
        host: "node7".into(),
        url: None,
        started: None,
        memory_used_mb: None,
    }
}

fn registration() -> Registration {
    Registration {
        model: ModelId::new("dga", "1.0").unwrap(),
        id: ID.into(),
        url: "http://node7:1".into(),
        functions: default_functions(),
        registered_ms: 1,
    }
}

fn record(wanted: Wanted) -> Vec<u8> {
    let record = InstanceRecord {
        model: ModelId::new("dga", "1.0").unwrap(),
        wanted,
        reason: None,
        epoch: 1,
        resources: Resources::default(),
        digest: "sha256:0".into(),
        host: "node7".into(),
        container: None,
        local: None,
        created: jiff::Timestamp::UNIX_EPOCH,
        stop_bound_s: 10,
    };
    serde_json::to_vec(&record).unwrap()
}

/// A master's session, a runner's session and its ledger.
struct Play {
    server: MemoryServer,
    master: Arc<MemoryTree>,
    runner: Arc<MemoryTree>,
    roots: Roots,
    target: watch::Sender<Target>,
    told: mpsc::UnboundedReceiver<Told>,
}

impl Play {
    async fn new() -> Play {
        let server = MemoryServer::new();
        let (master, runner) = (server.session(), server.session());
        let roots = Roots::default();
        master.ensure_path(&roots.instances(), Access::Open).await.unwrap();
        master.create(&roots.instance(ID), record(Wanted::Run), Mode::Persistent, Access::Open).await.unwrap();
        let (play, ledger) = Play::with(server, master, runner, roots, 7);
        tokio::spawn(ledger.run());
        play
    }

    fn with(
        server: MemoryServer,
        master: Arc<MemoryTree>,
        runner: Arc<MemoryTree>,
        roots: Roots,
        pid: u32,
    ) -> (Play, Ledger) {
        let (target, wanted) = watch::channel(Target { claim: claim(pid), registration: None });
        let (sender, told) = mpsc::unbounded_channel();
        let ledger = Ledger::new(runner.clone(), &roots, ("dga", ID), wanted, sender);
        (Play { server, master, runner, roots, target, told }, ledger)
    }

    /// Waits for the first word that is not about the registration.
    async fn told(&mut self) -> Told {
        loop {
            let told = tokio::time::timeout(Duration::from_secs(10), self.told.recv()).await.unwrap().unwrap();
            if told != Told::Event(Event::Unregistered) {
                return told;
            }
        }
    }

    async fn unregistered(&mut self) {
        while self.told.recv().await.unwrap() != Told::Event(Event::Unregistered) {}
    }

    fn registration_path(&self) -> String {
        self.roots.registration("dga", ID)
    }

    /// Waits until a node is so, as the master sees it.
    async fn until(&self, path: &str, is: impl Fn(Option<&Node>) -> bool) {
        let look = async {
            loop {
                let (node, watch) = self.master.get_and_watch(path).await.unwrap();
                if is(node.as_ref()) {
                    return;
                }
                watch.changed().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), look).await.expect(path);
    }

    fn ready(&self) {
        self.target.send_modify(|target| {
            target.claim.state = InstanceState::Ready;
            target.registration = Some(registration());
        });
    }

    async fn registered(&self) {
        let owner = self.runner.session_id();
        self.until(&self.registration_path(), |node| node.is_some_and(|node| node.stat.ephemeral_owner == owner)).await;
        self.until(&self.roots.claim(ID), |node| node.is_some_and(|node| node.stat.ephemeral_owner == owner)).await;
    }
}

#[tokio::test]
async fn claim_and_registration_follow_what_is_wanted() {
    let mut play = Play::new().await;
    assert_eq!(play.told().await, Told::Event(Event::Claimed));
    play.ready();
    play.registered().await;
    play.until(&play.roots.claim(ID), |node| {
        node.is_some_and(|node| String::from_utf8_lossy(&node.data).contains("\"Ready\""))
    })
    .await;
    play.target.send_modify(|target| target.registration = None);
    play.until(&play.registration_path(), |node| node.is_none()).await;
    play.unregistered().await;
}

#[tokio::test]
async fn a_changed_record_is_told_and_nothing_new_is_registered_under_it() {
    let mut play = Play::new().await;
    assert_eq!(play.told().await, Told::Event(Event::Claimed));
    play.master.multi(vec![Op::set(play.roots.instance(ID), record(Wanted::Stop), None)]).await.unwrap();
    assert!(matches!(play.told().await, Told::Event(Event::StopWanted(_))));
    play.ready();
    // The claim is still kept up to date; by then the registration would be there too.
    play.until(&play.roots.claim(ID), |node| {
        node.is_some_and(|node| String::from_utf8_lossy(&node.data).contains("\"Ready\""))
    })
    .await;
    assert!(play.master.get(&play.registration_path()).await.unwrap().is_none());
}

#[tokio::test]
async fn without_a_record_there_is_no_claim() {
    let server = MemoryServer::new();
    let (master, runner) = (server.session(), server.session());
    let (mut play, ledger) = Play::with(server, master, runner, Roots::default(), 7);
    tokio::spawn(ledger.run());
    assert_eq!(play.told().await, Told::Event(Event::RecordGone));
    assert!(play.master.get(&play.roots.claim(ID)).await.unwrap().is_none());
}

#[tokio::test]
async fn another_runners_claim_is_respected_and_our_own_of_before_is_replaced() {
    let mut play = Play::new().await;
    assert_eq!(play.told().await, Told::Event(Event::Claimed));
    let (mut second, ledger) =
        Play::with(play.server.clone(), play.master.clone(), play.server.session(), play.roots.clone(), 8);
    ledger.run().await;
    assert!(matches!(second.told().await, Told::Refused(why) if why.contains("pid 7 on node7")));
    // The same process under a new session, before it knew that its first claim had succeeded.
    let (mut again, ledger) =
        Play::with(play.server.clone(), play.master.clone(), play.server.session(), play.roots.clone(), 7);
    tokio::spawn(ledger.run());
    assert_eq!(again.told().await, Told::Event(Event::Claimed));
}

#[tokio::test]
async fn lost_answers_leave_one_claim_and_one_registration() {
    for applied in [true, false] {
        let mut play = Play::new().await;
        assert_eq!(play.told().await, Told::Event(Event::Claimed));
        play.runner.lose_next_answer(applied);
        play.ready();
        play.runner.reconnect();
        play.registered().await;
        assert_eq!(play.master.children(&play.roots.service("dga")).await.unwrap().unwrap(), [ID]);
    }
}

#[tokio::test]
async fn an_expired_session_is_replaced_with_all_it_had() {
    let mut play = Play::new().await;
    assert_eq!(play.told().await, Told::Event(Event::Claimed));
    play.ready();
    play.registered().await;
    let before = play.runner.session_id();
    play.runner.disconnect();
    play.runner.expire();
    play.until(&play.registration_path(), |node| node.is_none()).await;
    play.runner.reconnect();
    assert_ne!(play.runner.session_id(), before);
    play.registered().await;
}

#[tokio::test]
async fn what_somebody_else_removes_comes_back() {
    let mut play = Play::new().await;
    assert_eq!(play.told().await, Told::Event(Event::Claimed));
    play.ready();
    play.registered().await;
    for path in [play.registration_path(), play.roots.claim(ID), play.registration_path()] {
        let before = play.master.get(&path).await.unwrap().unwrap().stat.czxid;
        play.master.multi(vec![Op::delete(&path, None)]).await.unwrap();
        play.until(&path, |node| node.is_some_and(|node| node.stat.czxid > before)).await;
    }
    play.registered().await;
}

#[tokio::test]
async fn a_stop_during_an_outage_is_seen_after_it() {
    let mut play = Play::new().await;
    assert_eq!(play.told().await, Told::Event(Event::Claimed));
    play.ready();
    play.registered().await;
    play.runner.disconnect();
    play.master.multi(vec![Op::set(play.roots.instance(ID), record(Wanted::Stop), None)]).await.unwrap();
    play.runner.reconnect();
    assert!(matches!(play.told().await, Told::Event(Event::StopWanted(_))));
}

#[test]
fn a_registration_of_an_older_session_is_replaced_in_one_transaction() {
    let paths =
        Paths { record: "/r".into(), claim: "/r/runner".into(), registration: "/s/d/i".into(), service: "/s/d".into() };
    let node = |owner, data: &[u8]| Node {
        data: data.to_vec(),
        stat: tree::Stat { ephemeral_owner: owner, version: 4, ..tree::Stat::default() },
    };
    let (ours, theirs) = (node(2, b"c"), node(1, b"g"));
    let pass = plan_pass(
        &paths,
        &Record::Run { version: 3 },
        (Some(&ours), Some(&theirs)),
        (b"c", Some(b"g"), &claim(7)),
        2,
        true,
    );
    assert_eq!(
        pass,
        Pass::Write(vec![Op::check("/r", 3), Op::delete("/s/d/i", Some(4)), Op::create_ephemeral("/s/d/i", *b"g"),])
    );
}
