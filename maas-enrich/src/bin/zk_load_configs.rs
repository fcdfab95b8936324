//! `zk_load_configs`: configurations to, from and in ZooKeeper.

fn main() -> std::process::ExitCode {
    maas_enrich::configs::cli::entry()
}
