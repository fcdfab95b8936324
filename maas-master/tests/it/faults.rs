//! ZooKeeper away, connections lost, answers lost: nothing is done meanwhile, nothing is lost after.

use crate::world::{World, model, request, until};
use maas_client::request::Action;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn while_disconnected_nothing_is_done_and_after_it_everything_is() {
    let world = World::new();
    let dga = model("dga", "1.0");
    let master = world.start();
    world.ask_when_led(&dga, 2).await;
    world.settle(&[(&dga, 2)]).await;
    master.tree.disconnect();
    until("it knows", || async { !master.handle.view().connected }).await;
    world.ask(&request(Action::Add, &dga, 1)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.fake.alive().len(), 2);
    master.tree.reconnect();
    world.settle(&[(&dga, 3)]).await;
    assert_eq!(master.handle.view().leading().unwrap().epoch, 1, "the session lived on");
}

#[tokio::test(start_paused = true)]
async fn lost_answers_at_every_step_change_nothing_of_the_outcome() {
    for after in 0..25 {
        for applied in [true, false] {
            let world = World::new();
            let dga = model("dga", "1.0");
            let master = world.start();
            world.ask_when_led(&dga, 3).await;
            let tree = master.tree.clone();
            // The answer to some later transaction is lost; which one, only the schedule knows.
            let losing = tokio::spawn(async move {
                for _ in 0..after {
                    tokio::task::yield_now().await;
                }
                tree.lose_next_answer(applied);
            });
            world.settle(&[(&dga, 3)]).await;
            losing.await.unwrap();
            world.ask(&request(Action::Remove, &dga, 2)).await;
            world.settle(&[(&dga, 1)]).await;
        }
    }
}
