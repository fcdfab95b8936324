//! An application master's calls to a NodeManager: `ContainerManagementProtocol`, version 1, on the port of the container's node id.
//!
//! One container's failure is told beside the others' success. The rules noted at the methods were seen on Hadoop 3.5.0.

use std::collections::HashMap;

use crate::config::YarnConfig;
use crate::proto::yarn::{
    GetContainerStatusesRequestProto, GetContainerStatusesResponseProto, SignalContainerCommandProto,
    SignalContainerRequestProto, SignalContainerResponseProto, StartContainerRequestProto, StartContainersRequestProto,
    StartContainersResponseProto, StopContainersRequestProto, StopContainersResponseProto,
};
use crate::rpc::header::Protocol;
use crate::rpc::{Authentication, Client, Error, Options, Repeat};
use crate::types::{Container, ContainerId, ContainerStatus, FailedRequest, LaunchContext, NodeId, Token};

pub(crate) const PROTOCOL: Protocol =
    Protocol { name: "org.apache.hadoop.yarn.api.ContainerManagementProtocolPB", version: 1 };

/// One NodeManager. Cheap to clone; all clones share one connection, and calls on it may overlap.
#[derive(Debug, Clone)]
pub struct NodeManager {
    rpc: Client,
}

/// A container that is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The token that came with the container.
    pub token: Token,
    /// What it is to run.
    pub context: LaunchContext,
}

/// What became of a call about several containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Those for which it was done.
    pub succeeded: Vec<ContainerId>,
    /// The others.
    pub failed: Vec<FailedRequest>,
}

/// How several containers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses {
    /// Those that the NodeManager has.
    pub statuses: Vec<ContainerStatus>,
    /// Those that it does not know, or that have ended: how they ended is told by the ResourceManager alone.
    pub failed: Vec<FailedRequest>,
}

/// What is sent to a container's processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// SIGQUIT: a JVM then prints its threads.
    ThreadDump,
    /// SIGTERM.
    Terminate,
    /// SIGKILL.
    Kill,
}

impl NodeManager {
    /// A client of a node, with the token that the ResourceManager gave out for it. Connects when the first call is made.
    pub fn new(config: &YarnConfig, node: &NodeId, token: Token) -> Self {
        Self::with_options(config.node_options.clone(), node, token)
    }

    fn with_options(options: Options, node: &NodeId, token: Token) -> Self {
        Self { rpc: Client::new(PROTOCOL, vec![node.to_string()], Authentication::Token(token), options) }
    }

    /// Starts containers that were granted on this node. It is not sent again when the answer is lost: ask for the statuses first, as a second start of a
    /// container that runs is refused.
    ///
    /// Failures worth telling apart: [`InvalidContainer`](crate::rpc::ExceptionKind::InvalidContainer), granted by a ResourceManager that has restarted since: give it up;
    /// [`NodeNotReady`](crate::rpc::ExceptionKind::NodeNotReady): try again.
    pub async fn start(&self, containers: Vec<Start>) -> Result<Outcome, Error> {
        let request =
            StartContainersRequestProto { start_container_request: containers.iter().map(Start::to_proto).collect() };
        let answer: StartContainersResponseProto = self.rpc.call("startContainers", Repeat::Never, &request).await?;
        Ok(Outcome {
            succeeded: answer.succeeded_requests.iter().map(ContainerId::from_proto).collect(),
            failed: answer.failed_requests.into_iter().map(FailedRequest::from_proto).collect(),
        })
    }

    /// Stops containers: SIGTERM at once, SIGKILL 250 ms later unless the cluster sets another time. Returns before they have ended. One that has ended already counts as stopped.
    pub async fn stop(&self, containers: &[ContainerId]) -> Result<Outcome, Error> {
        let request = StopContainersRequestProto { container_id: containers.iter().map(|id| id.to_proto()).collect() };
        let answer: StopContainersResponseProto = self.rpc.call("stopContainers", Repeat::Harmless, &request).await?;
        Ok(Outcome {
            succeeded: answer.succeeded_requests.iter().map(ContainerId::from_proto).collect(),
            failed: answer.failed_requests.into_iter().map(FailedRequest::from_proto).collect(),
        })
    }

    /// How containers are.
    pub async fn statuses(&self, containers: &[ContainerId]) -> Result<Statuses, Error> {
        let request =
            GetContainerStatusesRequestProto { container_id: containers.iter().map(|id| id.to_proto()).collect() };
        let answer: GetContainerStatusesResponseProto =
            self.rpc.call("getContainerStatuses", Repeat::Harmless, &request).await?;
        Ok(Statuses {
            statuses: answer.status.into_iter().map(ContainerStatus::from_proto).collect(),
            failed: answer.failed_requests.into_iter().map(FailedRequest::from_proto).collect(),
        })
    }

    /// Sends a signal to a container's processes. One that is killed so ends with 137, not with [`ExitStatus::KILLED_BY_MASTER`](crate::types::ExitStatus::KILLED_BY_MASTER).
    pub async fn signal(&self, container: ContainerId, signal: Signal) -> Result<(), Error> {
        let command = match signal {
            Signal::ThreadDump => SignalContainerCommandProto::OutputThreadDump,
            Signal::Terminate => SignalContainerCommandProto::GracefulShutdown,
            Signal::Kill => SignalContainerCommandProto::ForcefulShutdown,
        };
        let request = SignalContainerRequestProto { container_id: container.to_proto(), command: command.into() };
        let _: SignalContainerResponseProto = self.rpc.call("signalToContainer", Repeat::Never, &request).await?;
        Ok(())
    }
}

impl Start {
    /// A start of a granted container; `None` when it came without its token.
    pub fn new(container: &Container, context: LaunchContext) -> Option<Self> {
        Some(Self { token: container.token.clone()?, context })
    }

    pub(crate) fn to_proto(&self) -> StartContainerRequestProto {
        StartContainerRequestProto {
            container_launch_context: Some(self.context.to_proto()),
            container_token: Some(self.token.to_proto()),
        }
    }
}

/// The NodeManagers for which a master has tokens, each with one connection.
///
/// The ResourceManager gives a token with the first container on a node and then only when it is replaced, so all must be kept; nodes are matched by
/// their id, never by a token's service.
#[derive(Debug)]
pub struct NodeManagers {
    options: Options,
    nodes: HashMap<NodeId, (Token, NodeManager)>,
}

impl NodeManagers {
    /// None yet.
    pub fn new(config: &YarnConfig) -> Self {
        Self { options: config.node_options.clone(), nodes: HashMap::new() }
    }

    /// Keeps tokens. One that replaces another means a new connection to its node.
    pub fn keep(&mut self, tokens: impl IntoIterator<Item = (NodeId, Token)>) {
        for (node, token) in tokens {
            if self.nodes.get(&node).is_none_or(|(known, _)| *known != token) {
                let client = NodeManager::with_options(self.options.clone(), &node, token.clone());
                self.nodes.insert(node, (token, client));
            }
        }
    }

    /// The NodeManager of a node; `None` when no token for it has come.
    pub fn get(&self, node: &NodeId) -> Option<NodeManager> {
        self.nodes.get(node).map(|(_, client)| client.clone())
    }

    /// Forgets a node that is lost. If it comes back and gives containers, the ResourceManager sends a token only when it was replaced, so keep nodes that may return.
    pub fn forget(&mut self, node: &NodeId) {
        self.nodes.remove(node);
    }
}
