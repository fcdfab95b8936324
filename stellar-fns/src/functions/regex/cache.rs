//! Patterns that come from data, kept for the whole process within a bound on their number and on what they weigh.

use std::sync::Arc;

use indexmap::{Equivalent, IndexMap};

use super::pattern::Pattern;
use crate::value::Text;

/// How many patterns are kept.
const SIZE: usize = 256;
/// What the patterns that are kept may weigh together.
const WEIGHT: usize = 200_000;

/// Patterns by text and limit.
#[derive(Default)]
pub(super) struct Cache {
    patterns: IndexMap<(Text, usize), Arc<Pattern>>,
    weight: usize,
    /// Where the last one was thrown out.
    last: usize,
}

/// A key as it is looked for.
#[derive(Hash)]
struct Wanted<'a>(&'a str, usize);

impl Equivalent<(Text, usize)> for Wanted<'_> {
    fn equivalent(&self, (text, backtracking): &(Text, usize)) -> bool {
        self.0 == text.as_str() && self.1 == *backtracking
    }
}

impl Cache {
    pub(super) fn get(&self, java: &str, backtracking: usize) -> Option<Arc<Pattern>> {
        self.patterns.get(&Wanted(java, backtracking)).cloned()
    }

    /// Keeps a pattern. Others are thrown out for it where there is no room: now this, now that one, so that a few patterns too many, used in turn, don't
    /// all miss each time.
    pub(super) fn keep(&mut self, java: &str, pattern: Arc<Pattern>) {
        let key = (Text::new(java), pattern.backtracking());
        if let Some(before) = self.patterns.swap_remove(&key) {
            self.weight -= before.weight();
        }
        let weight = pattern.weight();
        if weight > WEIGHT {
            return;
        }
        while self.patterns.len() >= SIZE || self.weight + weight > WEIGHT {
            self.last = self.last.wrapping_mul(5).wrapping_add(101) % SIZE;
            let Some((_, out)) = self.patterns.swap_remove_index(self.last % self.patterns.len()) else { break };
            self.weight -= out.weight();
        }
        self.weight += weight;
        self.patterns.insert(key, pattern);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(java: &str, backtracking: usize) -> Arc<Pattern> {
        Arc::new(Pattern::read(java, backtracking).unwrap())
    }

    #[test]
    fn patterns_are_kept_by_text_and_limit_and_a_few_too_many_do_not_all_miss() {
        let mut cache = Cache::default();
        cache.keep("a", read("a", 1));
        cache.keep("a", read("a", 2));
        cache.keep("a", read("a", 2));
        assert_eq!(cache.patterns.len(), 2);
        assert_eq!(cache.get("a", 1).unwrap().backtracking(), 1);
        let mut cache = Cache::default();
        let texts: Vec<String> = (0..=SIZE).map(|number| format!("a{number}")).collect();
        let mut round = || {
            let missed = texts.iter().filter(|text| {
                let missed = cache.get(text, 1).is_none();
                if missed {
                    cache.keep(text, read("a", 1));
                }
                missed
            });
            missed.count()
        };
        let rounds: Vec<usize> = (0..10).map(|_| round()).collect();
        assert_eq!(rounds[0], texts.len());
        assert!(rounds[1..].iter().all(|missed| *missed < SIZE / 2), "{rounds:?}");
        assert!(cache.patterns.len() <= SIZE);
    }

    #[test]
    fn patterns_that_are_kept_take_a_bounded_room() {
        let mut cache = Cache::default();
        for index in 0..1000 {
            let java = format!("a{{{}}}", 1000 + index);
            cache.keep(&java, read(&java, 1));
        }
        assert!((100..=SIZE).contains(&cache.patterns.len()));
        assert_eq!(cache.weight, cache.patterns.values().map(|pattern| pattern.weight()).sum::<usize>());
        assert!(cache.weight <= WEIGHT);
    }
}
