//! Domains on a real timeline server.

use hadoop_yarn::config::{Configuration, TimelineConfig};
use hadoop_yarn::timeline::{Domain, TimelineServer};

use crate::servers::{Servers, free_port};

#[tokio::test]
async fn a_domain_is_made_read_and_replaced() -> anyhow::Result<()> {
    let mut servers = Servers::new()?;
    let path = servers.path().display().to_string();
    for (key, value) in [
        ("yarn.timeline-service.enabled", "true"),
        ("yarn.timeline-service.hostname", "127.0.0.1"),
        ("yarn.timeline-service.bind-host", "127.0.0.1"),
        ("yarn.timeline-service.address", &format!("127.0.0.1:{}", free_port()?)),
        ("yarn.timeline-service.webapp.address", &format!("127.0.0.1:{}", free_port()?)),
        ("yarn.timeline-service.leveldb-timeline-store.path", &format!("{path}/ats")),
    ] {
        servers.set(key, value);
    }
    servers.write()?;
    let class = "org.apache.hadoop.yarn.server.applicationhistoryservice.ApplicationHistoryServer";
    servers.start("ats", class, &[])?;
    let config = TimelineConfig::new(&Configuration::from_directory(&servers.conf())?)?.expect("it is enabled");
    let alice = TimelineServer::new(&config, "alice");
    let found = servers.until("the timeline server", async || alice.domain("maas").await.ok()).await?;
    assert_eq!(found, None);

    let domain = Domain {
        id: "maas".to_owned(),
        description: Some("models".to_owned()),
        readers: Some("bob".to_owned()),
        writers: None,
    };
    alice.put_domain(&domain).await?;
    assert_eq!(alice.domain("maas").await?, Some(domain.clone()));
    let open = Domain { readers: Some("*".to_owned()), ..domain };
    alice.put_domain(&open).await?;
    assert_eq!(alice.domain("maas").await?, Some(open));
    Ok(())
}
