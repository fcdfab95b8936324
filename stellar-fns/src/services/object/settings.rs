//! Where objects are and how long they are kept: `stellar.object.settings` of global.json, and Metron's keys of its object cache.

use std::time::Duration;

use maas_store::Location;
use serde::Deserialize;
use serde_json::{Map as JsonMap, Value as Json};

use crate::services::settings::{SettingsError, object};

const KEY: &str = "stellar.object.settings";
const SIZE: &str = "object.cache.size";
const EXPIRATION: &str = "object.cache.expiration";
const EXPIRATION_MINUTES: &str = "object.cache.expiration.minutes";
const UNIT: &str = "object.cache.time.unit";
const FILE_SIZE: &str = "object.cache.max.file.size";

/// Where objects are and how long they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSettings {
    /// Where they are; none: expressions that ask for one are in error.
    pub store: Option<Location>,
    /// How many are kept; 1000.
    pub cache_size: u64,
    /// How long one is kept; a day.
    pub cache_expiration: Duration,
    /// Bytes of one; 1 MiB.
    pub max_bytes: u64,
    /// Longest time for reading one; 10 s.
    pub timeout: Duration,
}

impl Default for ObjectSettings {
    fn default() -> Self {
        Self {
            store: None,
            cache_size: 1000,
            cache_expiration: Duration::from_secs(24 * 60 * 60),
            max_bytes: 1 << 20,
            timeout: Duration::from_secs(10),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    store: String,
    #[serde(rename = "timeout.ms")]
    timeout_ms: Option<u64>,
}

impl ObjectSettings {
    /// Those of a global configuration.
    pub fn from_globals(globals: &JsonMap<String, Json>) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        if let Some(written) = object::<Written>(globals, KEY)? {
            let place = written.store.parse::<Location>();
            settings.store = Some(place.map_err(|error| SettingsError::unusable(KEY, error.to_string()))?);
            if let Some(ms) = written.timeout_ms {
                if !(1..=86_400_000).contains(&ms) {
                    return Err(SettingsError::unusable(KEY, format!("timeout.ms {ms}; give 1 to 86400000")));
                }
                settings.timeout = Duration::from_millis(ms);
            }
        }
        if let Some(size) = number(globals, SIZE, 10_000_000)? {
            settings.cache_size = size;
        }
        if let Some(bytes) = number(globals, FILE_SIZE, 16 << 20)? {
            settings.max_bytes = bytes;
        }
        let unit = unit(globals)?;
        if let Some(expiration) = number(globals, EXPIRATION, 1_000_000_000)? {
            settings.cache_expiration = unit.saturating_mul(u32::try_from(expiration).unwrap_or(u32::MAX));
        } else if let Some(minutes) = number(globals, EXPIRATION_MINUTES, 1_000_000_000)? {
            settings.cache_expiration = Duration::from_secs(minutes * 60);
        }
        Ok(settings)
    }
}

/// A number under a key; Metron's configurations write it as text too.
fn number(globals: &JsonMap<String, Json>, key: &'static str, most: u64) -> Result<Option<u64>, SettingsError> {
    let Some(value) = globals.get(key) else { return Ok(None) };
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| *number <= most);
    number.map(Some).ok_or_else(|| SettingsError::unusable(key, format!("{value} is no number up to {most}")))
}

fn unit(globals: &JsonMap<String, Json>) -> Result<Duration, SettingsError> {
    let Some(value) = globals.get(UNIT) else { return Ok(Duration::from_secs(60)) };
    match value.as_str().unwrap_or_default() {
        "NANOSECONDS" => Ok(Duration::from_nanos(1)),
        "MICROSECONDS" => Ok(Duration::from_micros(1)),
        "MILLISECONDS" => Ok(Duration::from_millis(1)),
        "SECONDS" => Ok(Duration::from_secs(1)),
        "MINUTES" => Ok(Duration::from_secs(60)),
        "HOURS" => Ok(Duration::from_secs(60 * 60)),
        "DAYS" => Ok(Duration::from_secs(24 * 60 * 60)),
        _ => Err(SettingsError::unusable(UNIT, format!("{value} is no unit; give SECONDS, MINUTES, HOURS or DAYS"))),
    }
}
