//! Logs: `tracing` to stderr, as text or JSON. Colour only on a terminal, and never with `NO_COLOR`.

use crate::code::ErrorCode;
use crate::errors::Failure;
use crate::output;
use tracing_subscriber::EnvFilter;

/// Starts logging for the whole process: `filter`, else `$RUST_LOG`, else `default`. A second call changes nothing.
pub fn start(filter: Option<&str>, json: bool, default: &str) -> Result<(), Failure> {
    let variable = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|text| !text.trim().is_empty());
    let (text, source) = match (filter, variable) {
        (Some(text), _) => (text.to_string(), "--log"),
        (None, Some(text)) => (text, "$RUST_LOG"),
        (None, None) => (default.to_string(), "the default log filter"),
    };
    let filter = EnvFilter::try_new(&text).map_err(|error| {
        let message = format!("{source} {text:?} is no filter; try info, or maas_client=debug,warn");
        Failure::new(ErrorCode::Usage, message).because(&error)
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A line that can't be written (a full disk, a reader that is gone) is lost. To say so on the very same stream
        // would end the program.
        .log_internal_errors(false)
        .with_ansi(output::stderr_is_colourful());
    // An Err says that a subscriber is set already, which only tests do.
    let _ = if json { builder.json().try_init() } else { builder.try_init() };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_none_is_wrong_usage_and_names_its_source() {
        let failure = start(Some("maas_client=nonsense"), false, "warn").unwrap_err();
        assert_eq!(failure.code(), ErrorCode::Usage);
        assert!(failure.message().starts_with("--log"), "{failure}");
    }
}
