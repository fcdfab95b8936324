//! Several masters on one root: one leads, one at a time writes.

use crate::world::{World, model, request, until};
use maas_client::request::Action;
use maas_client::state::{Cluster, InstanceRecord, Leader, Stop};
use maas_client::tree::{Access, Mode, Op, TreeExt};
use maas_master::reconciler::{End, Error};
use maas_master::view::Role;

async fn leader(world: &World) -> Option<Leader> {
    let node = world.tree.get(&world.roots.leader()).await.unwrap()?;
    Some(serde_json::from_slice(&node.data).unwrap())
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_the_other_takes_over_when_it_dies() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let first = world.start();
    until("a leader", || async { leader(&world).await.is_some() }).await;
    let second = world.start();
    until("a standby", || async { matches!(second.handle.view().role, Role::Standby { .. }) }).await;
    world.ask(&request(Action::Add, &dga, 2)).await;
    world.settle(&[(&dga, 2)]).await;
    let before = world.children(&world.roots.instances()).await;
    first.kill().await;
    until("the second leads", || async { second.handle.view().leading().is_some() }).await;
    assert_eq!(leader(&world).await.unwrap().epoch, 2);
    world.settle(&[(&dga, 2)]).await;
    assert_eq!(world.children(&world.roots.instances()).await, before, "what runs is adopted, not started again");
}

#[tokio::test(start_paused = true)]
async fn a_master_whose_session_expired_stands_by_and_leads_again_in_the_same_process() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let master = world.start();
    world.ask_when_led(&dga, 2).await;
    world.settle(&[(&dga, 2)]).await;
    master.tree.expire();
    until("a new epoch", || async {
        leader(&world).await.is_some_and(|leader| leader.epoch == 2) && master.handle.view().leading().is_some()
    })
    .await;
    world.ask(&request(Action::Add, &dga, 1)).await;
    world.settle(&[(&dga, 3)]).await;
    assert!(!master.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_former_leader_that_was_away_writes_nothing() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let old = world.start();
    world.ask_when_led(&dga, 1).await;
    world.settle(&[(&dga, 1)]).await;
    old.tree.disconnect();
    // The server ends its session, another leads, and then it comes back.
    old.tree.expire();
    let new = world.start();
    until("the new one leads", || async { new.handle.view().leading().is_some() }).await;
    old.tree.reconnect();
    world.ask(&request(Action::Add, &dga, 2)).await;
    world.settle(&[(&dga, 3)]).await;
    until("the old one stands by", || async { matches!(old.handle.view().role, Role::Standby { .. }) }).await;
}

#[tokio::test(start_paused = true)]
async fn the_stop_node_ends_all_masters_and_goes_last() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let mut first = world.start();
    world.ask_when_led(&dga, 2).await;
    world.settle(&[(&dga, 2)]).await;
    let mut second = world.start();
    until("a standby", || async { matches!(second.handle.view().role, Role::Standby { .. }) }).await;
    let stop = serde_json::to_vec(&Stop { with_models: true, by: None }).unwrap();
    world.tree.create(&world.roots.stop(), stop, Mode::Persistent, Access::WorldReads).await.unwrap();
    assert_eq!(second.ended().await.unwrap(), End::StopNode);
    assert_eq!(first.ended().await.unwrap(), End::StopNode);
    assert!(world.tree.get(&world.roots.stop()).await.unwrap().is_none());
    assert!(leader(&world).await.is_none());
    assert!(world.fake.alive().is_empty());
    // What is wanted stays: the next master starts it again.
    let _third = world.start();
    world.settle(&[(&dga, 2)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_obeys_an_order_to_stop_whatever_else_changes_with_it() {
    // Whether the order or the other change is noticed first is chance; neither may swallow the other.
    for _ in 0..50 {
        let world = World::new();
        let dga = model("dga", "1.0");
        let mut master = world.start();
        world.ask_when_led(&dga, 1).await;
        world.settle(&[(&dga, 1)]).await;
        let stop = serde_json::to_vec(&Stop { with_models: true, by: None }).unwrap();
        let desired = world.roots.desired(&dga);
        let unchanged = world.tree.get(&desired).await.unwrap().unwrap().data;
        let all = vec![Op::create(world.roots.stop(), stop), Op::set(desired, unchanged, None)];
        world.tree.multi(all).await.unwrap();
        assert_eq!(master.ended().await.unwrap(), End::StopNode);
        assert!(world.fake.alive().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_leaves_instances_running_and_gives_the_lead_back() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let mut first = world.start();
    world.ask_when_led(&dga, 2).await;
    world.settle(&[(&dga, 2)]).await;
    first.shutdown.cancel();
    assert_eq!(first.ended().await.unwrap(), End::Shutdown);
    assert!(leader(&world).await.is_none());
    assert_eq!(world.fake.alive().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_state_of_a_newer_format_is_not_touched() {
    let world = World::new();
    let cluster = Cluster { format: 2, store: "file:///x".into(), launcher: "local".into() };
    world.tree.ensure_path(&world.roots.state, Access::WorldReads).await.unwrap();
    let bytes = serde_json::to_vec(&cluster).unwrap();
    world.tree.create(&world.roots.cluster(), bytes, Mode::Persistent, Access::WorldReads).await.unwrap();
    let mut master = world.start();
    let ended = master.ended().await;
    assert!(matches!(ended, Err(Error::NewerFormat { found: 2, known: 1 })), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_state_whose_format_cannot_be_read_is_not_touched() {
    let world = World::new();
    world.tree.ensure_path(&world.roots.state, Access::WorldReads).await.unwrap();
    let path = world.roots.cluster();
    world.tree.create(&path, b"{\"store\":1}".to_vec(), Mode::Persistent, Access::WorldReads).await.unwrap();
    let ended = world.start().ended().await;
    assert!(matches!(ended, Err(Error::UnreadableFormat { .. })), "{ended:?}");
    assert_eq!(world.tree.get(&path).await.unwrap().unwrap().data, b"{\"store\":1}");
}

#[tokio::test(start_paused = true)]
async fn stopping_with_models_ends_though_a_dead_hosts_instance_is_left() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let mut master = world.start();
    world.ask_when_led(&dga, 2).await;
    world.settle(&[(&dga, 2)]).await;
    let ours = world.children(&world.roots.instances()).await;
    let node = world.tree.get(&world.roots.instance(&ours[0])).await.unwrap().unwrap();
    let mut record: InstanceRecord = serde_json::from_slice(&node.data).unwrap();
    record.host = "node7".to_string();
    let elsewhere = world.roots.instance("0-1-dead");
    let bytes = serde_json::to_vec(&record).unwrap();
    world.tree.create(&elsewhere, bytes, Mode::Persistent, Access::WorldReads).await.unwrap();
    master.handle.stop_models(true);
    assert_eq!(master.ended().await.unwrap(), End::Shutdown);
    assert!(world.fake.alive().is_empty());
    assert_eq!(world.children(&world.roots.instances()).await, ["0-1-dead"]);
    let mut left = None;
    while let Ok(event) = master.outbox.try_recv() {
        left = left.or((event.kind == "InstancesLeft").then_some(event.reason));
    }
    assert!(left.is_some_and(|text| text.starts_with("1 instance on node7")));
}

#[tokio::test(start_paused = true)]
async fn a_standby_obeys_an_order_to_stop_whatever_it_notices_first() {
    // Order and end of the leader arrive together; which of them is noticed first is chance.
    for _ in 0..50 {
        let world = World::new();
        world.tree.ensure_path(&world.roots.state, Access::WorldReads).await.unwrap();
        world.tree.create(&world.roots.leader(), b"{}".to_vec(), Mode::Ephemeral, Access::WorldReads).await.unwrap();
        let mut standby = world.start();
        until("a standby", || async { matches!(standby.handle.view().role, Role::Standby { .. }) }).await;
        let stop = serde_json::to_vec(&Stop { with_models: false, by: None }).unwrap();
        let leaves = [Op::delete(world.roots.leader(), None), Op::delete(world.roots.stop(), None)];
        let all = [Op::create(world.roots.stop(), stop)].into_iter().chain(leaves).collect();
        world.tree.multi(all).await.unwrap();
        assert_eq!(standby.ended().await.unwrap(), End::StopNode);
        assert!(leader(&world).await.is_none());
    }
}
