//! Numbers: promotion and arithmetic as in Java.
//!
//! The wider of two types wins (Double, Float, Long, Int); whole numbers wrap; whole division truncates and refuses zero; the rest is IEEE.

use std::cmp::Ordering;

use super::Value;

/// A number of one of the four types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// 32 bits.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// Single precision.
    Float(f32),
    /// Double precision.
    Double(f64),
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

impl Operator {
    /// What it makes of two ints, which wraps; none for a division by zero.
    #[inline]
    pub fn of_ints(self, left: i32, right: i32) -> Option<i32> {
        Some(match self {
            Self::Add => left.wrapping_add(right),
            Self::Subtract => left.wrapping_sub(right),
            Self::Multiply => left.wrapping_mul(right),
            Self::Divide if right == 0 => return None,
            Self::Divide => left.wrapping_div(right),
        })
    }

    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
}

/// Two numbers brought to one type; two ints are longs.
enum Pair {
    Long(i64, i64),
    Float(f32, f32),
    Double(f64, f64),
}

impl Number {
    /// As an int, as Java's `intValue` makes it: a long is cut to its low half, a fraction is cut off, what is too large is the nearest int.
    #[expect(clippy::cast_possible_truncation, reason = "Java's casts truncate too")]
    pub fn to_int(self) -> i32 {
        match self {
            Self::Int(int) => int,
            Self::Long(long) => long as i32,
            Self::Float(float) => float as i32,
            Self::Double(double) => double as i32,
        }
    }

    /// As a double.
    #[expect(clippy::cast_precision_loss, reason = "Java's widening rounds too")]
    pub fn to_double(self) -> f64 {
        match self {
            Self::Int(int) => f64::from(int),
            Self::Long(long) => long as f64,
            Self::Float(float) => f64::from(float),
            Self::Double(double) => double,
        }
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "Java's casts round too")]
    fn to_float(self) -> f32 {
        match self {
            Self::Int(int) => int as f32,
            Self::Long(long) => long as f32,
            Self::Float(float) => float,
            Self::Double(double) => double as f32,
        }
    }

    /// As a long; fractions are cut, values out of range end at the nearest bound, as a Java cast does.
    #[expect(clippy::cast_possible_truncation, reason = "Java's casts saturate the same way")]
    pub fn to_long(self) -> i64 {
        match self {
            Self::Int(int) => i64::from(int),
            Self::Long(long) => long,
            Self::Float(float) => float as i64,
            Self::Double(double) => double as i64,
        }
    }

    fn pair(self, other: Self) -> Pair {
        use Number::{Double, Float, Int, Long};
        match (self, other) {
            (Double(_), _) | (_, Double(_)) => Pair::Double(self.to_double(), other.to_double()),
            (Float(_), _) | (_, Float(_)) => Pair::Float(self.to_float(), other.to_float()),
            (Long(_) | Int(_), Long(_) | Int(_)) => Pair::Long(self.to_long(), other.to_long()),
        }
    }

    /// Computes; none for a whole division by zero.
    #[inline]
    pub fn compute(self, operator: Operator, other: Self) -> Option<Self> {
        // By far the most frequent.
        if let (Self::Int(left), Self::Int(right)) = (self, other) {
            return operator.of_ints(left, right).map(Self::Int);
        }
        self.compute_wide(operator, other)
    }

    /// The rest of [`Number::compute`]: one side at least is wider than an int.
    fn compute_wide(self, operator: Operator, other: Self) -> Option<Self> {
        use Operator::{Add, Divide, Multiply, Subtract};
        Some(match self.pair(other) {
            Pair::Long(left, right) => Self::Long(match operator {
                Add => left.wrapping_add(right),
                Subtract => left.wrapping_sub(right),
                Multiply => left.wrapping_mul(right),
                Divide if right == 0 => return None,
                Divide => left.wrapping_div(right),
            }),
            Pair::Float(left, right) => Self::Float(match operator {
                Add => left + right,
                Subtract => left - right,
                Multiply => left * right,
                Divide => left / right,
            }),
            Pair::Double(left, right) => Self::Double(match operator {
                Add => left + right,
                Subtract => left - right,
                Multiply => left * right,
                Divide => left / right,
            }),
        })
    }

    /// Order after promotion; none where NaN is involved.
    pub fn order(self, other: Self) -> Option<Ordering> {
        match self.pair(other) {
            Pair::Long(left, right) => Some(left.cmp(&right)),
            Pair::Float(left, right) => left.partial_cmp(&right),
            Pair::Double(left, right) => left.partial_cmp(&right),
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(int) => Self::Int(int),
            Number::Long(long) => Self::Long(long),
            Number::Float(float) => Self::Float(float),
            Number::Double(double) => Self::Double(double),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_wrap_and_refuse_division_by_zero() {
        let max = Number::Int(i32::MAX);
        assert!(matches!(max.compute(Operator::Add, Number::Int(1)), Some(Number::Int(i32::MIN))));
        assert!(matches!(
            Number::Int(i32::MIN).compute(Operator::Divide, Number::Int(-1)),
            Some(Number::Int(i32::MIN))
        ));
        assert!(max.compute(Operator::Divide, Number::Int(0)).is_none());
    }

    #[test]
    fn the_wider_type_wins() {
        assert!(matches!(Number::Int(1).compute(Operator::Add, Number::Long(1)), Some(Number::Long(2))));
        assert!(matches!(Number::Long(1).compute(Operator::Add, Number::Float(1.0)), Some(Number::Float(_))));
        assert_eq!(Number::Int(16_777_217).order(Number::Float(16_777_216.0)), Some(Ordering::Equal));
    }
}
