//! Payloads in the making, beside where they will be. HDFS has no locks that end with their holder: what a dead program
//! left is told by its age, and a living one says now and then that it lives.

use super::files::{Files, Renamed};
use crate::file::staging::unique_name;
use crate::store::Error;
use std::time::{Duration, Instant};

const PREFIX: &str = ".maas-tmp-";
/// Without a sign of life for this long it belongs to nobody.
const DEAD_AFTER: Duration = Duration::from_secs(24 * 3600);
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(600);

/// Whether a directory of this name is one in the making.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// A directory in the making. Dropped before it is renamed, it goes with all in it.
pub(super) struct Staging<'a> {
    files: &'a Files,
    dir: String,
    made: Instant,
    /// The same moment by the NameNode's clock, by which all ages are told.
    made_ms: u64,
    signed: Instant,
}

impl<'a> Staging<'a> {
    /// Makes an empty one below `parent`, which is made too, and clears what dead programs left there.
    pub(super) fn make(files: &'a Files, parent: &str) -> Result<Staging<'a>, Error> {
        let dir = format!("{}/{PREFIX}{}", parent.trim_end_matches('/'), unique_name());
        files.make_directory(&dir)?;
        let made = Instant::now();
        let mut staging = Staging { files, dir, made, made_ms: 0, signed: made };
        staging.made_ms = files.status(&staging.dir)?.map_or(0, |there| there.modified_ms);
        staging.clear_dead(parent);
        Ok(staging)
    }

    pub(super) fn dir(&self) -> &str {
        &self.dir
    }

    /// Tells others that it is still being filled, when that was last said some time ago.
    pub(super) fn still_alive(&mut self) {
        if self.signed.elapsed() < SIGN_OF_LIFE_EVERY {
            return;
        }
        self.signed = Instant::now();
        let age = u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Err(error) = self.files.set_modified(&self.dir, self.made_ms.saturating_add(age)) {
            tracing::debug!(directory = %self.dir, %error, "no sign of life given");
        }
    }

    /// Moves a directory in here, out of everybody's sight, and deletes it; `false` when it was gone.
    pub(super) fn take(self, dir: &str) -> Result<bool, Error> {
        if self.files.status(dir)?.is_none() {
            return Ok(false);
        }
        match self.files.rename(dir, &format!("{}/taken", self.dir)) {
            Ok(Renamed::Done) => Ok(true),
            // Names in here are ours alone; and what another took meanwhile is gone.
            Ok(Renamed::TargetIsThere) => Ok(false),
            Err(error) => match self.files.status(dir)? {
                None => Ok(false),
                Some(_) => Err(error),
            },
        }
    }

    fn clear_dead(&self, parent: &str) {
        let left = self.files.list(parent).ok().flatten().unwrap_or_default();
        let dead = left.iter().filter(|entry| is_name(&entry.name) && is_dead(entry.modified_ms, self.made_ms));
        for entry in dead {
            let dir = format!("{}/{}", parent.trim_end_matches('/'), entry.name);
            if let Err(error) = self.files.delete_tree(&dir) {
                tracing::debug!(directory = dir, %error, "left-over could not be removed");
            }
        }
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // After it was renamed nothing is there to be deleted.
        if let Err(error) = self.files.delete_tree(&self.dir) {
            tracing::debug!(directory = %self.dir, %error, "left-over could not be removed");
        }
    }
}

fn is_dead(modified_ms: u64, now_ms: u64) -> bool {
    u128::from(now_ms.saturating_sub(modified_ms)) > DEAD_AFTER.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_gave_no_sign_of_life_for_long_is_dead() {
        let day = 24 * 3600 * 1000;
        assert!(!is_dead(0, day) && is_dead(0, day + 1));
        assert!(!is_dead(day, 0), "made after the one that asks");
        assert!(is_name(".maas-tmp-x") && !is_name(".tmp") && !is_name("maas-tmp-"));
    }
}
