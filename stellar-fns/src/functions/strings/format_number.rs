//! Decimal digits as Java's `Formatter` writes them: the shortest digits of a number, rounded half up.
//!
//! Numbers come as Rust's shortest scientific form (`1.255e0`), without their sign.

/// `%f`
pub(super) fn fixed(shortest: &str, precision: usize) -> String {
    let decimal = Decimal::parse(shortest);
    let kept = decimal.point + to_signed(precision);
    let rounded = decimal.round(kept);
    let whole = rounded.slice(rounded.point.min(0), rounded.point);
    let fraction = rounded.slice(rounded.point, rounded.point + to_signed(precision));
    let whole = if whole.is_empty() { "0".to_owned() } else { whole };
    if precision == 0 { whole } else { format!("{whole}.{fraction}") }
}

/// `%e`
pub(super) fn scientific(shortest: &str, precision: usize) -> String {
    let rounded = Decimal::parse(shortest).round(to_signed(precision) + 1);
    let exponent = if rounded.is_zero() { 0 } else { rounded.point - 1 };
    let fraction = rounded.slice(1, 1 + to_signed(precision));
    let sign = if exponent < 0 { '-' } else { '+' };
    let point = if precision == 0 { "" } else { "." };
    format!("{}{point}{fraction}e{sign}{:02}", rounded.slice(0, 1), exponent.abs())
}

/// `%g`: fixed from 0.0001 up to ten to the precision, scientific outside.
pub(super) fn general(shortest: &str, precision: usize) -> String {
    let precision = precision.max(1);
    let rounded = Decimal::parse(shortest).round(to_signed(precision));
    if rounded.is_zero() {
        return fixed(shortest, precision - 1);
    }
    if rounded.point < -3 || rounded.point > to_signed(precision) {
        return scientific(shortest, precision - 1);
    }
    fixed(shortest, usize::try_from(to_signed(precision) - rounded.point).unwrap_or(0))
}

/// `%a` without its `0x`: the bits of a number that is not negative, rounded to even where a precision asks for fewer than there are.
pub(super) fn hexadecimal(double: f64, precision: Option<usize>) -> String {
    const FRACTION: u32 = 52;
    if double == 0.0 {
        return format!("0.{}p0", "0".repeat(precision.unwrap_or(1).max(1)));
    }
    let bits = double.to_bits();
    let (mut exponent, mut fraction) =
        (i64::try_from(bits >> FRACTION).unwrap_or(0) - 1023, bits & ((1 << FRACTION) - 1));
    let subnormal = exponent == -1023;
    let mut whole = u64::from(!subnormal);
    if subnormal {
        exponent = -1022;
    }
    let digits = precision.map(|precision| precision.max(1));
    if let Some(digits) = digits.filter(|digits| *digits < 13) {
        if subnormal {
            // Rounded ones are shown with a leading 1.
            let shift = fraction.leading_zeros() - (63 - FRACTION);
            (whole, fraction, exponent) = (1, (fraction << shift) & ((1 << FRACTION) - 1), exponent - i64::from(shift));
        }
        let dropped = FRACTION - 4 * u32::try_from(digits).unwrap_or(13);
        let (kept, rest, half) = (fraction >> dropped, fraction & ((1 << dropped) - 1), 1_u64 << (dropped - 1));
        let kept = kept + u64::from(rest > half || rest == half && kept & 1 == 1);
        fraction = kept << dropped;
        if fraction >> FRACTION > 0 {
            (fraction, exponent) = (0, exponent + 1);
        }
    }
    let all = format!("{fraction:013x}");
    let shown = match digits {
        None => all.trim_end_matches('0'),
        Some(digits) => &all[..digits.min(13)],
    };
    let zeros = digits.map_or(usize::from(shown.is_empty()), |digits| digits.saturating_sub(13));
    format!("{whole}.{shown}{}p{exponent}", "0".repeat(zeros))
}

/// Digits of a whole number in groups of three.
pub(super) fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn to_signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX / 4)
}

/// The number `0.d₀d₁d₂… × 10^point`.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    fn parse(shortest: &str) -> Self {
        let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
        Self { digits, point: exponent.parse::<i64>().unwrap_or(0) + 1 }
    }

    fn is_zero(&self) -> bool {
        self.digits.iter().all(|digit| *digit == 0)
    }

    /// Keeps this many digits, counted from the first, and rounds half up.
    fn round(mut self, kept: i64) -> Self {
        let Ok(kept) = usize::try_from(kept) else { return Self { digits: vec![0], point: self.point } };
        let Some(next) = self.digits.get(kept).copied() else { return self };
        self.digits.truncate(kept);
        if next < 5 {
            if self.digits.is_empty() {
                self.digits.push(0);
            }
            return self;
        }
        for digit in self.digits.iter_mut().rev() {
            *digit += 1;
            if *digit < 10 {
                return self;
            }
            *digit = 0;
        }
        self.digits.insert(0, 1);
        self.point += 1;
        self
    }

    /// The digits from one place to another; outside of what is known they are zero.
    fn slice(&self, from: i64, to: i64) -> String {
        let digit = |place: i64| {
            usize::try_from(place)
                .ok()
                .and_then(|place| self.digits.get(place))
                .map_or('0', |digit| char::from(b'0' + digit))
        };
        (from..to).map(digit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_the_shortest_digits_are_rounded_up() {
        assert_eq!(fixed("1.255e0", 2), "1.26");
        assert_eq!(fixed("9.995e0", 2), "10.00");
        assert_eq!(fixed("5e-1", 0), "1");
        assert_eq!(fixed("4e-3", 2), "0.00");
        assert_eq!(fixed("1.5e10", 1), "15000000000.0");
        assert_eq!(fixed("0e0", 2), "0.00");
        assert_eq!(fixed("6e-3", 2), "0.01");
    }

    #[test]
    fn hexadecimal_shows_the_bits() {
        assert_eq!(hexadecimal(1.5, None), "1.8p0");
        assert_eq!(hexadecimal(1.0, None), "1.0p0");
        assert_eq!(hexadecimal(0.1, Some(3)), "1.99ap-4");
        assert_eq!(hexadecimal(f64::MIN_POSITIVE / 2.0, None), "0.8p-1022");
        assert_eq!(hexadecimal(f64::MIN_POSITIVE / 2.0, Some(1)), "1.0p-1023");
        assert_eq!(hexadecimal(f64::MAX, Some(1)), "1.0p1024");
        assert_eq!(hexadecimal(0.0, Some(0)), "0.0p0");
    }

    #[test]
    fn large_and_small_numbers_are_scientific_in_general() {
        assert_eq!(scientific("1.2345678e4", 6), "1.234568e+04");
        assert_eq!(general("1.2345678e4", 6), "12345.7");
        assert_eq!(general("1e-5", 6), "1.00000e-05");
        assert_eq!(general("1e10", 3), "1.00e+10");
        assert_eq!(general("1e-4", 6), "0.000100000");
    }
}
