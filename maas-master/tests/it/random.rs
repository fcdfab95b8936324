//! Random requests under random faults: what is asked is what runs in the end, neither lost nor doubled.

use crate::world::{Running, World, model, request};
use maas_client::request::Action;
use maas_master::failpoint;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, Clone)]
enum Happens {
    Asks { model: usize, action: Action, count: u32 },
    Garbage,
    MasterDies,
    MasterDiesAt(usize),
    SessionExpires,
    ConnectionBreaks { ms: u64 },
    AnswerLost { applied: bool },
    RunnerDies,
    Time { ms: u64 },
}

fn anything() -> impl Strategy<Value = Happens> {
    let asks = (0..4usize, prop_oneof![Just(Action::Add), Just(Action::Remove), Just(Action::Scale)], 1..4u32)
        .prop_map(|(model, action, count)| Happens::Asks { model, action, count });
    prop_oneof![
        12 => asks,
        1 => Just(Happens::Garbage),
        1 => Just(Happens::MasterDies),
        1 => (0..failpoint::NAMES.len()).prop_map(Happens::MasterDiesAt),
        1 => Just(Happens::SessionExpires),
        1 => (0..20_000u64).prop_map(|ms| Happens::ConnectionBreaks { ms }),
        2 => any::<bool>().prop_map(|applied| Happens::AnswerLost { applied }),
        2 => Just(Happens::RunnerDies),
        3 => (0..3_000u64).prop_map(|ms| Happens::Time { ms }),
    ]
}

/// What the requests come to, one after another.
fn account(expected: &mut BTreeMap<maas_client::model::ModelId, u32>, happens: &Happens) {
    let Happens::Asks { model: index, action, count } = happens else { return };
    let model = model(&format!("m{index}"), "1");
    match action {
        Action::Add => *expected.entry(model).or_default() += count,
        Action::Remove => {
            if let Some(there) = expected.get_mut(&model) {
                *there = there.saturating_sub(*count);
            }
        }
        Action::Scale => {
            if let Some(there) = expected.get_mut(&model) {
                *there = *count;
            }
        }
    }
}

async fn play(script: Vec<Happens>) {
    let world = World::new();
    world.queue.ensure_root().await.unwrap();
    let mut expected = BTreeMap::new();
    let mut master: Option<Running> = Some(world.start());
    let mut asked = 0;
    for happens in &script {
        account(&mut expected, happens);
        if master.as_ref().is_some_and(|master| master.task.is_finished()) {
            if let Some(dead) = master.take() {
                dead.kill().await;
            }
            master = Some(world.start());
        }
        let running = master.as_ref().unwrap();
        match happens {
            Happens::Asks { model: index, action, count } => {
                asked += 1;
                world.ask(&request(*action, &model(&format!("m{index}"), "1"), *count)).await;
            }
            Happens::Garbage => {
                world.queue.enqueue_bytes(b"{\"name\":".to_vec()).await.unwrap();
            }
            Happens::MasterDies => {
                if let Some(running) = master.take() {
                    running.kill().await;
                }
                master = Some(world.start());
            }
            Happens::MasterDiesAt(point) => running.failpoints.arm(failpoint::NAMES[*point]),
            Happens::SessionExpires => running.tree.expire(),
            Happens::ConnectionBreaks { ms } => {
                running.tree.disconnect();
                tokio::time::sleep(Duration::from_millis(*ms)).await;
                if *ms > 10_000 {
                    running.tree.expire();
                }
                running.tree.reconnect();
            }
            Happens::AnswerLost { applied } => running.tree.lose_next_answer(*applied),
            Happens::RunnerDies => {
                if let Some(id) = world.fake.alive().into_iter().next() {
                    world.fake.crash(&id);
                }
            }
            Happens::Time { ms } => tokio::time::sleep(Duration::from_millis(*ms)).await,
        }
        tokio::task::yield_now().await;
    }
    // Whatever was armed and not reached is the dead master's alone.
    if let Some(running) = master.take() {
        running.kill().await;
    }
    let _last = world.start();
    world.settle_map(&expected).await;
    assert_eq!(world.children(&world.roots.requests()).await.len(), asked, "one outcome for each request");
}

fn run(script: Vec<Happens>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(play(script));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn what_is_asked_is_what_runs_whatever_happens(script in proptest::collection::vec(anything(), 1..80)) {
        run(script);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1, max_shrink_iters: 0, ..ProptestConfig::default() })]
    #[test]
    fn a_thousand_requests_under_faults_are_neither_lost_nor_doubled(
        script in proptest::collection::vec(anything(), 1900..2000),
    ) {
        run(script);
    }
}
