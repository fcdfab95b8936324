//! What the ResourceManager says about applications, their attempts, and the cluster.

use super::{ApplicationAttemptId, ApplicationId, ContainerId, Resource, Token, WireEnum as _, wire_enum};
use crate::proto::yarn::{
    ApplicationAttemptReportProto, ApplicationReportProto, ApplicationResourceUsageReportProto,
    ApplicationsRequestScopeProto, FinalApplicationStatusProto, GetApplicationsRequestProto, LogAggregationStatusProto,
    YarnApplicationAttemptStateProto, YarnApplicationStateProto, YarnClusterMetricsProto,
};

wire_enum! {
    /// Where an application is in its life.
    ApplicationState from YarnApplicationStateProto {
        /// Just handed over.
        New = New => "NEW",
        /// Being stored.
        NewSaving = NewSaving => "NEW_SAVING",
        /// Handed to the scheduler.
        Submitted = Submitted => "SUBMITTED",
        /// Waits for its master to run and to register. A full queue, a label without nodes and the time between two attempts look like this, too:
        /// see the diagnostics.
        Accepted = Accepted => "ACCEPTED",
        /// Its master has registered.
        Running = Running => "RUNNING",
        /// Its master has unregistered. Master and containers may still be running for a moment.
        Finished = Finished => "FINISHED",
        /// No attempt came to an orderly end.
        Failed = Failed => "FAILED",
        /// Killed on request.
        Killed = Killed => "KILLED",
    }
}

impl ApplicationState {
    /// Whether nothing more will change.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Killed)
    }

    /// Whether the ResourceManager has stored the application: from then on it survives a restart.
    pub fn is_stored(self) -> bool {
        !matches!(self, Self::New | Self::NewSaving | Self::Submitted | Self::Unknown)
    }
}

wire_enum! {
    /// An application's own verdict.
    FinalStatus from FinalApplicationStatusProto {
        /// None yet.
        Undefined = AppUndefined => "UNDEFINED",
        /// It succeeded.
        Succeeded = AppSucceeded => "SUCCEEDED",
        /// It failed.
        Failed = AppFailed => "FAILED",
        /// It was killed.
        Killed = AppKilled => "KILLED",
        /// Some of its parts have ended.
        Ended = AppEnded => "ENDED",
    }
}

wire_enum! {
    /// Where an attempt is in its life.
    AttemptState from YarnApplicationAttemptStateProto {
        /// Made.
        New = AppAttemptNew => "NEW",
        /// Handed to the scheduler.
        Submitted = AppAttemptSubmitted => "SUBMITTED",
        /// Waits for a container.
        Scheduled = AppAttemptScheduled => "SCHEDULED",
        /// Its container is being stored.
        AllocatedSaving = AppAttemptAllocatedSaving => "ALLOCATED_SAVING",
        /// Has a container.
        Allocated = AppAttemptAllocated => "ALLOCATED",
        /// Its master was started.
        Launched = AppAttemptLaunched => "LAUNCHED",
        /// Its master ended without unregistering, or was not heard of.
        Failed = AppAttemptFailed => "FAILED",
        /// Its master has registered.
        Running = AppAttemptRunning => "RUNNING",
        /// Its master has unregistered and not yet ended.
        Finishing = AppAttemptFinishing => "FINISHING",
        /// Over.
        Finished = AppAttemptFinished => "FINISHED",
        /// Killed on request.
        Killed = AppAttemptKilled => "KILLED",
    }
}

wire_enum! {
    /// How far the collection of an application's logs is.
    LogAggregation from LogAggregationStatusProto {
        /// The cluster does not collect them.
        Disabled = LogDisabled => "DISABLED",
        /// Not begun.
        NotStarted = LogNotStart => "NOT_START",
        /// Under way.
        Running = LogRunning => "RUNNING",
        /// All are there.
        Succeeded = LogSucceeded => "SUCCEEDED",
        /// Some could not be collected.
        Failed = LogFailed => "FAILED",
        /// A node did not report in time.
        TimedOut = LogTimeOut => "TIME_OUT",
        /// Under way, some already lost.
        RunningWithFailure = LogRunningWithFailure => "RUNNING_WITH_FAILURE",
    }
}

/// What an application uses. Who may not see it is told nothing: then the report has none.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceUsage {
    /// Containers in use.
    pub containers: i32,
    /// What they have.
    pub used: Resource,
    /// The share of its queue in percent.
    pub queue_percent: f32,
    /// The share of the cluster in percent.
    pub cluster_percent: f32,
}

impl ResourceUsage {
    /// -1 stands for "not known".
    fn from_proto(usage: ApplicationResourceUsageReportProto) -> Option<Self> {
        (usage.num_used_containers() >= 0).then(|| Self {
            containers: usage.num_used_containers(),
            queue_percent: usage.queue_usage_percentage(),
            cluster_percent: usage.cluster_usage_percentage(),
            used: Resource::from_proto(&usage.used_resources.unwrap_or_default()),
        })
    }
}

/// An application as the ResourceManager sees it. What is not known yet, or not for the caller's eyes, is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplicationReport {
    /// The application.
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
    /// What it calls its kind.
    pub application_type: String,
    /// Its owner.
    pub user: String,
    /// Its queue by full name.
    pub queue: String,
    /// Its state.
    pub state: ApplicationState,
    /// Its own verdict.
    pub final_status: FinalStatus,
    /// What YARN says about it: why it waits, why it failed.
    pub diagnostics: String,
    /// The latest attempt.
    pub attempt: Option<ApplicationAttemptId>,
    /// Where its master says it runs.
    pub host: Option<String>,
    /// The port that its master gave.
    pub rpc_port: Option<u16>,
    /// Its page, through YARN's web proxy.
    pub tracking_url: Option<String>,
    /// Its page, as its master gave it.
    pub original_tracking_url: Option<String>,
    /// From 0 to 1, as its master says.
    pub progress: f32,
    /// Submitted, in milliseconds since 1970.
    pub start_time: i64,
    /// Ended, in milliseconds since 1970; 0 before.
    pub finish_time: i64,
    /// What it uses.
    pub usage: Option<ResourceUsage>,
    /// Its tags.
    pub tags: Vec<String>,
    /// How far the collection of its logs is.
    pub log_aggregation: LogAggregation,
    /// The token of an unmanaged application's master, once the attempt was made; only for its owner.
    pub am_rm_token: Option<Token>,
}

impl ApplicationReport {
    pub(crate) fn from_proto(report: ApplicationReportProto) -> Self {
        let known = |text: Option<String>| text.filter(|text| !text.is_empty() && text != "N/A");
        Self {
            id: ApplicationId::from_proto(&report.application_id.unwrap_or_default()),
            state: report.yarn_application_state.map_or(ApplicationState::Unknown, ApplicationState::from_proto),
            final_status: report.final_application_status.map_or(FinalStatus::Unknown, FinalStatus::from_proto),
            attempt: report
                .current_application_attempt_id
                .as_ref()
                .filter(|id| id.attempt_id() > 0)
                .map(ApplicationAttemptId::from_proto),
            rpc_port: report.rpc_port.and_then(|port| u16::try_from(port).ok()).filter(|&port| port > 0),
            progress: report.progress(),
            start_time: report.start_time(),
            finish_time: report.finish_time(),
            log_aggregation: report.log_aggregation_status.map_or(LogAggregation::Unknown, LogAggregation::from_proto),
            name: report.name.unwrap_or_default(),
            application_type: report.application_type.unwrap_or_default(),
            user: report.user.unwrap_or_default(),
            queue: report.queue.unwrap_or_default(),
            diagnostics: known(report.diagnostics).unwrap_or_default(),
            host: known(report.host),
            tracking_url: known(report.tracking_url),
            original_tracking_url: known(report.original_tracking_url),
            usage: report.app_resource_usage.and_then(ResourceUsage::from_proto),
            tags: report.application_tags,
            am_rm_token: report.am_rm_token.map(Token::from_proto),
        }
    }
}

/// One attempt to run an application's master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptReport {
    /// The attempt.
    pub id: ApplicationAttemptId,
    /// Its state.
    pub state: AttemptState,
    /// The master's container.
    pub master_container: Option<ContainerId>,
    /// What YARN says about it.
    pub diagnostics: String,
}

impl AttemptReport {
    pub(crate) fn from_proto(report: ApplicationAttemptReportProto) -> Self {
        Self {
            id: ApplicationAttemptId::from_proto(&report.application_attempt_id.unwrap_or_default()),
            state: report.yarn_application_attempt_state.map_or(AttemptState::Unknown, AttemptState::from_proto),
            master_container: report.am_container_id.as_ref().map(ContainerId::from_proto),
            diagnostics: report.diagnostics.unwrap_or_default(),
        }
    }
}

/// Which applications to list. What is empty does not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApplicationFilter {
    /// In one of these states.
    pub states: Vec<ApplicationState>,
    /// Of one of these users.
    pub users: Vec<String>,
    /// Of one of these kinds.
    pub types: Vec<String>,
    /// In one of these queues.
    pub queues: Vec<String>,
    /// With one of these tags. Servers keep tags in lower case.
    pub tags: Vec<String>,
    /// No more than so many.
    pub limit: Option<i64>,
}

impl ApplicationFilter {
    /// Those that are not over.
    pub fn unfinished() -> Self {
        let states = [
            ApplicationState::New,
            ApplicationState::NewSaving,
            ApplicationState::Submitted,
            ApplicationState::Accepted,
            ApplicationState::Running,
        ];
        Self { states: states.to_vec(), ..Self::default() }
    }

    pub(crate) fn to_proto(&self) -> GetApplicationsRequestProto {
        GetApplicationsRequestProto {
            application_types: self.types.clone(),
            application_states: self.states.iter().filter_map(|state| state.to_proto()).collect(),
            users: self.users.clone(),
            queues: self.queues.clone(),
            limit: self.limit,
            application_tags: self.tags.clone(),
            scope: Some(ApplicationsRequestScopeProto::All.into()),
            ..GetApplicationsRequestProto::default()
        }
    }
}

/// How many nodes a cluster has in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterMetrics {
    /// All.
    pub nodes: i32,
    /// That take containers.
    pub active: i32,
    /// That have not been heard of.
    pub lost: i32,
    /// That are not well.
    pub unhealthy: i32,
    /// That were taken out of service.
    pub decommissioned: i32,
}

impl ClusterMetrics {
    pub(crate) fn from_proto(metrics: &YarnClusterMetricsProto) -> Self {
        Self {
            nodes: metrics.num_node_managers(),
            active: metrics.num_active_nms(),
            lost: metrics.num_lost_nms(),
            unhealthy: metrics.num_unhealthy_nms(),
            decommissioned: metrics.num_decommissioned_nms(),
        }
    }
}
