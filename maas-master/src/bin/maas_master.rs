//! `maas_master`: the master itself, as it runs inside a cluster; `maas_service` without a terminal.

fn main() -> std::process::ExitCode {
    maas_master::service::entry().into()
}
