//! One line a minute stands for all of its kind, so that a system that is down doesn't fill the log.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long one line stands for others like it.
const QUIET: Duration = Duration::from_secs(60);
/// How many kinds are told apart; their names come from expressions and data.
const MOST: usize = 10_000;

/// Characters of a text from outside that a kind keeps and a line shows.
const SHOWN: usize = 200;

/// The first characters of a text, and a sign that there were more.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Lets through one of a kind a minute.
#[derive(Debug)]
pub(crate) struct Quiet<K>(Mutex<HashMap<K, Seen>>);

#[derive(Debug)]
struct Seen {
    logged: Instant,
    since: u64,
}

impl<K> Default for Quiet<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq> Quiet<K> {
    /// How many of this kind were held back since the last one, if this one is to be let through.
    pub(crate) fn due(&self, kind: K, now: Instant) -> Option<u64> {
        let mut kinds = self.0.lock();
        let is_quiet = |seen: &Seen| now.saturating_duration_since(seen.logged) < QUIET;
        if let Some(seen) = kinds.get_mut(&kind) {
            if is_quiet(seen) {
                seen.since += 1;
                return None;
            }
            seen.logged = now;
            return Some(std::mem::take(&mut seen.since));
        }
        if kinds.len() >= MOST {
            kinds.retain(|_, seen| is_quiet(seen));
        }
        if kinds.len() >= MOST {
            kinds.clear();
        }
        kinds.insert(kind, Seen { logged: now, since: 0 });
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_stands_for_all_of_its_kind() {
        let quiet = Quiet::default();
        let start = Instant::now();
        assert_eq!(quiet.due("a", start), Some(0));
        for second in 0..59 {
            assert_eq!(quiet.due("a", start + Duration::from_secs(second)), None);
        }
        assert_eq!(quiet.due("b", start), Some(0), "another kind has its own line");
        assert_eq!(quiet.due("a", start + QUIET), Some(59));
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(cut("é"), "é");
        assert_eq!(cut(&"é".repeat(1_000)).chars().count(), SHOWN + 1);
    }

    #[test]
    fn kinds_from_outside_take_a_bounded_room() {
        let quiet = Quiet::default();
        let now = Instant::now();
        for index in 0..MOST + 10 {
            assert_eq!(quiet.due(index, now), Some(0));
        }
        assert!(quiet.0.lock().len() <= MOST);
    }
}
