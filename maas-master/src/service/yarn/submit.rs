//! Hands the master over to YARN: an id, the programs in HDFS, the submission, and then it is followed.

use super::leading::saying;
use super::limit::Limit;
use super::order::{CREDENTIAL_SECRET, ORDER_SECRET, Order};
use super::staging::{self, Goods, SETTINGS, Staged};
use super::upload::Upload;
use super::{configured, file_system, follow, refused, store_in_hdfs, timeline, tokens};
use crate::cli::{Cli, ServiceArgs};
use crate::config::{self, Config};
use crate::error::Error;
use crate::launcher::yarn::fetched;
use crate::service::entry;
use hadoop_yarn::client::{NewApplication, ResourceManager};
use hadoop_yarn::config::{Configuration, YarnConfig};
use hadoop_yarn::credentials::Credentials;
use hadoop_yarn::rpc::{self, ExceptionKind};
use hadoop_yarn::shell;
use hadoop_yarn::types::{ApplicationId, LaunchContext, Resource, Submission};
use maas_cli::ErrorCode;
use maas_client::place;
use maas_client::state::Leader;
use maas_client::tree::TreeExt;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Memory of the master's container, MB, unless `-mm` says otherwise.
const MEMORY_MB: u64 = 512;
/// The queue unless `-q` says otherwise.
const QUEUE: &str = "default";
/// Attempts there may be, as far as the cluster allows that many.
const ATTEMPTS: i32 = 10;
/// Failures of attempts that are older than this don't count.
const FAILURES_COUNT_FOR: Duration = Duration::from_secs(600);

/// How long it is looked, once something failed, whether the application is gone, and then its files are cleared.
const LAST_LOOK: Duration = Duration::from_secs(10);
/// Between two of those looks.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How much longer than all else sweeping may take.
const SWEEPING: Duration = Duration::from_secs(2);

/// Submits and follows it until it runs, or with `--attach` until it ends.
pub(in crate::service) async fn submit(cli: &Cli, config: &Config) -> Result<u8, Error> {
    let limit = Limit::begin(cli.service.timeout);
    if config.store_is_given {
        store_in_hdfs(&config.store)?;
    }
    let configuration = Configuration::from_environment().map_err(configured)?;
    let yarn = YarnConfig::new(&configuration).map_err(configured)?;
    let user = tokens::user(&yarn)?;
    let cluster = ResourceManager::new(&yarn, yarn.authentication(&user));
    let begun = limit.bound(async {
        refuse_beside_another(cli).await?;
        saying(&format!("the ResourceManager, {}", yarn.client_addresses.join(", ")), begin(cli, &cluster)).await
    });
    let (new, asked) = begun.await.unwrap_or_else(|| Err(too_late(limit)))?;
    let goods = goods(cli, config, &configuration, &user, new.id)?;
    let (file_system, directory) = (goods.file_system.clone(), goods.directory.clone());
    let mut upload = Upload::begin(move |wanted| staging::stage(&goods, wanted));
    let submission = limit.bound(async {
        let staged = saying(&format!("{file_system}, where the programs go"), upload.outcome()).await?;
        let order = Order {
            application: new.id.to_string(),
            user: user.clone(),
            file_system: file_system.clone(),
            directory: directory.clone(),
            runner: (&staged.runner).into(),
            env: config.env.clone(),
        };
        let mut context = context(cli, config, &order, &staged)?;
        let credentials = context.credentials.get_or_insert_default();
        tokens::add_tokens(credentials, &configuration, &yarn, &cluster, &file_system).await?;
        timeline::ensure_domain(&cli.service, &configuration, &user).await;
        let tags = tags(&config.zookeeper, &config.config_node);
        Ok(submission(&cli.service, new.id, tags, context, asked))
    });
    let followed = match submission.await.unwrap_or_else(|| Err(too_late(limit))) {
        Ok(submission) => {
            let sweeping = tokio::spawn(sweep(cluster.clone(), file_system.clone(), user.clone()));
            let followed = follow::follow(&cluster, &submission, cli, limit, config.json).await;
            finish_sweeping(sweeping).await;
            followed
        }
        Err(error) => Err(error),
    };
    if followed.is_err() {
        // What is put there after the clearing nobody would clear.
        if !upload.give_up().await {
            tracing::warn!(directory, "HDFS does not answer; some of what was put there may stay, delete it there");
        }
        // Where it never ran nobody else clears what was put there; where it may still run it needs it.
        if is_gone(async || is_over(&cluster, new.id).await).await {
            let clearing = blocking(move || Ok::<_, Error>(staging::clear(&file_system, &directory)));
            let _kept = tokio::time::timeout(LAST_LOOK, clearing).await;
        } else {
            tracing::warn!(application = %new.id, directory, "it may still run, and keeps its files in HDFS");
        }
    }
    followed
}

/// An id, and what its master may have, after a look at what would go wrong later.
async fn begin(cli: &Cli, cluster: &ResourceManager) -> Result<(NewApplication, Resource), Error> {
    let new = cluster.new_application().await.map_err(|error| refused("YARN gives no application id", error))?;
    let asked = master_resource(&cli.service, &new)?;
    // YARN takes an application for a queue that is none, and has it fail: better said before anything is uploaded.
    let queue = cli.service.queue.as_deref().unwrap_or(QUEUE);
    let found =
        cluster.queue(queue).await.map_err(|error| refused(format!("YARN can't say what queue {queue} is"), error))?;
    if found.is_none() {
        return Err(Error::Cluster {
            what: format!("this cluster has no queue {queue}; choose one with -q"),
            code: ErrorCode::BadRequest,
            source: None,
        });
    }
    Ok((new, asked))
}

fn too_late(limit: Limit) -> Error {
    Error::Cluster {
        what: format!("nothing was submitted within {limit}; see that YARN and HDFS answer, or give more time with -t"),
        code: ErrorCode::TimedOut,
        source: None,
    }
}

/// What is swept is another time's: it must not hold this command up.
async fn finish_sweeping(mut sweeping: JoinHandle<()>) {
    if tokio::time::timeout(SWEEPING, &mut sweeping).await.is_err() {
        sweeping.abort();
        tracing::warn!("what earlier applications left in HDFS is not all swept yet; the next submission goes on");
    }
}

/// Whether YARN says that an application is over, or that there is none of this name.
async fn is_over(cluster: &ResourceManager, id: ApplicationId) -> Result<bool, rpc::Error> {
    match cluster.report(id).await {
        Ok(report) => Ok(report.state.is_over()),
        Err(error) if error.kind() == Some(ExceptionKind::ApplicationNotFound) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Looks until it is gone, for a while: what was killed a moment ago is not over yet.
async fn is_gone<E>(look: impl AsyncFn() -> Result<bool, E>) -> bool {
    let looks = async {
        loop {
            match look().await {
                Ok(false) => tokio::time::sleep(LOOK_AGAIN).await,
                outcome => return outcome.is_ok(),
            }
        }
    };
    tokio::time::timeout(LAST_LOOK, looks).await.unwrap_or(false)
}

/// Takes away what applications of this user's left in HDFS that YARN knows to be over: one that is killed has no time
/// for it. What YARN knows nothing of may be another cluster's, and stays.
async fn sweep(cluster: ResourceManager, file_system: String, user: String) {
    let (place, name) = (file_system.clone(), user.clone());
    let Ok(Ok(left)) = tokio::task::spawn_blocking(move || staging::staged(&place, &name)).await else { return };
    for id in left {
        if !cluster.report(id).await.is_ok_and(|report| report.state.is_over()) {
            continue;
        }
        let (place, directory) = (file_system.clone(), staging::directory(&user, &id.to_string()));
        let cleared = tokio::task::spawn_blocking(move || staging::clear(&place, &directory)).await;
        if !matches!(cleared, Ok(Ok(()))) {
            tracing::warn!(application = %id, "what it left in HDFS stays");
        }
    }
}

/// One application leads on a root: another one would only stand by, and cost memory.
async fn refuse_beside_another(cli: &Cli) -> Result<(), Error> {
    let (tree, roots, connect) = entry::connect_for_command(cli).await?;
    let found = tree.get_json::<Leader>(&roots.leader()).await;
    tree.close().await;
    let found = found
        .map_err(|source| Error::ZooKeeper { doing: format!("can't see in ZooKeeper {connect} who leads"), source })?;
    let Some((Ok(leader), _)) = found else { return Ok(()) };
    let who = match &leader.application {
        Some(application) => application.clone(),
        None => format!("the master on {} (pid {})", leader.host, leader.pid),
    };
    Err(Error::Cluster {
        what: format!(
            "{who} leads on {connect} already; stop it with maas_service stop --with-models, or take a root of its own: -zq HOST:PORT/CHROOT"
        ),
        code: ErrorCode::AnotherLeads,
        source: None,
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::Master(Box::new(error))),
    }
}

fn master_resource(service: &ServiceArgs, new: &NewApplication) -> Result<Resource, Error> {
    let memory = i64::try_from(service.master_memory.unwrap_or(MEMORY_MB)).unwrap_or(i64::MAX);
    let vcores = i32::try_from(service.master_vcores.unwrap_or(1)).unwrap_or(i32::MAX);
    let asked = Resource::new(memory, vcores);
    let most = Resource::new(new.maximum.memory_mb, new.maximum.vcores);
    if asked.fits_in(&most) {
        return Ok(asked);
    }
    Err(Error::Cluster {
        what: format!(
            "the master's container asks {asked}, the largest allowed is {most}; choose less with -mm and -mc"
        ),
        code: ErrorCode::NeverFits,
        source: None,
    })
}

fn goods(
    cli: &Cli,
    config: &Config,
    configuration: &Configuration,
    user: &str,
    application: ApplicationId,
) -> Result<Goods, Error> {
    let program = std::env::current_exe().map_err(|source| Error::System { doing: "find this program", source })?;
    let master = program.with_file_name("maas_master");
    let runner = config.runner.clone().unwrap_or_else(|| program.with_file_name("maas_runner"));
    for path in [&master, &runner] {
        if !path.is_file() {
            return Err(Error::NoProgram { path: path.clone() });
        }
    }
    Ok(Goods {
        file_system: file_system(configuration)?,
        directory: staging::directory(user, &application.to_string()),
        master,
        runner,
        hadoop_conf: hadoop_conf()?,
        settings: config::settings_for_elsewhere(cli)?,
    })
}

/// The directory whose files the master gets: the first that has a yarn-site.xml, as the choice of the launcher has it.
fn hadoop_conf() -> Result<PathBuf, Error> {
    let named = ["HADOOP_CONF_DIR", "YARN_CONF_DIR"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let mut all = named.chain([PathBuf::from("/etc/hadoop/conf")]);
    all.find(|directory| directory.join("yarn-site.xml").is_file()).ok_or_else(|| Error::Cluster {
        what: "no yarn-site.xml; set HADOOP_CONF_DIR to the directory that holds it".to_string(),
        code: ErrorCode::BadConfig,
        source: None,
    })
}

fn context(cli: &Cli, config: &Config, order: &Order, staged: &Staged) -> Result<LaunchContext, Error> {
    let resource = |file| {
        fetched(&order.file_system, file).map_err(|text| Error::Cluster {
            what: format!("{}: {text}", order.file_system),
            code: ErrorCode::BadConfig,
            source: None,
        })
    };
    let mut local_resources = BTreeMap::from([("maas_master".to_string(), resource(&staged.master)?)]);
    for (name, file) in &staged.settings {
        local_resources.insert(name.clone(), resource(file)?);
    }
    let mut credentials = Credentials::new();
    // Texts and numbers: writing them as JSON can't fail.
    credentials.add_secret(ORDER_SECRET, serde_json::to_vec(order).unwrap_or_default());
    if let Some(credential) = &config.credential {
        credentials.add_secret(CREDENTIAL_SECRET, credential.to_line().into_bytes());
    }
    let mut environment = BTreeMap::from([
        ("HADOOP_CONF_DIR".to_string(), "{{PWD}}/conf".to_string()),
        // A container's processes run as whoever the node's are; files belong to whom the application belongs.
        ("HADOOP_USER_NAME".to_string(), shell::environment_value(&order.user)),
    ]);
    if let Some(domain) = &cli.service.domain {
        environment.insert("TIMELINEDOMAIN".to_string(), shell::environment_value(domain));
    }
    let command = command(config, &order.file_system);
    Ok(LaunchContext {
        local_resources,
        credentials: Some(credentials),
        environment,
        commands: vec![format!("exec {command} 1><LOG_DIR>/maas_master.stdout 2><LOG_DIR>/maas_master.stderr")],
        ..LaunchContext::default()
    })
}

fn command(config: &Config, file_system: &str) -> String {
    let store = if config.store_is_given { config.store.as_str() } else { file_system };
    shell::command([
        "./maas_master",
        "--application",
        "--on",
        "yarn",
        "-zq",
        &config.zookeeper,
        "-zr",
        &config.config_node,
        "--config",
        SETTINGS,
        "--store",
        store,
        "--state-dir",
        "state",
        "--http",
        "0.0.0.0:0",
    ])
}

/// What it is, and at which place in ZooKeeper: by that `maas_deploy` knows its own applications.
fn tags(zookeeper: &str, config_node: &str) -> Vec<String> {
    vec!["maas".to_string(), place::tag(zookeeper, config_node)]
}

fn submission(
    service: &ServiceArgs,
    id: ApplicationId,
    tags: Vec<String>,
    master: LaunchContext,
    resource: Resource,
) -> Submission {
    Submission {
        application_type: "MAAS".to_string(),
        queue: service.queue.clone().unwrap_or_else(|| QUEUE.to_string()),
        max_attempts: Some(ATTEMPTS),
        keep_containers: true,
        attempt_failures_validity: Some(FAILURES_COUNT_FOR),
        tags,
        node_label: service.node_label_expression.clone(),
        ..Submission::new(id, "MaaS", master, resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn what_was_killed_is_looked_at_until_it_is_over_or_ten_seconds_have_passed() {
        let looks = Cell::new(0);
        let killed = async || {
            looks.set(looks.get() + 1);
            Ok::<_, ()>(looks.get() == 4)
        };
        assert!(is_gone(killed).await);
        assert_eq!(looks.get(), 4);
        let began = Instant::now();
        assert!(!is_gone(async || Ok::<_, ()>(false)).await);
        assert!(!is_gone(async || std::future::pending::<Result<bool, ()>>().await).await);
        assert_eq!(began.elapsed(), 2 * LAST_LOOK);
        assert!(!is_gone(async || Err("away")).await, "who can't be asked is not asked again");
        assert_eq!(began.elapsed(), 2 * LAST_LOOK);
    }
}
