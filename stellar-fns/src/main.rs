//! Entry point of `stellar`.

/// Evaluations make and drop many small values.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    stellar_fns::cli::run()
}
