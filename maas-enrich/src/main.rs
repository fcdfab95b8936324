//! `maas_enrich`: runs a sensor's pipeline, or one stage of it on given messages.

/// Each event is many small values, made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    maas_enrich::cli::entry()
}
