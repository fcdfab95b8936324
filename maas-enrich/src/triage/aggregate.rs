//! One score of many.

/// How scores become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Aggregator {
    #[default]
    Max,
    Min,
    Sum,
    Mean,
    PositiveMean,
}

impl Aggregator {
    /// As configurations write them.
    pub(super) const NAMES: &[&str] = &["MAX", "MIN", "SUM", "MEAN", "POSITIVE_MEAN"];

    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "MAX" => Self::Max,
            "MIN" => Self::Min,
            "SUM" => Self::Sum,
            "MEAN" => Self::Mean,
            "POSITIVE_MEAN" => Self::PositiveMean,
            _ => return None,
        })
    }

    /// The score of the rules that fired, of which there is at least one.
    pub(super) fn aggregate(self, scores: &[f64], negatives_trump: bool) -> f64 {
        if negatives_trump && scores.iter().any(|score| *score < 0.0) {
            return f64::NEG_INFINITY;
        }
        match self {
            // From 0, so that it is never negative.
            Self::Max => scores.iter().copied().fold(0.0, f64::max),
            Self::Min => scores.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Sum => scores.iter().sum(),
            Self::Mean => mean(scores.iter().copied()),
            Self::PositiveMean => mean(scores.iter().copied().filter(|score| *score > 0.0)),
        }
    }
}

fn mean(scores: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = scores.fold((0.0, 0.0), |(sum, count), score| (sum + score, count + 1.0));
    if count == 0.0 { 0.0 } else { sum / count }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(scores: &[f64], trump: bool) -> Vec<f64> {
        let named = |name: &&str| Aggregator::named(name).unwrap().aggregate(scores, trump);
        Aggregator::NAMES.iter().map(named).collect()
    }

    #[test]
    fn each_makes_its_own_number() {
        assert_eq!(all(&[10.0, 5.0, 0.0], true), [10.0, 0.0, 15.0, 5.0, 7.5]);
        assert_eq!(all(&[-3.0, 5.0], false), [5.0, -3.0, 2.0, 1.0, 5.0]);
        assert_eq!(all(&[-3.0], false), [0.0, -3.0, -3.0, -3.0, 0.0]);
    }

    #[test]
    fn a_negative_score_trumps_all() {
        assert_eq!(all(&[-0.1, 100.0], true), [f64::NEG_INFINITY; 5]);
    }

    #[test]
    fn names_are_exact() {
        assert_eq!(Aggregator::named("max"), None);
    }
}
