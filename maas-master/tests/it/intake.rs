//! The queue: each request takes effect once, each bad message is set aside, nothing waits for another.

use crate::world::{World, model, ours, request, until};
use maas_client::request::Action;
use maas_client::state::Outcome;
use maas_client::tree::{Access, Mode, Op, TreeExt};
use maas_master::reconciler::End;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn bad_messages_are_set_aside_and_delay_nothing() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let master = world.start();
    until("a master", || async { master.handle.view().leading().is_some() }).await;
    let bad: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        vec![0xff, 0xfe, 0x00],
        vec![b'['; 200_000],
        vec![b'x'; 300_000],
        br#"{"name":"../x","version":"1","numInstances":1,"memory":1,"action":"ADD","path":"/x"}"#.to_vec(),
        br#"{"name":"$(id)","version":"1","numInstances":1,"memory":1,"action":"ADD","path":"/x"}"#.to_vec(),
        br#"{"name":"x","version":"1","numInstances":-5,"memory":1,"action":"ADD","path":"/x"}"#.to_vec(),
        br#"{"name":"x","version":"1","numInstances":1,"memory":1,"action":"EAT","path":"/x"}"#.to_vec(),
    ];
    for message in &bad {
        // Past our own client, which would not send the longest.
        let path = world.roots.queue_child("qn-");
        world.tree.create(&path, message.clone(), Mode::PersistentSequential, Access::Open).await.unwrap();
    }
    world.queue.enqueue_bytes(b"null".to_vec()).await.unwrap();
    world.ask(&request(Action::Add, &dga, 1)).await;
    world.settle(&[(&dga, 1)]).await;
    let counts = master.handle.view().counts;
    assert_eq!((counts.nulls, counts.accepted), (1, 1));
    assert_eq!(counts.rejected + counts.refused, bad.len() as u64);
    assert_eq!(world.children(&world.roots.rejected()).await.len() as u64, counts.rejected);
}

#[tokio::test(start_paused = true)]
async fn the_same_key_twice_is_a_duplicate_also_across_masters() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let key = "0f0e0d0c-0000-4000-8000-000000000001";
    let master = world.start();
    until("a master", || async { master.handle.view().leading().is_some() }).await;
    let first = world.ask(&ours(Action::Add, &dga, 2, key)).await;
    let second = world.ask(&ours(Action::Add, &dga, 2, key)).await;
    world.settle(&[(&dga, 2)]).await;
    master.kill().await;
    let _next = world.start();
    let third = world.ask(&ours(Action::Add, &dga, 2, key)).await;
    world.settle(&[(&dga, 2)]).await;
    assert_eq!(world.request(&first).await.unwrap().outcome, Outcome::Accepted);
    for id in [second, third] {
        let record = world.request(&id).await.unwrap();
        assert_eq!((record.outcome, record.duplicate_of.as_deref()), (Outcome::Duplicate, Some(first.as_str())));
    }
}

#[tokio::test(start_paused = true)]
async fn removing_more_than_there_is_takes_all_and_says_so() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let _master = world.start();
    world.ask_when_led(&dga, 3).await;
    world.settle(&[(&dga, 3)]).await;
    let id = world.ask(&request(Action::Remove, &dga, 5)).await;
    world.settle(&[(&dga, 0)]).await;
    let record = world.request(&id).await.unwrap();
    assert_eq!((record.before, record.after), (3, 0));
    assert_eq!(record.reason, "5 asked, all 3 taken");
}

#[tokio::test(start_paused = true)]
async fn other_resources_are_refused_to_our_client_and_replaced_for_metrons() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let mut master = world.start();
    until("a master", || async { master.handle.view().leading().is_some() }).await;
    world.ask(&ours(Action::Add, &dga, 1, "0f0e0d0c-0000-4000-8000-000000000001")).await;
    let mut other = ours(Action::Add, &dga, 1, "0f0e0d0c-0000-4000-8000-000000000002");
    other.resources.memory_mb = 512;
    let refused = world.ask(&other).await;
    world.settle(&[(&dga, 1)]).await;
    let record = world.request(&refused).await.unwrap();
    assert_eq!((record.outcome, record.code.as_deref()), (Outcome::Refused, Some("conflict_resources")));
    let mut metrons = request(Action::Add, &dga, 1);
    metrons.resources.memory_mb = 512;
    world.ask(&metrons).await;
    world.settle(&[(&dga, 2)]).await;
    assert_eq!(world.desired(&dga).await.unwrap().resources.memory_mb, 512);
    let mut kinds = Vec::new();
    while let Ok(event) = master.outbox.try_recv() {
        kinds.push(event.kind);
    }
    assert!(kinds.contains(&"SpecReplaced".to_string()), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_loses_and_doubles_nothing() {
    for applied in [true, false] {
        let world = World::new();
        let dga = model("dga", "1.0");
        let master = world.start();
        world.ask_when_led(&dga, 1).await;
        world.settle(&[(&dga, 1)]).await;
        master.tree.lose_next_answer(applied);
        let id = world.ask(&request(Action::Add, &dga, 2)).await;
        world.settle(&[(&dga, 3)]).await;
        assert_eq!(world.request(&id).await.unwrap().after, 3);
        assert_eq!(master.handle.view().counts.accepted, 2, "applied {applied}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_taken_by_another_program_is_noticed() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let mut master = world.start();
    world.ask_when_led(&dga, 1).await;
    world.settle(&[(&dga, 1)]).await;
    // The answer is lost, the transaction was not done, and meanwhile another takes the request.
    master.tree.lose_next_answer(false);
    let queued = world.queue.enqueue(&request(Action::Add, &dga, 1)).await.unwrap();
    let path = world.roots.queue_child(&queued.child);
    // By now it has read and tried; it looks again after 50 ms.
    tokio::time::sleep(Duration::from_millis(20)).await;
    world.tree.multi(vec![Op::delete(path, None)]).await.unwrap();
    until("it is noticed", || async { master.handle.view().counts.foreign == 1 }).await;
    world.settle(&[(&dga, 1)]).await;
    while let Ok(event) = master.outbox.try_recv() {
        assert_ne!(event.kind, "StepFailed");
    }
}

#[tokio::test(start_paused = true)]
async fn the_queues_root_is_made_again_when_it_is_gone() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let master = world.start();
    until("a master", || async { master.handle.view().leading().is_some() }).await;
    world.tree.multi(vec![Op::delete(&world.roots.queue, None)]).await.unwrap();
    until("a queue", || async { world.tree.get(&world.roots.queue).await.unwrap().is_some() }).await;
    world.ask(&request(Action::Add, &dga, 1)).await;
    world.settle(&[(&dga, 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_requests_in_the_queue_are_all_taken() {
    let world = World::new();
    let models: Vec<_> = (0..10).map(|index| model(&format!("m{index}"), "1")).collect();
    for index in 0..1000 {
        world.queue.ensure_root().await.unwrap();
        world.ask(&request(Action::Add, &models[index % 10], 1)).await;
    }
    let _master = world.start();
    let expected: Vec<_> = models.iter().map(|model| (model, 100)).collect();
    world.settle(&expected).await;
    assert_eq!(world.children(&world.roots.requests()).await.len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_wanted_state_that_cannot_be_read_holds_up_no_other_model_and_no_stop() {
    let world = World::new();
    let (bad, good) = (model("bad", "1"), model("good", "1"));
    let mut master = world.start();
    until("a master", || async { master.handle.view().leading().is_some() }).await;
    world.tree.create(&world.roots.model("bad"), vec![], Mode::Persistent, Access::WorldReads).await.unwrap();
    world.tree.create(&world.roots.desired(&bad), b"{".to_vec(), Mode::Persistent, Access::WorldReads).await.unwrap();
    let stuck = world.ask(&request(Action::Add, &bad, 1)).await;
    world.ask(&request(Action::Add, &good, 2)).await;
    until("the good one", || async { world.registered().await.get(&good) == Some(&2) }).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(world.request(&stuck).await.is_none(), "it waits in the queue");
    assert_eq!(master.handle.view().queue.waiting, 1);
    let mut said = 0;
    while let Ok(event) = master.outbox.try_recv() {
        said += u32::from(event.kind == "StepFailed");
    }
    assert_eq!(said, 1, "said once");
    // Once the node can be read (here: is gone) the request is taken.
    world.tree.delete_if_exists(&world.roots.desired(&bad), None).await.unwrap();
    world.settle(&[(&bad, 1), (&good, 2)]).await;
    assert_eq!(world.request(&stuck).await.unwrap().outcome, Outcome::Accepted);
}

#[tokio::test(start_paused = true)]
async fn a_root_that_was_deleted_is_made_again() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let master = world.start();
    until("a master", || async { master.handle.view().leading().is_some() }).await;
    for root in [world.roots.requests(), world.roots.ids(), world.roots.models()] {
        world.tree.delete_if_exists(&root, None).await.unwrap();
    }
    world.ask(&ours(Action::Add, &dga, 2, "0f0e0d0c-0000-4000-8000-000000000001")).await;
    world.settle(&[(&dga, 2)]).await;
}

#[tokio::test(start_paused = true)]
async fn removing_more_than_an_add_may_ask_for_takes_all() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let _master = world.start();
    world.ask_when_led(&dga, 2).await;
    let message =
        br#"{"name":"dga","version":"1.0","numInstances":2147483647,"memory":0,"action":"REMOVE","path":null}"#;
    world.queue.enqueue_bytes(message.to_vec()).await.unwrap();
    world.settle(&[(&dga, 0)]).await;
}

#[tokio::test(start_paused = true)]
async fn stop_is_obeyed_while_the_queue_is_long() {
    let world = World::new();
    world.tree.ensure_path(&world.roots.queue, Access::WorldCreates).await.unwrap();
    for _ in 0..8_000 {
        world.queue.enqueue_bytes(b"null".to_vec()).await.unwrap();
    }
    let mut master = world.start();
    // Without sleeping: paused time goes on only once the queue is empty.
    while master.handle.view().counts.nulls == 0 {
        tokio::task::yield_now().await;
    }
    world.tree.create(&world.roots.stop(), b"{}".to_vec(), Mode::Persistent, Access::WorldReads).await.unwrap();
    assert_eq!(master.ended().await.unwrap(), End::StopNode);
    assert!(!world.children(&world.roots.queue).await.is_empty(), "it did not read on to the end");
}
