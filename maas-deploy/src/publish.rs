//! Puts a request into the queue, and finds out what became of it when the connection breaks on the way.
//!
//! For a master of ours a request carries an idempotency key, so that on doubt it can be looked up, or sent again
//! without being done twice. For Metron's master it has the six keys only, and doubt is said.

use crate::context::{Cluster, note};
use crate::error::Error;
use maas_cli::{ErrorCode, Failure};
use maas_client::paths::request_id;
use maas_client::queue::{self, Queue};
use maas_client::request::{Extra, ModelRequest, Resources};
use maas_client::tree;
use std::time::Duration;
use tokio::time::Instant;

/// How long to look for a request whose outcome is in doubt.
const LOOK_FOR: Duration = Duration::from_secs(10);
/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A request that is in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Submitted {
    /// The queue's child.
    pub(crate) child: String,
    /// The request's id.
    pub(crate) id: String,
}

/// Makes a request fit for whoever reads it: with a key for our master, with Metron's six keys else.
///
/// What only our master understands is refused rather than dropped when none of ours has ever led here.
pub(crate) fn address(
    mut request: ModelRequest,
    is_ours: bool,
    key: Option<&str>,
    by: String,
) -> Result<ModelRequest, Error> {
    if is_ours {
        request.extra.id = Some(key.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_string));
        request.extra.by = Some(by);
        return Ok(request);
    }
    // The digest is a convenience: a master of ours finds the manifest beside the payload.
    request.extra.digest = None;
    let beyond = beyond_metron(&request, key);
    if beyond.is_empty() {
        return Ok(request);
    }
    let message = format!(
        "{} can't be asked of Metron's master, and no master of ours has led here yet; start maas_service first, or leave it out",
        beyond.join(", ")
    );
    Err(Error::say(ErrorCode::NoMaster, message))
}

fn beyond_metron(request: &ModelRequest, key: Option<&str>) -> Vec<&'static str> {
    let Extra { id: _, digest: _, env, secrets, update, purge, by: _ } = &request.extra;
    let plain = Resources { memory_mb: request.resources.memory_mb, ..Resources::default() };
    [
        (key.is_some(), "--request-id"),
        (request.action == maas_client::request::Action::Scale, "SCALE"),
        (request.resources.vcores != plain.vcores, "--vcores"),
        (request.resources.gpus != plain.gpus, "--gpus"),
        (request.resources.label != plain.label, "--label"),
        (!env.is_empty(), "--env"),
        (!secrets.is_empty(), "--secret"),
        (*update, "--update"),
        (*purge, "--purge"),
    ]
    .into_iter()
    .filter_map(|(given, name)| given.then_some(name))
    .collect()
}

/// Enqueues a request that [`address`] has made fit.
pub(crate) async fn submit(cluster: &Cluster, request: &ModelRequest) -> Result<Submitted, Error> {
    let bytes = request.encode();
    match offer(cluster, bytes.clone()).await {
        Err(queue::Error::Unknown) => match &request.extra.id {
            Some(key) => settle(cluster, key, &bytes).await,
            None => Err(in_doubt("look at LIST or REQUESTS before you repeat it")),
        },
        other => other.map_err(queue_error),
    }
}

async fn offer(cluster: &Cluster, bytes: Vec<u8>) -> Result<Submitted, queue::Error> {
    let queued = Queue::new(cluster.tree.clone(), &cluster.roots).enqueue_bytes(bytes).await?;
    Ok(Submitted { id: queued.request_id(), child: queued.child })
}

fn queue_error(error: queue::Error) -> Error {
    match error {
        queue::Error::Tree(error) => error.into(),
        queue::Error::TooLong { .. } => Failure::of(ErrorCode::BadRequest, &error).into(),
        queue::Error::Unknown => Failure::of(ErrorCode::MayBeQueued, &error).into(),
    }
}

/// After a lost answer: the request is in the queue, or was taken from it, or was never there and is sent again. The
/// key makes the second sending harmless.
async fn settle(cluster: &Cluster, key: &str, bytes: &[u8]) -> Result<Submitted, Error> {
    note("the connection to ZooKeeper was lost while the request was sent; looking for it");
    let end = Instant::now() + LOOK_FOR;
    loop {
        let found = match find(cluster, key, bytes).await {
            Ok(Some(submitted)) => Ok(submitted),
            Ok(None) => match offer(cluster, bytes.to_vec()).await {
                Err(queue::Error::Unknown) => Err(tree::Error::ConnectionLoss.into()),
                other => other.map_err(queue_error),
            },
            Err(error) => Err(error),
        };
        match found {
            Ok(submitted) => return Ok(submitted),
            Err(Error::Tree(error)) if error.is_retryable() && Instant::now() < end => {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Err(Error::Tree(error)) if error.is_retryable() => {
                return Err(in_doubt(&format!("repeat it with --request-id {key}: it is done once at most")));
            }
            Err(error) => return Err(error),
        }
    }
}

async fn find(cluster: &Cluster, key: &str, bytes: &[u8]) -> Result<Option<Submitted>, Error> {
    let (tree, roots) = (&cluster.tree, &cluster.roots);
    tree.sync(&roots.queue).await?;
    for child in tree.children(&roots.queue).await?.unwrap_or_default() {
        match tree.get(&roots.queue_child(&child)).await {
            Ok(Some(node)) if node.data == bytes => {
                return Ok(Some(Submitted { id: request_id(&child, node.stat.czxid), child }));
            }
            // With credentials only masters read what waits; the key still makes a second sending harmless.
            Ok(_) | Err(tree::Error::NoAuth { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let Some(node) = tree.get(&roots.id(key)).await? else { return Ok(None) };
    // The node holds the id of the request that came with this key.
    let id = String::from_utf8_lossy(&node.data).trim_matches('"').to_string();
    let child = id.rsplit_once('-').map_or_else(|| id.clone(), |(child, _)| child.to_string());
    Ok(Some(Submitted { child, id }))
}

fn in_doubt(what_to_do: &str) -> Error {
    Failure::new(
        ErrorCode::MayBeQueued,
        format!("the connection to ZooKeeper was lost: the request may have been queued; {what_to_do}"),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use maas_client::config::Roots;
    use maas_client::request::Action;
    use maas_client::tree::memory::MemoryServer;
    use maas_client::tree::{Access, Mode, TreeExt};

    fn request() -> ModelRequest {
        ModelRequest {
            model: testing::model("dga", "1.0"),
            action: Action::Add,
            num_instances: 1,
            resources: Resources::default(),
            path: Some("/models/dga/1.0".into()),
            extra: Extra { digest: Some("sha256:00".into()), ..Extra::default() },
        }
    }

    fn cluster(server: &MemoryServer) -> Cluster {
        Cluster { tree: server.session(), roots: Roots::default(), zookeeper: "memory".into() }
    }

    #[test]
    fn without_a_master_of_ours_a_request_has_the_six_keys_only() {
        let addressed = address(request(), false, None, "a@b".into()).unwrap();
        assert_eq!(
            String::from_utf8(addressed.encode()).unwrap(),
            r#"{"name":"dga","version":"1.0","numInstances":1,"memory":512,"action":"ADD","path":"/models/dga/1.0"}"#
        );
        let mut more = request();
        more.resources.gpus = 1;
        let failure = address(more, false, None, "a@b".into()).unwrap_err().into_failure();
        assert!(failure.message().starts_with("--gpus can't be asked"), "{failure}");
        assert!(address(request(), true, Some("k"), "a@b".into()).unwrap().extra.id.as_deref() == Some("k"));
    }

    #[tokio::test]
    async fn a_lost_answer_is_looked_up_and_the_request_is_there_once() {
        for applied in [true, false] {
            let server = MemoryServer::new();
            let session = server.session();
            let cluster = Cluster { tree: session.clone(), roots: Roots::default(), zookeeper: "memory".into() };
            cluster.tree.ensure_path(&cluster.roots.queue, Access::WorldCreates).await.unwrap();
            let request = address(request(), true, None, "a@b".into()).unwrap();
            session.lose_next_answer(applied);
            let submitted = submit(&cluster, &request).await.unwrap();
            let children = cluster.tree.children(&cluster.roots.queue).await.unwrap().unwrap();
            assert_eq!(children, [submitted.child]);
        }
    }

    #[tokio::test]
    async fn a_lost_answer_without_a_key_is_said_to_be_in_doubt() {
        let server = MemoryServer::new();
        let session = server.session();
        let cluster = Cluster { tree: session.clone(), roots: Roots::default(), zookeeper: "memory".into() };
        cluster.tree.ensure_path(&cluster.roots.queue, Access::WorldCreates).await.unwrap();
        let request = address(request(), false, None, "a@b".into()).unwrap();
        session.lose_next_answer(true);
        let failure = submit(&cluster, &request).await.unwrap_err().into_failure();
        assert_eq!((failure.code(), failure.exit()), (ErrorCode::MayBeQueued, 6));
        assert!(failure.message().contains("may have been queued"));
    }

    #[tokio::test]
    async fn a_request_that_was_taken_already_is_found_by_its_key() {
        let server = MemoryServer::new();
        let cluster = cluster(&server);
        cluster.tree.ensure_path(&cluster.roots.ids(), Access::WorldReads).await.unwrap();
        let id = b"qn-0000000003-1f".to_vec();
        cluster.tree.create(&cluster.roots.id("k"), id, Mode::Persistent, Access::WorldReads).await.unwrap();
        let found = find(&cluster, "k", b"x").await.unwrap().unwrap();
        assert_eq!(found, Submitted { child: "qn-0000000003".into(), id: "qn-0000000003-1f".into() });
    }
}
