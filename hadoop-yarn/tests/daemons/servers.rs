//! Daemons of a test's own, for clusters that `hadoop.sh` does not make: their settings, processes, and ends.
//!
//! The jars are those that `MAAS_TEST_HADOOP_LIB` names, else those of the cluster under test. Nothing of it is left when it is dropped, containers' processes included.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::cluster::{BOUND, Cluster};

/// A folder with a configuration, and the daemons that run from it.
pub(crate) struct Servers {
    directory: tempfile::TempDir,
    lib: PathBuf,
    settings: BTreeMap<String, String>,
    /// Options of every JVM.
    pub(crate) jvm: Vec<String>,
    running: BTreeMap<&'static str, Child>,
}

impl Servers {
    /// None yet. What follows is set for a ResourceManager and a NodeManager that answer quickly.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let lib = match std::env::var_os("MAAS_TEST_HADOOP_LIB") {
            Some(lib) => PathBuf::from(lib),
            None => {
                let class_path = Cluster::under_test()?.configuration.list("yarn.application.classpath")?;
                class_path.iter().find_map(|part| part.strip_suffix("/*")).context("a folder of jars")?.into()
            }
        };
        let directory = tempfile::tempdir()?;
        let mut servers = Self { lib, settings: BTreeMap::new(), jvm: Vec::new(), running: BTreeMap::new(), directory };
        let path = servers.path().display().to_string();
        let address = |port: u16| format!("127.0.0.1:{port}");
        for (key, value) in [
            ("fs.defaultFS", "file:///".to_owned()),
            ("hadoop.tmp.dir", format!("{path}/tmp")),
            ("ipc.client.connect.retry.interval", "200".to_owned()),
            ("yarn.resourcemanager.nodemanagers.heartbeat-interval-ms", "100".to_owned()),
            ("yarn.resourcemanager.connect.retry-interval.ms", "500".to_owned()),
            ("yarn.resourcemanager.work-preserving-recovery.scheduling-wait-ms", "500".to_owned()),
            ("yarn.resourcemanager.am.max-attempts", "2".to_owned()),
            ("yarn.scheduler.minimum-allocation-mb", "64".to_owned()),
            ("yarn.nodemanager.hostname", "127.0.0.1".to_owned()),
            ("yarn.nodemanager.bind-host", "127.0.0.1".to_owned()),
            ("yarn.nodemanager.address", address(free_port()?)),
            ("yarn.nodemanager.localizer.address", address(free_port()?)),
            ("yarn.nodemanager.webapp.address", address(free_port()?)),
            ("yarn.nodemanager.local-dirs", format!("{path}/nm1/local")),
            ("yarn.nodemanager.log-dirs", format!("{path}/nm1/logs")),
            ("yarn.nodemanager.resource.memory-mb", "1024".to_owned()),
            ("yarn.nodemanager.disk-health-checker.enable", "false".to_owned()),
            ("yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage", "100".to_owned()),
            ("yarn.nodemanager.pmem-check-enabled", "false".to_owned()),
            ("yarn.nodemanager.vmem-check-enabled", "false".to_owned()),
        ] {
            servers.set(key, value);
        }
        Ok(servers)
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.path().join("conf")
    }

    pub(crate) fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.settings.insert(key.into(), value.into());
    }

    /// Writes the configuration. Every file has all settings, as no key means two things.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        fs::create_dir_all(self.path().join("tmp"))?;
        fs::create_dir_all(self.path().join("web/webapps/hdfs"))?;
        fs::create_dir_all(self.path().join("web/webapps/datanode"))?;
        fs::create_dir_all(self.conf())?;
        let scheduler = BTreeMap::from(
            [
                ("root.queues", "default"),
                ("root.default.capacity", "100"),
                ("root.default.user-limit-factor", "10"),
                ("maximum-am-resource-percent", "1.0"),
                ("node-locality-delay", "-1"),
            ]
            .map(|(key, value)| (format!("yarn.scheduler.capacity.{key}"), value.to_owned())),
        );
        for name in ["core-site.xml", "yarn-site.xml", "hdfs-site.xml"] {
            fs::write(self.conf().join(name), xml(&self.settings))?;
        }
        fs::write(self.conf().join("capacity-scheduler.xml"), xml(&scheduler))?;
        let log = "log4j.rootLogger=INFO,console\nlog4j.appender.console=org.apache.log4j.ConsoleAppender\n\
                   log4j.appender.console.target=System.err\nlog4j.appender.console.layout=org.apache.log4j.PatternLayout\n\
                   log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n\n";
        fs::write(self.conf().join("log4j.properties"), log)?;
        Ok(())
    }

    /// Runs a Java program of Hadoop's to its end.
    #[cfg(feature = "kerberos")]
    pub(crate) fn run(&self, class: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.java(class, arguments).output()?;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "{class} {arguments:?}: {text}");
        Ok(text)
    }

    /// Starts a daemon; one of that name must not run.
    pub(crate) fn start(&mut self, name: &'static str, class: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(self.log_of(name))?;
        let child = self
            .java(class, arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("java")?;
        ensure!(self.running.insert(name, child).is_none(), "{name} runs already");
        Ok(())
    }

    fn java(&self, class: &str, arguments: &[&str]) -> Command {
        let (path, conf) = (self.path().display(), self.conf());
        let mut command = Command::new("java");
        command
            .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Djava.net.preferIPv4Stack=true"])
            .arg(format!("-Djava.io.tmpdir={path}/tmp"))
            .arg(format!("-Dhadoop.log.dir={path}/tmp"))
            .arg(format!("-Dyarn.log.dir={path}/tmp"))
            .args(&self.jvm)
            .arg("-cp")
            .arg(format!("{}:{path}/web:{}/*", conf.display(), self.lib.display()))
            .arg(class)
            .args(arguments)
            .env("HADOOP_CONF_DIR", conf)
            .env_remove("HADOOP_USER_NAME");
        command
    }

    fn log_of(&self, name: &str) -> PathBuf {
        self.path().join(format!("{name}.log"))
    }

    /// Kills one as a crash would.
    pub(crate) fn kill9(&mut self, name: &str) -> anyhow::Result<()> {
        let mut child = self.running.remove(name).with_context(|| format!("{name} does not run"))?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Waits for a condition. A daemon that ended, or none that comes to it in time, is an error with the last lines of every log.
    pub(crate) async fn until<T>(&mut self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> anyhow::Result<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = look().await {
                return Ok(found);
            }
            let mut ended = false;
            for child in self.running.values_mut() {
                ended |= child.try_wait()?.is_some();
            }
            ensure!(began.elapsed() < BOUND && !ended, "{what} did not come: {}", self.last_words());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    fn last_words(&self) -> String {
        let mut words = String::new();
        for name in self.running.keys() {
            let log = fs::read_to_string(self.log_of(name)).unwrap_or_default();
            let lines: Vec<_> = log.lines().filter(|line| !line.starts_with("\tat ")).collect();
            let _ = write!(words, "\n--- {name}\n{}", lines[lines.len().saturating_sub(25)..].join("\n"));
        }
        words
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        let mark = format!("LOCAL_DIRS={}/", self.path().display());
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            if environment.split(|&byte| byte == 0).any(|variable| variable.starts_with(mark.as_bytes())) {
                let _ = Command::new("kill").arg("-9").arg(entry.file_name()).status();
            }
        }
    }
}

/// A configuration file.
fn xml(settings: &BTreeMap<String, String>) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut text = "<?xml version=\"1.0\"?><configuration>\n".to_owned();
    for (key, value) in settings {
        let _ = writeln!(text, "<property><name>{key}</name><value>{}</value></property>", escaped(value));
    }
    text + "</configuration>\n"
}

/// A port that nobody listens on, below those that outgoing connections take, so that a daemon that is killed finds it free when it comes back.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    for _ in 0..200 {
        let port = 10_240 + u16::try_from(rand_number() % 22_000)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port")
}

/// A number that differs from call to call and from process to process.
fn rand_number() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}
