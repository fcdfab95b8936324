//! From arguments to exit code. All there is to say has been printed when it returns.

use super::announce::note;
use super::{detach, run, status, stop, yarn};
use crate::cli::{Cli, Command, On, TABLE};
use crate::config::{self, Config};
use crate::error::Error;
use maas_cli::{completions, exit, parse};
use maas_client::config::Roots;
use maas_client::tree::{SharedTree, Tree};
use maas_client::zk::{ZkOptions, ZkTree};

/// Runs `maas_service` (or `maas_master`, which is the same without a terminal) and returns its exit code.
pub fn entry() -> u8 {
    let cli: Cli = match parse::from_process(&TABLE) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let json = cli.connection.json;
    match dispatch(&cli) {
        Ok(code) => code,
        Err(error) => {
            error.failure().report(json);
            error.exit()
        }
    }
}

fn dispatch(cli: &Cli) -> Result<u8, Error> {
    let log =
        |is_service: bool| cli.connection.log.start(if is_service { "info,zookeeper_client=warn" } else { "error" });
    if cli.command.is_some() {
        log(false)?;
    }
    match &cli.command {
        Some(Command::Completions { shell }) => {
            completions::print(*shell, &mut parse::command::<Cli>(&TABLE))
                .map_err(|source| Error::System { doing: "write completions", source })?;
            Ok(exit::DONE)
        }
        Some(Command::Status) => block_on(status::status(cli), 1),
        Some(Command::Stop(args)) => block_on(stop::stop(cli, args), 1),
        None => {
            let config = Config::of_process(cli)?;
            // Whoever submits or detaches is a command; the master logs where it runs.
            let submits = config.launcher.on == On::Yarn && !cli.service.application;
            log(!cli.service.detach && !submits)?;
            note_unused(cli, &config);
            if submits {
                note(&config.launcher.line);
                return block_on(yarn::submit(cli, &config), 1);
            }
            if cli.service.detach {
                return detach::detach(&config, cli.service.timeout);
            }
            block_on(run::run(config, cli.service.detached, cli.service.application), 2)
        }
    }
}

/// Options of Metron's and of YARN that change nothing here are accepted, and that is said once.
fn note_unused(cli: &Cli, config: &Config) {
    let unused = cli.service.without_use_here();
    // The program that --detach starts has said it already.
    if config.launcher.on == On::Local && !cli.service.detached && !unused.is_empty() {
        note(&format!("note: {} accepted, without use on this machine", unused.join(", ")));
    }
}

fn block_on(work: impl Future<Output = Result<u8, Error>>, threads: usize) -> Result<u8, Error> {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if threads > 1 {
        builder.worker_threads(threads);
    }
    let runtime =
        builder.enable_all().build().map_err(|source| Error::System { doing: "start the runtime", source })?;
    let outcome = runtime.block_on(work);
    // Followed logs and half-sent answers must not hold the end up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}

/// A connection for a command: bounded, as whoever `--zk-auth-file` says.
pub(super) async fn connect_for_command(cli: &Cli) -> Result<(SharedTree, Roots, String), Error> {
    let connection = &cli.connection;
    let connect = connection.zookeeper.address()?.connect;
    let config_node = connection.zookeeper.root()?;
    let mut options = ZkOptions::command(connect.clone(), connection.zookeeper.timeout());
    options.credential = connection.zk_auth_file.as_deref().map(config::credential_from_file).transpose()?;
    let tree: SharedTree = ZkTree::connect(options).await.map_err(|source| Error::ZooKeeper {
        doing: format!("can't reach ZooKeeper {connect}; check -zq, or give it longer with --zk-timeout"),
        source,
    })?;
    let roots = read_roots(tree.as_ref(), &config_node).await?;
    Ok((tree, roots, connect))
}

/// Queue, registry and state as Metron's configuration node says.
pub(super) async fn read_roots(tree: &dyn Tree, config_node: &str) -> Result<Roots, Error> {
    let node = tree.get(config_node).await.map_err(|source| Error::ZooKeeper {
        doing: format!("can't read the configuration node {config_node}"),
        source,
    })?;
    Ok(Roots::from_node(config_node, node.as_ref().map(|node| node.data.as_slice()))?)
}
