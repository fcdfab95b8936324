//! A client's calls to the ResourceManager: `ApplicationClientProtocol`, version 1, port 8032.
//!
//! Method and message names are the protocol's; behaviours noted at the methods were seen on Hadoop 3.5.0.

use std::time::Duration;

use super::name_node::resolved;
use crate::config::YarnConfig;
use crate::proto::common::{GetDelegationTokenRequestProto, GetDelegationTokenResponseProto};
use crate::proto::yarn::{
    GetApplicationAttemptsRequestProto, GetApplicationAttemptsResponseProto, GetApplicationReportRequestProto,
    GetApplicationReportResponseProto, GetApplicationsResponseProto, GetClusterMetricsRequestProto,
    GetClusterMetricsResponseProto, GetClusterNodesRequestProto, GetClusterNodesResponseProto,
    GetContainersRequestProto, GetContainersResponseProto, GetNewApplicationRequestProto,
    GetNewApplicationResponseProto, GetQueueInfoRequestProto, GetQueueInfoResponseProto, KillApplicationRequestProto,
    KillApplicationResponseProto, SubmitApplicationRequestProto, SubmitApplicationResponseProto,
};
use crate::rpc::header::Protocol;
use crate::rpc::{Authentication, Client, Error, ExceptionKind, Repeat};
use crate::types::{
    ApplicationAttemptId, ApplicationFilter, ApplicationId, ApplicationReport, AttemptReport, ClusterMetrics,
    ContainerReport, NodeReport, NodeState, QueueInfo, Resource, Submission, Token, WireEnum as _,
};

pub(crate) const PROTOCOL: Protocol =
    Protocol { name: "org.apache.hadoop.yarn.api.ApplicationClientProtocolPB", version: 1 };

/// How long to wait before it is asked again whether an application is stored.
const STORED_YET: Duration = Duration::from_millis(100);

/// A handle to the ResourceManager that leads. Cheap to clone; all clones share one connection, and calls on it may overlap.
#[derive(Debug, Clone)]
pub struct ResourceManager {
    rpc: Client,
}

/// What the ResourceManager gives out before an application is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApplication {
    /// The id to submit it under. One that is never used costs nothing.
    pub id: ApplicationId,
    /// The most that one container may have.
    pub maximum: Resource,
}

impl ResourceManager {
    /// A client of the ResourceManagers that the configuration names. Connects when the first call is made.
    pub fn new(config: &YarnConfig, authentication: Authentication) -> Self {
        Self { rpc: Client::new(PROTOCOL, config.client_addresses.clone(), authentication, config.options.clone()) }
    }

    /// A new id.
    pub async fn new_application(&self) -> Result<NewApplication, Error> {
        let method = "getNewApplication";
        let answer: GetNewApplicationResponseProto =
            self.rpc.call(method, Repeat::Harmless, &GetNewApplicationRequestProto {}).await?;
        let id = answer.application_id.as_ref().ok_or(Error::Incomplete { method, field: "application_id" })?;
        Ok(NewApplication {
            id: ApplicationId::from_proto(id),
            maximum: Resource::from_proto(&answer.maximum_capability.unwrap_or_default()),
        })
    }

    /// Hands an application over. It is taken, but not yet stored, when this returns: follow its report until its state
    /// [is stored](crate::types::ApplicationState::is_stored), and submit it again under the same id when it is not found after a failover.
    ///
    /// Refused with an exception: a master that asks for more than the maximum, an unknown label, a user without the right. **Not** refused but failed a moment
    /// later: an unknown queue. Silently accepted: an id used before.
    pub async fn submit(&self, submission: &Submission) -> Result<(), Error> {
        let request = SubmitApplicationRequestProto { application_submission_context: Some(submission.to_proto()) };
        let _: SubmitApplicationResponseProto = self.rpc.call("submitApplication", Repeat::Harmless, &request).await?;
        Ok(())
    }

    /// Hands an application over and waits until it is stored, also by another ResourceManager than the one that took it first: one that went down before it
    /// had stored the application has forgotten it, and it is handed over again. Its report is then past
    /// [being stored](crate::types::ApplicationState::is_stored), or already [over](crate::types::ApplicationState::is_over). Waits for as long as that takes.
    pub async fn submit_and_wait(&self, submission: &Submission) -> Result<ApplicationReport, Error> {
        self.submit(submission).await?;
        self.stored(submission).await
    }

    /// The second half of [`ResourceManager::submit_and_wait`], for whoever has something to do once an application is handed over.
    pub async fn stored(&self, submission: &Submission) -> Result<ApplicationReport, Error> {
        loop {
            match self.report(submission.id).await {
                Ok(report) if report.state.is_stored() => return Ok(report),
                Ok(_) => tokio::time::sleep(STORED_YET).await,
                Err(error) if error.kind() == Some(ExceptionKind::ApplicationNotFound) => {
                    tracing::warn!(application = %submission.id, "forgotten before it was stored; submitting it again");
                    tokio::time::sleep(STORED_YET).await;
                    self.submit(submission).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// How an application is. One that is unknown is an [`Error::Remote`] of the kind
    /// [`ApplicationNotFound`](crate::rpc::ExceptionKind::ApplicationNotFound).
    pub async fn report(&self, id: ApplicationId) -> Result<ApplicationReport, Error> {
        let method = "getApplicationReport";
        let request = GetApplicationReportRequestProto { application_id: Some(id.to_proto()) };
        let answer: GetApplicationReportResponseProto = self.rpc.call(method, Repeat::Harmless, &request).await?;
        answer
            .application_report
            .map(ApplicationReport::from_proto)
            .ok_or(Error::Incomplete { method, field: "application_report" })
    }

    /// The applications that a filter leaves, in no order.
    pub async fn applications(&self, filter: &ApplicationFilter) -> Result<Vec<ApplicationReport>, Error> {
        let answer: GetApplicationsResponseProto =
            self.rpc.call("getApplications", Repeat::Harmless, &filter.to_proto()).await?;
        Ok(answer.applications.into_iter().map(ApplicationReport::from_proto).collect())
    }

    /// The attempts of an application, those that are over included.
    pub async fn attempts(&self, id: ApplicationId) -> Result<Vec<AttemptReport>, Error> {
        let request = GetApplicationAttemptsRequestProto { application_id: Some(id.to_proto()) };
        let answer: GetApplicationAttemptsResponseProto =
            self.rpc.call("getApplicationAttempts", Repeat::Harmless, &request).await?;
        Ok(answer.application_attempts.into_iter().map(AttemptReport::from_proto).collect())
    }

    /// The containers that an attempt has. Those that have ended are told only where the cluster keeps a history of applications.
    pub async fn containers(&self, id: ApplicationAttemptId) -> Result<Vec<ContainerReport>, Error> {
        let request = GetContainersRequestProto { application_attempt_id: Some(id.to_proto()) };
        let answer: GetContainersResponseProto = self.rpc.call("getContainers", Repeat::Harmless, &request).await?;
        Ok(answer.containers.into_iter().map(ContainerReport::from_proto).collect())
    }

    /// Orders an application killed, and says whether it is over: false at first, so call again after some 100 ms. `why` is kept in its diagnostics.
    pub async fn kill(&self, id: ApplicationId, why: &str) -> Result<bool, Error> {
        let diagnostics = Some(why.to_owned()).filter(|why| !why.is_empty());
        let request = KillApplicationRequestProto { application_id: Some(id.to_proto()), diagnostics };
        let answer: KillApplicationResponseProto =
            self.rpc.call("forceKillApplication", Repeat::Harmless, &request).await?;
        Ok(answer.is_kill_completed())
    }

    /// The nodes in one of these states; in all, lost ones included, when none is named.
    pub async fn nodes(&self, states: &[NodeState]) -> Result<Vec<NodeReport>, Error> {
        let request =
            GetClusterNodesRequestProto { node_states: states.iter().filter_map(|state| state.to_proto()).collect() };
        let answer: GetClusterNodesResponseProto = self.rpc.call("getClusterNodes", Repeat::Harmless, &request).await?;
        Ok(answer.node_reports.into_iter().map(NodeReport::from_proto).collect())
    }

    /// A queue by its name or full path, with all queues below it; `None` when there is none of that name.
    pub async fn queue(&self, name: &str) -> Result<Option<QueueInfo>, Error> {
        let request = GetQueueInfoRequestProto {
            queue_name: Some(name.to_owned()),
            include_applications: Some(false),
            include_child_queues: Some(true),
            recursive: Some(true),
            sub_cluster_id: None,
        };
        let answer: GetQueueInfoResponseProto = self.rpc.call("getQueueInfo", Repeat::Harmless, &request).await?;
        Ok(answer.queue_info.map(QueueInfo::from_proto))
    }

    /// How many nodes there are.
    pub async fn metrics(&self) -> Result<ClusterMetrics, Error> {
        let answer: GetClusterMetricsResponseProto =
            self.rpc.call("getClusterMetrics", Repeat::Harmless, &GetClusterMetricsRequestProto {}).await?;
        Ok(ClusterMetrics::from_proto(&answer.cluster_metrics.unwrap_or_default()))
    }

    /// A token that stands for the caller at the ResourceManager, and that `renewer` may renew. Clusters without Kerberos give one, too. Sent again when
    /// the answer is lost: a second token does no harm.
    pub async fn delegation_token(&self, renewer: &str) -> Result<Token, Error> {
        let method = "getDelegationToken";
        let request = GetDelegationTokenRequestProto { renewer: renewer.to_owned() };
        let answer: GetDelegationTokenResponseProto = self.rpc.call(method, Repeat::Harmless, &request).await?;
        let token = answer.token.map(Token::from_proto).ok_or(Error::Incomplete { method, field: "token" })?;
        if !token.service().is_empty() {
            return Ok(token);
        }
        // Who renews it reads there whom to ask.
        let mut services = Vec::new();
        for address in self.rpc.servers() {
            services.push(resolved(address).await.unwrap_or_else(|| address.clone()));
        }
        Ok(token.for_service(services.join(",")))
    }
}
