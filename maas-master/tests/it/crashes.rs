//! The master dies right after each of its effects; the next one brings the site to exactly what was asked.

use crate::world::{World, model, request};
use maas_client::request::Action;
use maas_master::failpoint;
use maas_master::launcher::fake::Behaviour;
use maas_master::reconciler::Error;
use std::time::Duration;

/// Points that are reached beside the passes or not in this story.
const BESIDE: &[&str] = &["after-trim"];

async fn story(world: &World) {
    let (dga, fraud, stubborn) = (model("dga", "1.0"), model("fraud", "2.1"), model("stubborn", "1"));
    world.fake.behave("stubborn", Behaviour::IgnoresStop);
    world.ask(&request(Action::Add, &dga, 3)).await;
    world.queue.enqueue_bytes(b"{]".to_vec()).await.unwrap();
    world.ask(&request(Action::Add, &fraud, 2)).await;
    world.ask(&request(Action::Add, &stubborn, 1)).await;
    world.queue.enqueue_bytes(b"null".to_vec()).await.unwrap();
}

async fn later(world: &World) {
    world.ask(&request(Action::Remove, &model("dga", "1.0"), 1)).await;
    world.ask(&request(Action::Remove, &model("stubborn", "1"), 1)).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_at_each_point_the_next_master_does_exactly_the_rest() {
    for name in failpoint::NAMES {
        let world = World::new();
        let (dga, fraud, stubborn) = (model("dga", "1.0"), model("fraud", "2.1"), model("stubborn", "1"));
        let mut first = world.start_armed(Some(name));
        crate::world::until("a queue", || async { world.tree.get(&world.roots.epoch()).await.unwrap().is_some() })
            .await;
        story(&world).await;
        let task = &mut first.task;
        let crashed = match tokio::time::timeout(Duration::from_secs(30), &mut *task).await {
            Ok(ended) => ended.unwrap(),
            Err(_) => {
                later(&world).await;
                match tokio::time::timeout(Duration::from_secs(120), &mut *task).await {
                    Ok(ended) => ended.unwrap(),
                    Err(_) if BESIDE.contains(name) => {
                        task.abort();
                        Err(Error::Failpoint(failpoint::Reached(name)))
                    }
                    Err(_) => panic!("{name} was never reached"),
                }
            }
        };
        assert!(matches!(crashed, Err(Error::Failpoint(_))), "{name}: {crashed:?}");
        // The server misses the dead master's session only later.
        tokio::time::sleep(Duration::from_secs(10)).await;
        maas_client::tree::Tree::close(&*first.tree).await;

        let _second = world.start();
        let told = world.desired(&stubborn).await.is_some_and(|desired| desired.count == 0);
        if !told {
            world.settle(&[(&dga, 3), (&fraud, 2), (&stubborn, 1)]).await;
            later(&world).await;
        }
        world.settle(&[(&dga, 2), (&fraud, 2), (&stubborn, 0)]).await;
        assert_eq!(world.children(&world.roots.requests()).await.len(), 5, "{name}");
        assert_eq!(world.children(&world.roots.rejected()).await.len(), 1, "{name}");
    }
}
