//! The pseudo-random numbers of Java's `Random`, for functions whose answers the original draws with a fixed seed.

/// The generator: 48 bits, multiplied and added to at each draw.
#[derive(Clone, Debug)]
pub(super) struct JavaRandom(u64);

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

impl JavaRandom {
    /// The generator that starts from this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self((seed ^ MULTIPLIER) & MASK)
    }

    /// 31 random bits.
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        self.0 >> 17
    }

    /// A number below `bound`, which is positive and at most 2³¹ − 1.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        if bound.is_power_of_two() {
            return (bound * self.draw()) >> 31;
        }
        loop {
            let drawn = self.draw();
            let rest = drawn % bound;
            // What lies in the last, incomplete multiple of the bound would favour small numbers.
            if drawn - rest + bound <= 1 << 31 {
                return rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_java() {
        let mut random = JavaRandom::new(0);
        let drawn: Vec<u64> = (0..6).map(|_| random.below(10)).collect();
        assert_eq!(drawn, [0, 8, 9, 7, 5, 3]);
    }
}
