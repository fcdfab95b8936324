//! Entry point of `stellar`.

fn main() -> std::process::ExitCode {
    stellar_fns::cli::run()
}
