//! `-d -c -va -ma`: the timeline domain, made on the cluster's timeline server where there is one.
//!
//! Nothing depends on it: a server that is down or refuses is told, and the application is submitted all the same.

use crate::cli::ServiceArgs;
use crate::service::announce::note;
use hadoop_yarn::config::{Configuration, TimelineConfig};
use hadoop_yarn::timeline::{Domain, TimelineServer};
use maas_client::reason::chain;

/// Makes the domain that is asked for, and says it when it can't.
pub(super) async fn ensure_domain(service: &ServiceArgs, configuration: &Configuration, user: &str) {
    let Some(domain) = domain(service) else { return };
    let failed = match TimelineConfig::new(configuration) {
        Ok(Some(server)) => match TimelineServer::new(&server, user).put_domain(&domain).await {
            Ok(()) => return tracing::info!(domain = domain.id, "made the timeline domain"),
            Err(error) => chain(&error),
        },
        Ok(None) => "this cluster has no timeline server of version 1 (yarn.timeline-service.enabled)".to_string(),
        Err(error) => chain(&error),
    };
    note(&format!("warning: the timeline domain {} is not made: {failed}", domain.id));
}

/// The domain, where one is to be made.
fn domain(service: &ServiceArgs) -> Option<Domain> {
    let id = service.domain.clone().filter(|_| service.create)?;
    Some(Domain {
        id,
        description: Some("models as a service".to_string()),
        readers: service.view_acls.clone(),
        writers: service.modify_acls.clone(),
    })
}
