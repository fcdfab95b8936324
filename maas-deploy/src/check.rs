//! Checks of what a person typed, before anything is done with it. Pure.

use crate::error::Error;
use maas_cli::{ErrorCode, Failure};
use maas_client::model::{ModelId, ModelName, ModelVersion};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Most instances one ADD or REMOVE may ask for.
pub(crate) const MAX_AT_ONCE: u32 = 1_000;
/// Most instances of a version.
pub(crate) const MAX_OF_VERSION: u32 = 10_000;
/// Most memory of an instance, MB: 16 TB.
pub(crate) const MAX_MEMORY_MB: u64 = 16 << 20;

/// A model's name.
pub(crate) fn name(text: &str) -> Result<ModelName, Error> {
    text.parse().map_err(|error: maas_client::model::Error| Failure::of(ErrorCode::BadName, &error).into())
}

/// A version.
pub(crate) fn version(text: &str) -> Result<ModelVersion, Error> {
    text.parse().map_err(|error: maas_client::model::Error| Failure::of(ErrorCode::BadName, &error).into())
}

/// A name, and a version where one is given.
pub(crate) fn filter(
    name_text: Option<&str>,
    version_text: Option<&str>,
) -> Result<(Option<ModelName>, Option<ModelVersion>), Error> {
    Ok((name_text.map(name).transpose()?, version_text.map(version).transpose()?))
}

/// Name and version together.
pub(crate) fn model(name_text: &str, version_text: &str) -> Result<ModelId, Error> {
    Ok(ModelId { name: name(name_text)?, version: version(version_text)? })
}

/// A number of instances within bounds.
pub(crate) fn count(number: i64, low: u32, high: u32) -> Result<u32, Error> {
    u32::try_from(number).ok().filter(|number| (low..=high).contains(number)).ok_or_else(|| {
        Error::say(ErrorCode::CountMax, format!("-ni {number}: from {low} to {high} instances can be asked for"))
    })
}

/// Memory in MB within bounds.
pub(crate) fn memory(number: i64) -> Result<u64, Error> {
    u64::try_from(number).ok().filter(|number| (1..=MAX_MEMORY_MB).contains(number)).ok_or_else(|| {
        Error::say(ErrorCode::MemoryMax, format!("-m {number}: from 1 MB to {MAX_MEMORY_MB} MB (16 TB)"))
    })
}

/// An idempotency key: it becomes a node's name.
pub(crate) fn key(text: &str) -> Result<&str, Error> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if (1..=128).contains(&text.len())
        && text.chars().all(fine)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        return Ok(text);
    }
    Err(Error::say(
        ErrorCode::BadName,
        format!("--request-id {text:?}: 1 to 128 letters, digits, . _ -, the first a letter or digit"),
    ))
}

/// `K=V` of `--env` and lines of `--env-file`, the former winning.
pub(crate) fn environment(pairs: &[String], file: Option<&Path>) -> Result<BTreeMap<String, String>, Error> {
    let mut environment = BTreeMap::new();
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::new(ErrorCode::BadEnv, format!("--env-file {} can't be read", file.display())).because(&error)
        })?;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = pair(line, &format!("{}:{}", file.display(), number + 1))?;
            environment.insert(key, value);
        }
    }
    for text in pairs {
        let (key, value) = pair(text, "--env")?;
        environment.insert(key, value);
    }
    Ok(environment)
}

/// `K=FILE` of `--secret`: the path is made absolute, the file itself is the runner's to read.
pub(crate) fn secrets(pairs: &[String]) -> Result<BTreeMap<String, String>, Error> {
    let mut secrets = BTreeMap::new();
    for text in pairs {
        let (key, file) = pair(text, "--secret")?;
        let path = std::path::absolute(&file)
            .ok()
            .and_then(|path| path.to_str().map(str::to_string))
            .ok_or_else(|| Error::say(ErrorCode::BadEnv, format!("--secret {key}: {file:?} is no path")))?;
        secrets.insert(key, path);
    }
    Ok(secrets)
}

fn pair(text: &str, source: &str) -> Result<(String, String), Error> {
    // The value is not shown: it may be one that should have been a --secret.
    let Some((key, value)) = text.split_once('=') else {
        return Err(Error::say(ErrorCode::BadEnv, format!("{source}: one without \"=\"; K=V is needed")));
    };
    let fine = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !fine {
        let message = format!("{source} {key:?} is no variable's name; letters, digits and _ only, no digit first");
        return Err(Error::say(ErrorCode::BadEnv, message));
    }
    if key.starts_with("MAAS_") {
        return Err(Error::say(ErrorCode::BadEnv, format!("{source} {key}: variables MAAS_… are set by the runner")));
    }
    if value.contains('\0') {
        return Err(Error::say(ErrorCode::BadEnv, format!("{source} {key}: a value can't hold a NUL")));
    }
    Ok((key.to_string(), value.to_string()))
}

/// `90`, `90s`, `5m`, `2h`, `1d` as a duration.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(format!("{text:?} is no duration; try 90s, 5m, 2h or 1d")),
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    let seconds = seconds.filter(|seconds| *seconds <= 100 * 366 * 86_400);
    seconds.map(Duration::from_secs).ok_or_else(|| format!("{text:?} is no duration; try 90s, 5m, 2h or 1d"))
}

/// An event's id, `000003-00000042`, with all its zeros: ids are compared as text.
pub(crate) fn event_id(text: &str) -> Result<String, String> {
    let number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u64>().ok()).flatten();
    let parts = text.split_once('-').and_then(|(epoch, sequence)| Some((number(epoch)?, number(sequence)?)));
    let (epoch, sequence) =
        parts.ok_or_else(|| format!("{text:?} is no event's id; they are like 000003-00000042, see EVENTS"))?;
    Ok(format!("{epoch:06}-{sequence:08}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused_with_the_range() {
        assert_eq!(count(3, 1, MAX_AT_ONCE).unwrap(), 3);
        for bad in [0, -1, 1_001, i64::MAX] {
            assert_eq!(count(bad, 1, MAX_AT_ONCE).unwrap_err().into_failure().exit(), 3);
        }
        for bad in [0, -5, (16 << 20) + 1] {
            assert_eq!(memory(bad).unwrap_err().into_failure().code(), ErrorCode::MemoryMax);
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        for bad in ["", "h", "2w", "-1s", "99999999999999999999h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_events_id_is_two_numbers() {
        assert_eq!(event_id("000003-00000042").unwrap(), "000003-00000042");
        assert_eq!(event_id("3-42").unwrap(), "000003-00000042");
        for bad in ["zzz", "", "-", "3-", "3", "3-x", "3-4-5", "+3-4"] {
            assert!(event_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn environment_comes_from_file_and_options_and_its_names_are_checked() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "# comment\nA=1\nB=x=y\n").unwrap();
        let environment = environment(&["A=2".into()], Some(file.path())).unwrap();
        assert_eq!(environment, BTreeMap::from([("A".into(), "2".into()), ("B".into(), "x=y".into())]));
        for bad in ["secretvalue", "1A=x", "MAAS_MODEL_NAME=x", "A B=x", "=x"] {
            let failure = super::environment(&[bad.into()], None).unwrap_err().into_failure();
            assert_eq!(failure.code(), ErrorCode::BadEnv);
            assert!(!failure.message().contains("secretvalue"), "{failure}");
        }
        assert!(secrets(&["K=rel/file".into()]).unwrap()["K"].starts_with('/'));
    }

    #[test]
    fn a_key_becomes_a_nodes_name_and_is_checked() {
        assert!(key("0b1e-7.a").is_ok());
        for bad in ["", "a/b", "..", "a b", &"x".repeat(129)] {
            assert!(key(bad).is_err(), "{bad}");
        }
    }
}
