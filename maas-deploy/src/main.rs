//! Entry point of `maas_deploy`.

fn main() -> std::process::ExitCode {
    maas_deploy::run()
}
