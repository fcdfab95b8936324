//! A Hadoop that believes no name: who submits has a ticket, the application goes by tokens.
//!
//! `scripts/test.sh kerberos` starts it, with a key distribution centre. Log aggregation is off: `hadoop-conf.sh` says why.

use crate::application::Application;
use crate::cluster::Cluster;
use anyhow::{Context, Result, ensure};
use hadoop_yarn::credentials::Credentials;
use hadoop_yarn::types::Token;
use integration_tests::{Site, program};
use std::path::Path;

/// The secret with an instance's order, and that with the master's.
const ORDERS: (&str, &str) = ("maas.launch", "maas.order");

impl Application {
    /// What its node keeps of what each of its containers was given, by the container.
    fn given(&self) -> Result<Vec<(String, Credentials)>> {
        let folder = Path::new(&self.cluster.dir).join("nm1/local/nmPrivate").join(self.id.to_string());
        let mut given = Vec::new();
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let container = path.file_name().and_then(|name| name.to_str()).context("a plain name")?.to_string();
            let file = path.join(format!("{container}.tokens"));
            given.push((container, Credentials::read(&file)?));
        }
        Ok(given)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_cluster_with_kerberos_the_application_goes_by_tokens_and_containers_have_only_what_is_theirs()
-> Result<()> {
    let (cluster, site) = (Cluster::with_kerberos().await?, Site::new().await?);
    let mut without = cluster.variables(&site)?;
    without.retain(|(name, _)| *name != "KRB5CCNAME");
    without.push(("KRB5CCNAME", "FILE:/nonexistent"));
    let refused = site.run_with(&program("maas_service")?, &["--on", "yarn"], &without).await?.exits(9)?;
    ensure!(refused.stderr.contains("no ticket; run kinit"), "{refused:?}");

    let mut application = Application::start_on(cluster, site).await?;
    let report = application.cluster.report(application.id).await?;
    ensure!(report.user == "alice", "{report:?}");
    application.add("dga", 1, 256).await?;
    application.site.answering("dga", 1).await?;

    let instances: Vec<String> = application.containers().await?.into_values().collect();
    let given = application.given()?;
    ensure!(given.len() == 2, "the master's container and the instance's: {given:?}");
    for (container, credentials) in given {
        let kinds = [Token::AM_RM, Token::RM_DELEGATION, Token::HDFS_DELEGATION];
        let has = kinds.map(|kind| credentials.of_kind(kind).is_some());
        let orders = [ORDERS.0, ORDERS.1].map(|name| credentials.secret(name).is_some());
        if instances.contains(&container) {
            ensure!(has == [false, false, true] && orders == [true, false], "{container}: {credentials:?}");
        } else {
            ensure!(has == [true, true, true] && orders == [false, true], "{container}: {credentials:?}");
        }
    }

    // Another attempt has the tokens, too: it reads the payload's manifest in HDFS, and nodes fetch the payload.
    application.kill_master(1).await?;
    application.leads(2).await?;
    application.deploy(&["-mo", "SCALE", "-n", "dga", "-v", "1.0", "-ni", "2"]).await?.exits(0)?;
    application.site.answering("dga", 2).await?;
    application.stop().await?;
    let krb5 = format!("-Djava.security.krb5.conf={}", std::env::var("KRB5_CONFIG")?);
    let staged = format!("/user/alice/.maas/{}", application.id);
    let shell = "org.apache.hadoop.fs.FsShell";
    application.cluster.java(&application.site, &[&krb5], shell, &["-test", "-e", &staged]).await?.exits(1)?;
    Ok(())
}
