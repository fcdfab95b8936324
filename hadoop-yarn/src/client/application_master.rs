//! An application master's calls to the ResourceManager: `ApplicationMasterProtocol`, version 1, port 8030.
//!
//! The rules noted at the methods were seen on Hadoop 3.5.0. What to ask for, and what to do with what
//! is granted, is the caller's business; [`super::Asks`] remembers what was asked, which a ResourceManager that restarts forgets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::config::YarnConfig;
use crate::proto::yarn::{
    AllocateRequestProto, AllocateResponseProto, FinishApplicationMasterRequestProto,
    FinishApplicationMasterResponseProto, NmTokenProto, PreemptionMessageProto, RegisterApplicationMasterRequestProto,
    RegisterApplicationMasterResponseProto, SchedulerResourceTypes,
};
use crate::rpc::header::Protocol;
use crate::rpc::{Authentication, Client, Error, Repeat};
use crate::types::{
    Access, Ask, Blacklist, Container, ContainerId, ContainerStatus, FinalStatus, NodeId, NodeReport, Resource, Token,
    WireEnum as _,
};

pub(crate) const PROTOCOL: Protocol =
    Protocol { name: "org.apache.hadoop.yarn.api.ApplicationMasterProtocolPB", version: 1 };

/// How long to wait before the ResourceManager is asked again whether it has stored that we are done.
const STORED_YET: Duration = Duration::from_millis(100);

/// How long it may take to store that.
const STORED_WITHIN: Duration = Duration::from_secs(900);
/// While that takes long, this often it is said.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// The ResourceManager, as one attempt of an application's master sees it.
#[derive(Debug)]
pub struct ApplicationMaster {
    rpc: Client,
    /// The last answer's number, which the next heartbeat acknowledges.
    response_id: i32,
}

/// What the ResourceManager says when a master registers. It says so only once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The most that one container may have.
    pub maximum: Resource,
    /// The queue by its full name.
    pub queue: String,
    /// The names of the resources that the cluster counts; empty on servers before 3.0. Others are dropped from asks without a word.
    pub resource_types: Vec<String>,
    /// Whether the scheduler counts virtual cores. One that does not (`DefaultResourceCalculator`) gives them beyond what a node has.
    pub counts_vcores: bool,
    /// Containers of earlier attempts that run on. Nothing says what each of them runs. After a restart of the ResourceManager this attempt's own may be
    /// among them, without their tokens, or may not: keep your own list.
    pub containers: Vec<Container>,
    /// Tokens for the nodes of those containers.
    pub node_tokens: Vec<(NodeId, Token)>,
    /// Who may see and change the application.
    pub access: BTreeMap<Access, String>,
}

/// What a master has to say in one heartbeat.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heartbeat {
    /// Asks that are new or have changed. **One bad ask makes the whole call fail**, and nothing of it is taken.
    pub asks: Vec<Ask>,
    /// Containers to give back. A running one is killed, and its end is told at once.
    pub release: Vec<ContainerId>,
    /// Hosts to avoid.
    pub blacklist: Blacklist,
    /// How far the application is, from 0 to 1.
    pub progress: f32,
    /// A new address of the master's page.
    pub tracking_url: Option<String>,
}

/// What the ResourceManager answers to a heartbeat.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocated {
    /// Newly granted containers. One that is not started is taken back after ten minutes, and forgotten without a word when the ResourceManager restarts.
    pub containers: Vec<Container>,
    /// Containers that have ended, each told once. May name containers of earlier attempts, and released ones.
    pub completed: Vec<ContainerStatus>,
    /// Tokens for nodes: one with the first container on a node, or when it was replaced. Keep them all.
    pub node_tokens: Vec<(NodeId, Token)>,
    /// Nodes whose state has changed.
    pub updated_nodes: Vec<NodeReport>,
    /// Containers of earlier attempts that were found only now, as after a restart of the ResourceManager.
    pub previous: Vec<Container>,
    /// What the application may still get, as the scheduler sees it.
    pub headroom: Resource,
    /// How many nodes there are.
    pub nodes: i32,
    /// How many containers are asked for and not granted, in the partition without label; where the server says (3.5).
    pub pending: Option<i32>,
    /// What the scheduler is about to take back; told once.
    pub preemption: Preemption,
}

/// Containers that the scheduler wants back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preemption {
    /// Will be taken whatever we do.
    pub taken: Vec<ContainerId>,
    /// Will be taken unless as much is given back some other way.
    pub chosen: Vec<ContainerId>,
}

impl ApplicationMaster {
    /// A master that proves itself with its [`Token::AM_RM`] token. Connects when the first call is made.
    pub fn new(config: &YarnConfig, token: Token) -> Self {
        let rpc = Client::new(
            PROTOCOL,
            config.scheduler_addresses.clone(),
            Authentication::Token(token),
            config.options.clone(),
        );
        Self { rpc, response_id: 0 }
    }

    /// Says that this attempt is there: first of all, and again whenever a call fails with [`Error::is_not_registered`]. After that every ask, release and
    /// blacklisted host must be sent again.
    ///
    /// `tracking_url` is the master's page: empty for none, `host:port`, or a URL. YARN's proxy forwards to it.
    ///
    /// It is sent again when the answer is lost. A ResourceManager that had taken it, and still leads, refuses the second one as an
    /// [`InvalidMasterRequest`](crate::rpc::ExceptionKind::InvalidMasterRequest): what it said the first time is lost then, so end, and let the next attempt be told.
    pub async fn register(
        &mut self,
        host: &str,
        rpc_port: Option<u16>,
        tracking_url: &str,
    ) -> Result<Registered, Error> {
        let request = RegisterApplicationMasterRequestProto {
            host: Some(host.to_owned()),
            rpc_port: Some(rpc_port.map_or(-1, i32::from)),
            tracking_url: Some(tracking_url.to_owned()),
        };
        let answer: RegisterApplicationMasterResponseProto =
            self.rpc.call("registerApplicationMaster", Repeat::Harmless, &request).await?;
        self.response_id = 0;
        Ok(Registered::from_proto(answer))
    }

    /// One heartbeat. Send one a second; an attempt that is silent for `yarn.am.liveness-monitor.expiry-interval-ms` is taken for dead.
    ///
    /// May be dropped before it ends: the next one then gets the answer that this one would have got, **and what else it asks for is not looked at**.
    /// So repeat it unchanged, as [`Asks`](super::Asks) does. A token that the ResourceManager has renewed is taken over.
    /// [`Error::is_attempt_over`] means: stop at once.
    pub async fn allocate(&mut self, heartbeat: &Heartbeat) -> Result<Allocated, Error> {
        let request = heartbeat.to_proto(self.response_id);
        let mut answer: AllocateResponseProto = self.rpc.call("allocate", Repeat::Harmless, &request).await?;
        if let Some(token) = answer.am_rm_token.take() {
            self.rpc.authenticate(Authentication::Token(Token::from_proto(token))).await;
        }
        self.response_id = answer.response_id();
        Ok(Allocated::from_proto(answer))
    }

    /// Says how the application ended, and returns when that is stored. **Containers run on** until this process ends or its silence is noticed: stop them
    /// before, and end at once after. `tracking_url` replaces the page; empty for none.
    ///
    /// One that is still not stored after 15 minutes is an [`Error::Timeout`].
    pub async fn finish(&mut self, status: FinalStatus, diagnostics: &str, tracking_url: &str) -> Result<(), Error> {
        let request = FinishApplicationMasterRequestProto {
            diagnostics: Some(diagnostics.to_owned()),
            tracking_url: Some(tracking_url.to_owned()),
            final_application_status: status.to_proto(),
        };
        let began = Instant::now();
        let mut told = began;
        loop {
            let answer: FinishApplicationMasterResponseProto =
                self.rpc.call("finishApplicationMaster", Repeat::Harmless, &request).await?;
            if answer.is_unregistered() {
                return Ok(());
            }
            if began.elapsed() >= STORED_WITHIN {
                let address = self.rpc.servers().join(", ");
                return Err(Error::Timeout {
                    method: "finishApplicationMaster".to_owned(),
                    address,
                    limit: STORED_WITHIN,
                });
            }
            if told.elapsed() >= SAY_EVERY {
                told = Instant::now();
                tracing::warn!(waiting = ?began.elapsed(), "the ResourceManager has not stored yet that the application has ended");
            }
            tokio::time::sleep(STORED_YET).await;
        }
    }
}

impl Heartbeat {
    pub(crate) fn to_proto(&self, response_id: i32) -> AllocateRequestProto {
        AllocateRequestProto {
            ask: self.asks.iter().map(Ask::to_proto).collect(),
            release: self.release.iter().map(|id| id.to_proto()).collect(),
            blacklist_request: self.blacklist.to_proto(),
            response_id: Some(response_id),
            progress: Some(self.progress),
            update_requests: Vec::new(),
            tracking_url: self.tracking_url.clone(),
        }
    }
}

fn node_tokens(tokens: Vec<NmTokenProto>) -> Vec<(NodeId, Token)> {
    tokens
        .into_iter()
        .filter_map(|entry| Some((NodeId::from_proto(&entry.node_id?), Token::from_proto(entry.token?))))
        .collect()
}

fn containers(containers: Vec<crate::proto::yarn::ContainerProto>) -> Vec<Container> {
    containers.into_iter().map(Container::from_proto).collect()
}

impl Registered {
    pub(crate) fn from_proto(answer: RegisterApplicationMasterResponseProto) -> Self {
        // An older server says nothing.
        let counts_vcores = answer.scheduler_resource_types.is_empty()
            || answer.scheduler_resource_types().any(|of| of == SchedulerResourceTypes::Cpu);
        Self {
            maximum: Resource::from_proto(&answer.maximum_capability.unwrap_or_default()),
            queue: answer.queue.unwrap_or_default(),
            counts_vcores,
            resource_types: answer.resource_types.into_iter().map(|entry| entry.name).collect(),
            containers: containers(answer.containers_from_previous_attempts),
            node_tokens: node_tokens(answer.nm_tokens_from_previous_attempts),
            access: answer.application_ac_ls.iter().filter_map(Access::from_proto).collect(),
        }
    }
}

impl Allocated {
    pub(crate) fn from_proto(answer: AllocateResponseProto) -> Self {
        Self {
            nodes: answer.num_cluster_nodes(),
            containers: containers(answer.allocated_containers),
            completed: answer.completed_container_statuses.into_iter().map(ContainerStatus::from_proto).collect(),
            node_tokens: node_tokens(answer.nm_tokens),
            updated_nodes: answer.updated_nodes.into_iter().map(NodeReport::from_proto).collect(),
            previous: containers(answer.containers_from_previous_attempts),
            headroom: Resource::from_proto(&answer.limit.unwrap_or_default()),
            pending: answer.enhanced_headroom.and_then(|headroom| headroom.total_pending_count),
            preemption: Preemption::from_proto(answer.preempt.unwrap_or_default()),
        }
    }
}

impl Preemption {
    fn from_proto(message: PreemptionMessageProto) -> Self {
        let ids = |containers: Vec<crate::proto::yarn::PreemptionContainerProto>| {
            containers.iter().filter_map(|entry| entry.id.as_ref()).map(ContainerId::from_proto).collect()
        };
        Self {
            taken: ids(message.strict_contract.unwrap_or_default().container),
            chosen: ids(message.contract.unwrap_or_default().container),
        }
    }
}
