//! `maas_enrich`: runs a sensor's pipeline, or one stage of it on given messages.

fn main() -> std::process::ExitCode {
    maas_enrich::cli::entry()
}
