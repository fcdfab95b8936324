//! A t-digest: a sketch of a distribution in bounded space, exact for few values, best at both ends.
//!
//! Groups of neighbouring values (mean and weight) are kept in order; a group near the quantile q of n values in all may weigh up to 4·n·q·(1−q) / 150, so
//! that up to about 150 values each stay alone. New values wait in a buffer and are merged in one pass. Quantiles are interpolated linearly between the
//! middles of groups, as the digest of the original does; unlike that one nothing here is left to chance. `online` keeps the other moments.

use std::mem;

/// How fine the sketch is; the original's choice.
const COMPRESSION: f64 = 150.0;

/// How many values wait to be merged.
const BUFFER: usize = 512;

/// Neighbouring values, as one.
#[derive(Clone, Copy, Debug)]
struct Group {
    mean: f64,
    weight: f64,
}

/// The sketch.
#[derive(Clone, Debug, Default)]
pub(super) struct Digest {
    groups: Vec<Group>,
    waiting: Vec<Group>,
    weight: f64,
}

impl Digest {
    /// Adds a value, which is finite.
    pub(super) fn add(&mut self, value: f64) {
        self.push(Group { mean: value, weight: 1.0 });
    }

    /// Adds all that another sketch holds.
    pub(super) fn merge(&mut self, other: &Self) {
        for group in other.groups.iter().chain(&other.waiting) {
            self.push(*group);
        }
    }

    fn push(&mut self, group: Group) {
        self.waiting.push(group);
        self.weight += group.weight;
        if self.waiting.len() >= BUFFER {
            self.settle();
        }
    }

    /// Merges what waits into the groups: from the least on, each joins the one before it where that stays light enough.
    fn settle(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let mut all = mem::take(&mut self.groups);
        all.append(&mut self.waiting);
        all.sort_by(|left, right| left.mean.total_cmp(&right.mean));
        let mut before = 0.0;
        for next in all {
            let joined = self.groups.last_mut().filter(|last| {
                let weight = last.weight + next.weight;
                let quantile = (before + (weight - 1.0) / 2.0) / (self.weight - 1.0).max(1.0);
                weight <= 4.0 * self.weight * quantile * (1.0 - quantile) / COMPRESSION
            });
            if let Some(last) = joined {
                last.weight += next.weight;
                last.mean += (next.mean - last.mean) * next.weight / last.weight;
            } else {
                before += self.groups.last().map_or(0.0, |last| last.weight);
                self.groups.push(next);
            }
        }
    }

    /// The value below which this share of all values lies, 0 to 1; NaN if there are none.
    pub(super) fn quantile(&mut self, share: f64) -> f64 {
        self.settle();
        let (first, second) = match self.groups.as_slice() {
            [] => return f64::NAN,
            [only] => return only.mean,
            [first, second, ..] => (first, second),
        };
        // Values have the indices 0 to n − 1; a group stands in the middle of its own.
        let index = share * (self.weight - 1.0);
        let mut left = ((first.weight - 1.0) / 2.0, first.mean);
        let mut right = (first.weight + (second.weight - 1.0) / 2.0, second.mean);
        let mut before = first.weight;
        for pair in self.groups.windows(2).skip(1) {
            // Before the first middle and after the last one the nearest line goes on.
            if index <= right.0 {
                break;
            }
            before += pair[0].weight;
            left = right;
            right = (before + (pair[1].weight - 1.0) / 2.0, pair[1].mean);
        }
        left.1 + (index - left.0) * (right.1 - left.1) / (right.0 - left.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_interpolated_exactly() {
        let mut digest = Digest::default();
        for value in 1..=7 {
            digest.add(f64::from(value) * 10.0);
        }
        assert!((digest.quantile(0.009) - 10.54).abs() < 1e-9);
        assert!((digest.quantile(0.5) - 40.0).abs() < 1e-9);
        assert!((digest.quantile(1.0) - 70.0).abs() < 1e-9);
    }

    #[test]
    fn many_values_take_little_space_and_stay_near_the_truth() {
        let (mut whole, mut half, mut other) = (Digest::default(), Digest::default(), Digest::default());
        for step in 0..200_000_u64 {
            // All numbers below 200,000 in a scrambled order.
            let value = f64::from(u32::try_from(step * 77_773 % 200_000).unwrap());
            whole.add(value);
            if step % 2 == 0 { half.add(value) } else { other.add(value) }
        }
        half.merge(&other);
        assert!(whole.groups.len() < 2_000, "{} groups", whole.groups.len());
        for digest in [&mut whole, &mut half] {
            for (share, tolerance) in [(0.001, 40.0), (0.25, 800.0), (0.5, 1_000.0), (0.99, 200.0)] {
                let got = digest.quantile(share);
                assert!((got - share * 200_000.0).abs() < tolerance, "{share}: {got}");
            }
        }
    }

    #[test]
    fn without_values_there_is_no_quantile() {
        assert!(Digest::default().quantile(0.5).is_nan());
    }
}
