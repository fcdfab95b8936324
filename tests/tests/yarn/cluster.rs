//! The Hadoop of the run, and what its own servers say of applications.

use anyhow::{Context, Result, bail, ensure};
use hadoop_yarn::client::ResourceManager;
use hadoop_yarn::config::{Configuration, YarnConfig};
use hadoop_yarn::types::{ApplicationId, ApplicationReport};
use integration_tests::{Output, Site, get, script, until};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SCRIPT: &str = "scripts/services/hadoop.sh";
/// In whose name everything is submitted: HDFS belongs to who started it.
const USER: &str = "root";
/// Whose ticket there is where names are not believed.
const TICKET_OF: &str = "alice";

/// A running Hadoop.
pub(crate) struct Cluster {
    pub(crate) dir: String,
    lines: BTreeMap<String, String>,
    config: YarnConfig,
    /// Where Kerberos finds the key distribution centre and the ticket; nothing where names are believed.
    tickets: Vec<(&'static str, String)>,
    /// Its ResourceManager, as a client of our own.
    pub(crate) rm: ResourceManager,
}

impl Cluster {
    /// The Hadoop that tests share, side by side: none of them kills a daemon or needs the cluster's whole room.
    pub(crate) async fn shared() -> Result<Cluster> {
        Cluster::named("MAAS_TEST_HADOOP", "hadoop.sh start --dir DIR").await
    }

    /// The Hadoop of two nodes, for one test at a time: daemons may be killed, and its room be used up.
    pub(crate) async fn of_two_nodes() -> Result<Cluster> {
        let start = "hadoop.sh start --dir DIR --nodes 2 --gpus 2 and the settings that scripts/test.sh gives it";
        Cluster::named("MAAS_TEST_HADOOP_NODES", start).await
    }

    /// The Hadoop of two ResourceManagers, for one test at a time.
    pub(crate) async fn of_two_resource_managers() -> Result<Cluster> {
        let start = "hadoop.sh start --dir DIR --second-rm ZOOKEEPER and the settings that scripts/test.sh gives it";
        Cluster::named("MAAS_TEST_HADOOP_PAIR", start).await
    }

    /// The Hadoop whose servers believe no name.
    #[cfg(feature = "kerberos")]
    pub(crate) async fn with_kerberos() -> Result<Cluster> {
        Cluster::named("MAAS_TEST_HADOOP_KERBEROS", "hadoop.sh start --dir DIR --kerberos").await
    }

    async fn named(variable: &str, start: &str) -> Result<Cluster> {
        let dir = std::env::var(variable).ok().filter(|value| !value.is_empty()).with_context(|| {
            format!("{variable} is not set; run scripts/test.sh yarn, or start a Hadoop with scripts/services/{start} and export {variable}=DIR")
        })?;
        ensure!(
            std::env::var_os("MAAS_BENCH_PROGRAMS").is_some(),
            "MAAS_BENCH_PROGRAMS is not set; run scripts/test.sh yarn, which builds programs with the feature yarn and names their folder"
        );
        let output = script(Path::new(SCRIPT), &["status", "--dir", &dir], b"").await?.exits(0)?;
        let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.to_string(), value.to_string()));
        let lines: BTreeMap<String, String> = output.stdout.lines().filter_map(pair).collect();
        let conf = lines.get("HADOOP_CONF_DIR").context("hadoop.sh names HADOOP_CONF_DIR")?;
        let config = YarnConfig::new(&Configuration::from_directory(Path::new(conf))?)?;
        let mut tickets = Vec::new();
        if config.wants_kerberos {
            for name in ["KRB5_CONFIG", "KRB5CCNAME"] {
                let value = std::env::var(name).with_context(|| format!("{name} is not set; kdc.sh start names it"))?;
                tickets.push((name, value));
            }
        }
        let rm = ResourceManager::new(&config, config.authentication(USER));
        Ok(Cluster { dir, rm, config, lines, tickets })
    }

    /// Who submits, and has a folder in HDFS.
    pub(crate) fn user(&self) -> &'static str {
        if self.config.wants_kerberos { TICKET_OF } else { USER }
    }

    pub(crate) fn line(&self, key: &str) -> Result<&str> {
        self.lines.get(key).map(String::as_str).with_context(|| format!("hadoop.sh names {key}"))
    }

    /// What programs need in their environment, besides ZooKeeper's address.
    pub(crate) fn variables<'a>(&'a self, site: &'a Site) -> Result<Vec<(&'a str, &'a str)>> {
        let mut variables = vec![("HADOOP_CONF_DIR", self.line("HADOOP_CONF_DIR")?), ("MAAS_ZK", &site.connect)];
        if self.tickets.is_empty() {
            variables.push(("HADOOP_USER_NAME", USER));
        }
        variables.extend(self.tickets.iter().map(|(name, value)| (*name, value.as_str())));
        Ok(variables)
    }

    /// Runs a program of ours, or a script of it, in this test's world.
    pub(crate) async fn run(&self, site: &Site, program: &Path, args: &[&str]) -> Result<Output> {
        site.run_with(program, args, &self.variables(site)?).await
    }

    /// Hadoop's own application command.
    pub(crate) async fn application_cli(&self, site: &Site, args: &[&str]) -> Result<Output> {
        let args = [&["application"], args].concat();
        self.java(site, &[], "org.apache.hadoop.yarn.client.cli.ApplicationCLI", &args).await
    }

    /// One of Hadoop's own commands, or a program for its class path.
    pub(crate) async fn java(&self, site: &Site, flags: &[&str], class: &str, args: &[&str]) -> Result<Output> {
        let classes = format!("{}:{}/*", self.line("HADOOP_CONF_DIR")?, self.line("HADOOP_LIB")?);
        let args = [&["-Xmx256m"], flags, &["-cp", &classes, class], args].concat();
        site.run_with(&java()?, &args, &self.variables(site)?).await
    }

    /// Stops a daemon as a crash would: `rm`, `nm1`.
    pub(crate) async fn kill_daemon(&self, name: &str) -> Result<()> {
        script(Path::new(SCRIPT), &["kill9", "--dir", &self.dir, "--daemon", name], b"").await?.exits(0)?;
        Ok(())
    }

    /// Starts what was killed, and waits until it serves.
    pub(crate) async fn restart(&self) -> Result<()> {
        script(Path::new(SCRIPT), &["start", "--dir", &self.dir], b"").await?.exits(0)?;
        Ok(())
    }

    /// A server's port, by the name that hadoop.sh gives it.
    pub(crate) fn port(&self, name: &str) -> Result<String> {
        let path = PathBuf::from(&self.dir).join("ports").join(name);
        Ok(std::fs::read_to_string(&path).with_context(|| path.display().to_string())?.trim().to_string())
    }

    /// Which of two ResourceManagers leads: `rm` or `rm2`.
    pub(crate) async fn leading(&self) -> Result<&'static str> {
        for name in ["rm", "rm2"] {
            let url = format!("http://127.0.0.1:{}/ws/v1/cluster/info", self.port(&format!("{name}.web"))?);
            if get(&url).await.is_ok_and(|(_, info)| info.contains(r#""haState":"ACTIVE""#)) {
                return Ok(name);
            }
        }
        bail!("none leads")
    }

    /// What the ResourceManager says of an application.
    pub(crate) async fn report(&self, id: ApplicationId) -> Result<ApplicationReport> {
        Ok(self.rm.report(id).await?)
    }

    /// Kills an application, from where nothing can be awaited.
    pub(crate) fn kill_blocking(&self, id: ApplicationId) {
        let config = self.config.clone();
        let killing = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { kill(&ResourceManager::new(&config, config.authentication(USER)), id).await })
        });
        // The test has its outcome already; what is left of it here only takes room.
        let _ = killing.join();
    }
}

async fn kill(rm: &ResourceManager, id: ApplicationId) -> Result<()> {
    until(Duration::from_secs(20), "an application to be killed", async || match rm.kill(id, "a test").await? {
        true => Ok(()),
        false => bail!("{id} is not over"),
    })
    .await
}

pub(crate) fn java() -> Result<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all = home.into_iter().chain(std::env::split_paths(&path).map(|directory| directory.join("java")));
    all.find(|program| program.is_file()).context("java is needed for Hadoop's own commands")
}
