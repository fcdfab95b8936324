//! The launcher of the trait: what the reconciler asks goes into the book, what the book knows is what it sees.

use super::forecast::forecast;
use super::heart::{Heart, Shared};
use super::sight::Sight;
use super::start::{Options, Starter};
use crate::clock::wall_time;
use crate::launcher::{Ask, Launcher, LogFiles, RemoteLogs, Report};
use crate::observed::{Instance, Node};
use async_trait::async_trait;
use hadoop_yarn::types::{Container, ContainerId, NodeReport};
use maas_client::api::Amounts;
use maas_client::reason::{Reason, ReasonCode};
use maas_client::request::Resources;
use maas_client::state::{Ended, InstanceRecord, LocalHome};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Containers of YARN. Cheap to clone.
#[derive(Clone)]
pub struct Yarn {
    shared: Arc<Shared>,
    starter: Arc<Starter>,
    sight: Arc<Sight>,
}

impl Yarn {
    /// A launcher of the attempt whose heart beats.
    pub fn new(heart: &Heart, options: Options) -> Yarn {
        Yarn { shared: heart.shared(), starter: Arc::new(Starter::new(options)), sight: Arc::default() }
    }

    async fn start(self, ask: Ask, container: Container) {
        let node = self.shared.nodes().get(&container.node);
        let outcome = match node {
            Some(node) => self.starter.start(&ask, &container, node).await,
            None => Err(format!("no token came for {}", container.node)),
        };
        match outcome {
            Ok(()) => tracing::info!(instance = ask.id, container = %container.id, node = %container.node, "started"),
            Err(why) => {
                tracing::warn!(instance = ask.id, container = %container.id, why, "not started");
                self.shared.book().not_started(&ask.id, container.id, why, wall_time());
                self.shared.tell();
            }
        }
        self.shared.say_changed();
    }
}

#[async_trait]
impl Launcher for Yarn {
    fn kind(&self) -> &'static str {
        "yarn"
    }

    fn home(&self) -> Option<LocalHome> {
        None
    }

    async fn ensure(&self, asks: Vec<Ask>) {
        let mut starts = Vec::new();
        {
            let mut book = self.shared.book();
            for ask in asks {
                match ask.container.clone() {
                    Some(container) => starts.extend(book.start(&ask.id, &container, wall_time()).map(|it| (ask, it))),
                    None => book.take(&ask.id, &ask.model, &ask.resources, wall_time()),
                }
            }
        }
        for (ask, container) in starts {
            tokio::spawn(self.clone().start(ask, container));
        }
        self.shared.tell();
        self.shared.say_changed();
    }

    async fn kill(&self, _id: &str, record: &InstanceRecord) {
        if let Some(container) = record.container.as_deref().and_then(|id| id.parse::<ContainerId>().ok()) {
            self.shared.book().kill(container);
            self.shared.tell();
        }
    }

    async fn observe(&self, known: &BTreeMap<String, Arc<Instance>>) -> Report {
        let (mut book, now) = (self.shared.book(), wall_time());
        let processes = known
            .iter()
            .map(|(id, instance)| (id.clone(), book.process(id, instance, now)))
            .collect::<BTreeMap<_, _>>();
        let nodes = book.cluster().nodes.iter().map(node_of).collect();
        let out_of_sight = book.out_of_sight(known);
        drop(book);
        self.sight.look(&self.shared, out_of_sight);
        Report { nodes, finds_places: true, processes }
    }

    async fn forget(&self, id: &str, record: &InstanceRecord, ended: &Ended) {
        self.shared.book().forget(id);
        self.shared.tell();
        let code = ended.reason.as_ref().map(|reason| reason.code);
        if matches!(code, Some(ReasonCode::PayloadChanged | ReasonCode::PayloadUnreadable)) {
            self.starter.forget_payload(&record.digest);
        }
    }

    fn logs(&self, _id: &str, _record: Option<&InstanceRecord>) -> Option<LogFiles> {
        None
    }

    fn remote_logs(&self, id: &str) -> Option<RemoteLogs> {
        let (container, node) = self.shared.book().place(id)?;
        let file = |name: &str| format!("/ws/v1/node/containers/{container}/logs/{name}");
        Some(RemoteLogs { node: format!("http://{node}"), stdout: file("stdout"), stderr: file("stderr") })
    }

    fn forecast(&self, needs: &Resources, count: u32) -> Option<Reason> {
        let (cluster, waiting) = {
            let book = self.shared.book();
            (book.cluster().clone(), book.waiting().cloned().collect::<Vec<_>>())
        };
        forecast(needs, count, &cluster, waiting.iter())
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed()
    }
}

fn node_of(report: &NodeReport) -> Node {
    let amount = |value: i64| u64::try_from(value).unwrap_or(0);
    Node {
        host: report.id.host.clone(),
        total: Amounts {
            memory_mb: amount(report.capability.memory_mb),
            vcores: u32::try_from(report.capability.vcores).unwrap_or(0),
            gpus: u32::try_from(report.capability.gpus()).unwrap_or(0),
        },
        label: report.labels.iter().find(|label| !label.is_empty()).cloned().unwrap_or_default(),
        limits_vcores: false,
    }
}
