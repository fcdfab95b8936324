//! Instances over time: crash loops, room, victims, instances that vanish or will not stop.

use crate::world::{World, model, ours, request, until};
use maas_client::reason::{ReasonCode, VersionState};
use maas_client::request::Action;
use maas_client::state::Outcome;
use maas_master::launcher::fake::Behaviour;
use maas_master::policy::Policy;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_crash_looping_model_backs_off_and_holds_up_no_other() {
    let world = World::new();
    let (bad, good) = (model("bad", "1"), model("good", "1"));
    world.fake.behave("bad", Behaviour::Crashes);
    let mut master = world.start();
    world.ask_when_led(&bad, 2).await;
    world.ask(&request(Action::Add, &good, 2)).await;
    until("a crash loop", || async {
        let view = master.handle.view();
        let verdict = view.plan.verdicts.get(&bad).cloned();
        verdict.is_some_and(|verdict| {
            verdict.state == VersionState::Failed && verdict.reason.unwrap().code == ReasonCode::CrashLoop
        })
    })
    .await;
    until("the good one", || async { world.registered().await.get(&good) == Some(&2) }).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let view = master.handle.view();
    let history = &view.desired.versions[&bad].history;
    // Doubling from one second leaves few tries in ten minutes.
    assert!((6..20).contains(&history.failures), "{} failures", history.failures);
    let mut loops = 0;
    while let Ok(event) = master.outbox.try_recv() {
        loops += u32::from(event.kind == "CrashLoop");
    }
    assert_eq!(loops, 1);
    // An ADD starts over.
    world.fake.behave("bad", Behaviour::Serves);
    world.ask(&request(Action::Add, &bad, 1)).await;
    world.settle(&[(&bad, 3), (&good, 2)]).await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_waits_with_its_reason_and_starts_when_there_is_room() {
    let world = World::with_memory(1024);
    let (big, small, huge) = (model("big", "1"), model("small", "1"), model("huge", "1"));
    let master = world.start();
    world.ask_when_led(&small, 3).await;
    world.settle(&[(&small, 3)]).await;
    let mut asked = request(Action::Add, &big, 1);
    asked.resources.memory_mb = 1000;
    world.ask(&asked).await;
    asked = request(Action::Add, &huge, 1);
    asked.resources.memory_mb = 5000;
    world.ask(&asked).await;
    until("reasons", || async {
        let view = master.handle.view();
        let reason = |model| view.plan.verdicts.get(model).and_then(|verdict| verdict.reason.clone());
        reason(&big).is_some_and(|reason| reason.text == "needs 1000 MB; most free 256 MB on host fake1")
            && reason(&huge).is_some_and(|reason| {
                reason.code == ReasonCode::NeverFits
                    && reason.text == "can never fit: needs 5000 MB; largest is 1024 MB in all on host fake1"
            })
    })
    .await;
    // A later small one passes those that wait.
    let other = model("other", "1");
    world.ask(&request(Action::Add, &other, 1)).await;
    until("the later one", || async { world.registered().await.contains_key(&other) }).await;
    world.ask(&request(Action::Remove, &small, 3)).await;
    world.ask(&request(Action::Remove, &other, 1)).await;
    until("the big one", || async { world.registered().await.contains_key(&big) }).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_runner_is_replaced_at_once_and_its_registration_removed() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let _master = world.start();
    world.ask_when_led(&dga, 2).await;
    world.settle(&[(&dga, 2)]).await;
    let victim = world.fake.alive().into_iter().next().unwrap();
    let before = tokio::time::Instant::now();
    world.fake.crash(&victim);
    until("another", || async { !world.fake.alive().contains(&victim) && world.fake.alive().len() == 2 }).await;
    world.settle(&[(&dga, 2)]).await;
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_is_never_claimed_is_replaced_under_another_id() {
    let world = World::new();
    let dga = model("dga", "1.0");
    world.fake.behave("dga", Behaviour::NeverClaims);
    let _master = world.start();
    world.ask_when_led(&dga, 1).await;
    until("a launch", || async { world.fake.alive().len() == 1 }).await;
    world.fake.behave("dga", Behaviour::Serves);
    world.settle(&[(&dga, 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_will_not_stop_is_killed() {
    let world = World::new();
    let dga = model("dga", "1.0");
    world.fake.behave("dga", Behaviour::IgnoresStop);
    let _master = world.start();
    world.ask_when_led(&dga, 2).await;
    world.settle(&[(&dga, 2)]).await;
    world.ask(&request(Action::Remove, &dga, 1)).await;
    world.settle(&[(&dga, 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_cannot_be_read_is_said_and_holds_up_no_other() {
    let world = World::new();
    let (missing, good) = (model("missing", "1"), model("good", "1"));
    let master = world.start();
    world.ask_when_led(&missing, 1).await;
    world.ask(&request(Action::Add, &good, 1)).await;
    until("the good one", || async { world.registered().await.contains_key(&good) }).await;
    until("the reason", || async {
        let view = master.handle.view();
        let reason = view.plan.verdicts.get(&missing).and_then(|verdict| verdict.reason.clone());
        reason.is_some_and(|reason| reason.code == ReasonCode::PayloadUnreadable)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_purge_is_recorded_after_it_and_an_add_meanwhile_is_refused() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let _master = world.start();
    until("a leader", || async { world.tree.get(&world.roots.leader()).await.unwrap().is_some() }).await;
    world.ask(&ours(Action::Add, &dga, 1, "0f0e0d0c-0000-4000-8000-000000000001")).await;
    world.settle(&[(&dga, 1)]).await;
    let mut remove = request(Action::Remove, &dga, 1);
    remove.extra.purge = true;
    world.ask(&remove).await;
    let early = world.ask(&ours(Action::Add, &dga, 1, "0f0e0d0c-0000-4000-8000-000000000002")).await;
    world.settle(&[(&dga, 0)]).await;
    let record = world.request(&early).await.unwrap();
    assert_eq!((record.outcome, record.code.as_deref()), (Outcome::Refused, Some("conflict")));
    until("the purge is over", || async { !world.desired(&dga).await.unwrap().purge }).await;
    world.ask(&ours(Action::Add, &dga, 2, "0f0e0d0c-0000-4000-8000-000000000003")).await;
    world.settle(&[(&dga, 2)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_others_use_or_that_changed_is_kept_and_that_is_said() {
    let world = World::new();
    let (one, two, shared) = (model("dga", "1.0"), model("dga", "2.0"), model("shared", "1"));
    let mut master = world.start();
    until("a leader", || async { world.tree.get(&world.roots.leader()).await.unwrap().is_some() }).await;
    for (number, version) in [&one, &two, &shared].into_iter().enumerate() {
        let mut add = ours(Action::Add, version, 1, &format!("0f0e0d0c-0000-4000-8000-00000000000{number}"));
        add.path = Some(if *version == shared { "/models/shared".into() } else { "/models/dga".into() });
        world.ask(&add).await;
    }
    world.settle(&[(&one, 1), (&two, 1), (&shared, 1)]).await;
    for version in [&one, &shared] {
        let mut remove = request(Action::Remove, version, 1);
        remove.extra.purge = true;
        world.ask(&remove).await;
    }
    world.settle(&[(&one, 0), (&two, 1), (&shared, 0)]).await;
    for version in [&one, &shared] {
        until("the purge is over", || async { !world.desired(version).await.unwrap().purge }).await;
    }
    let mut kept = Vec::new();
    while let Ok(event) = master.outbox.try_recv() {
        kept.extend((event.kind == "PayloadKept").then_some(event.reason));
    }
    kept.sort();
    let expected = [
        "/models/dga was not purged: dga 2.0 has its payload there",
        "/models/shared was not purged: other content is there now",
    ];
    assert_eq!(kept, expected);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_removed_long_ago_is_forgotten_and_a_wanted_one_is_not() {
    let world = World::new();
    let (gone, kept) = (model("dga", "1.0"), model("dga", "2.0"));
    let policy = Policy { keep_removed_for: Duration::ZERO, trim_every: Duration::from_secs(5), ..Policy::default() };
    let _master = world.start_with(None, policy);
    world.ask_when_led(&gone, 1).await;
    world.ask(&request(Action::Add, &kept, 1)).await;
    world.settle(&[(&gone, 1), (&kept, 1)]).await;
    world.ask(&request(Action::Remove, &gone, 1)).await;
    until("it is forgotten", || async { world.desired(&gone).await.is_none() }).await;
    world.settle(&[(&kept, 1)]).await;
    assert!(world.desired(&kept).await.is_some());
    world.ask(&request(Action::Add, &gone, 2)).await;
    world.settle(&[(&gone, 2), (&kept, 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_name_whose_last_endpoint_goes_has_no_current_version_and_that_is_said() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let mut master = world.start();
    world.ask_when_led(&dga, 1).await;
    world.settle(&[(&dga, 1)]).await;
    world.ask(&request(Action::Remove, &dga, 1)).await;
    world.settle(&[(&dga, 0)]).await;
    let mut moves = Vec::new();
    while let Ok(event) = master.outbox.try_recv() {
        if event.kind == "CurrentVersionMoved" {
            moves.push(event.reason);
        }
    }
    assert_eq!(moves, ["was none", "none is left, was 1.0"]);
}
