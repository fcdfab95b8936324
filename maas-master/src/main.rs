//! `maas_service`: starts the master here or in a cluster, asks how it stands, stops it.

fn main() -> std::process::ExitCode {
    maas_master::service::entry().into()
}
