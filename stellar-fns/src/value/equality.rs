//! Equality, hashing and order as Java's `equals`, `hashCode` and `compareTo` have them.
//!
//! Inside containers values compare by exact type (`1` is not `1L`, NaN is NaN, `0.0` is not `-0.0`); at the top of `==` numbers are promoted first, which
//! is [`equals`]. Comparisons of nested values are bounded by [`Fuel`], since sharing lets a small expression describe a vast tree.

use std::cell::Cell;
use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use indexmap::Equivalent;

use super::Value;

/// How much work may still be done.
#[derive(Debug)]
pub struct Fuel(u64);

/// How deep nested values are compared and written.
pub(super) const DEPTH: u32 = 200;
/// Bytes of a text that are read for nothing; a unit buys as many more.
pub(crate) const FREE_TEXT: usize = 128;
/// How many nodes a key of a set or map is compared and hashed for; beyond that keys count as different.
const KEY_FUEL: u64 = 10_000;

impl Fuel {
    /// This many units.
    pub fn new(units: u64) -> Self {
        Self(units)
    }

    /// Takes `units`; none when that is more than there is.
    #[inline]
    pub fn burn(&mut self, units: u64) -> Option<()> {
        self.0 = self.0.checked_sub(units)?;
        Some(())
    }

    /// Takes `units`, or all there are.
    pub(super) fn burn_at_most(&mut self, units: u64) {
        self.0 = self.0.saturating_sub(units);
    }

    /// What is left.
    pub fn left(&self) -> u64 {
        self.0
    }
}

/// `==` of the language; none when the values are too large or too deep to say.
pub fn equals(left: &Value, right: &Value, fuel: &mut Fuel) -> Option<bool> {
    if let (Some(left), Some(right)) = (left.as_number(), right.as_number()) {
        return Some(left.order(right) == Some(Ordering::Equal));
    }
    identical(left, right, fuel)
}

/// Java's `equals`, null included; none when the values are too large or too deep to say.
pub(crate) fn identical(left: &Value, right: &Value, fuel: &mut Fuel) -> Option<bool> {
    same(left, right, DEPTH, fuel)
}

fn same(left: &Value, right: &Value, depth: u32, fuel: &mut Fuel) -> Option<bool> {
    fuel.burn(1)?;
    Some(match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) => left == right,
        (Value::Long(left), Value::Long(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => float_bits(*left) == float_bits(*right),
        (Value::Double(left), Value::Double(right)) => double_bits(*left) == double_bits(*right),
        (Value::Char(left), Value::Char(right)) => left == right,
        (Value::Text(left), Value::Text(right)) => {
            // Texts of different lengths differ without being read.
            left.len() == right.len() && {
                fuel.burn(reading(left))?;
                left == right
            }
        }
        (Value::List(left), Value::List(right)) => {
            if left.is(right) {
                return Some(true);
            }
            let depth = depth.checked_sub(1)?;
            let (left, right) = (left.read(), right.read());
            if left.len() != right.len() {
                return Some(false);
            }
            for (left, right) in left.iter().zip(right.iter()) {
                if !same(left, right, depth, fuel)? {
                    return Some(false);
                }
            }
            true
        }
        (Value::Set(left), Value::Set(right)) => {
            if left.is(right) {
                return Some(true);
            }
            let depth = depth.checked_sub(1)?;
            let (left, right) = (left.read(), right.read());
            if left.len() != right.len() {
                return Some(false);
            }
            for item in left.iter() {
                if !Sought::look(item, depth, fuel, |sought| right.contains(sought))? {
                    return Some(false);
                }
            }
            true
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.is(right) {
                return Some(true);
            }
            let depth = depth.checked_sub(1)?;
            let (left, right) = (left.read(), right.read());
            if left.len() != right.len() {
                return Some(false);
            }
            for (key, value) in left.iter() {
                match Sought::look(key, depth, fuel, |sought| right.get(sought))? {
                    Some(other) if same(value, other, depth, fuel)? => {}
                    _ => return Some(false),
                }
            }
            true
        }
        (Value::Lambda(left), Value::Lambda(right)) => std::sync::Arc::ptr_eq(left, right),
        (Value::Object(left), Value::Object(right)) => std::sync::Arc::ptr_eq(left, right),
        _ => false,
    })
}

/// What reading a text costs beyond the step for looking at it.
fn reading(text: &str) -> u64 {
    (text.len() / FREE_TEXT) as u64
}

/// An item looked up in a table of other items at the cost, and within the depth, of the comparison that it is a part of.
struct Sought<'a> {
    value: &'a Value,
    depth: u32,
    /// None as soon as it didn't suffice.
    fuel: Cell<Option<u64>>,
}

impl Sought<'_> {
    /// What `find` finds; none when the item is too large or too deep to look for.
    fn look<T>(value: &Value, depth: u32, fuel: &mut Fuel, find: impl FnOnce(&Sought<'_>) -> T) -> Option<T> {
        let sought = Sought { value, depth, fuel: Cell::new(Some(fuel.left())) };
        let found = find(&sought);
        *fuel = Fuel::new(sought.fuel.get()?);
        Some(found)
    }
}

impl Hash for Sought<'_> {
    /// As the value itself is hashed, or it would not be found.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let hashed = hash_key(self.value, state);
        let left = self.fuel.get().and_then(|left| left.checked_sub(hashed.cost));
        self.fuel.set(left.filter(|_| hashed.whole));
    }
}

impl Equivalent<Value> for Sought<'_> {
    fn equivalent(&self, key: &Value) -> bool {
        let Some(left) = self.fuel.get() else { return false };
        let mut fuel = Fuel::new(left);
        let same = same(self.value, key, self.depth, &mut fuel);
        self.fuel.set(same.map(|_| fuel.left()));
        same.unwrap_or(false)
    }
}

/// Order of two values of one comparable type; none where Java's `compareTo` doesn't exist. Numbers are promoted; `Some(None)` is NaN.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Option<Ordering>> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(Some(utf16_order(left, right))),
        (Value::Bool(left), Value::Bool(right)) => Some(Some(left.cmp(right))),
        (Value::Char(left), Value::Char(right)) => Some(Some(left.cmp(right))),
        _ => Some(left.as_number()?.order(right.as_number()?)),
    }
}

fn utf16_order(left: &str, right: &str) -> Ordering {
    if left.is_ascii() || right.is_ascii() { left.cmp(right) } else { left.encode_utf16().cmp(right.encode_utf16()) }
}

/// All NaNs are one, zeros differ by sign: `Double.doubleToLongBits`.
fn double_bits(double: f64) -> u64 {
    if double.is_nan() { f64::NAN.to_bits() } else { double.to_bits() }
}

fn float_bits(float: f32) -> u32 {
    if float.is_nan() { f32::NAN.to_bits() } else { float.to_bits() }
}

impl PartialEq for Value {
    /// Java's `equals`, for keys and items. Values too large to compare count as different.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => left == right,
            _ => identical(self, other, &mut Fuel::new(KEY_FUEL)).unwrap_or(false),
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_key(self, state);
    }
}

/// What hashing a key cost, and whether the whole of it was hashed.
struct Hashed {
    cost: u64,
    whole: bool,
}

/// Hashes as a key of a table. What is too large or too deep is found again only as itself, so that many of such don't collide.
fn hash_key<H: Hasher>(value: &Value, state: &mut H) -> Hashed {
    let mut fuel = Fuel::new(KEY_FUEL);
    let whole = hash(value, state, DEPTH, &mut fuel).is_some();
    if !whole {
        state.write_usize(address(value));
    }
    Hashed { cost: KEY_FUEL - fuel.left(), whole }
}

/// What finding `value` in a table costs beyond a step: nothing for what is small.
pub(crate) fn key_cost(value: &Value) -> u64 {
    match value {
        Value::Text(text) => reading(text),
        container if !container.is_scalar() => hash_key(container, &mut DefaultHasher::new()).cost,
        _ => 0,
    }
}

fn address(value: &Value) -> usize {
    match value {
        Value::List(list) => list.address(),
        Value::Set(set) => set.address(),
        Value::Map(map) => map.address(),
        _ => 0,
    }
}

fn hash<H: Hasher>(value: &Value, state: &mut H, depth: u32, fuel: &mut Fuel) -> Option<()> {
    fuel.burn(1)?;
    match value {
        Value::Text(text) => {
            // Taken as far as there is some: a text alone is hashed whatever its length.
            fuel.burn_at_most(reading(text));
            TextKey(text).hash(state);
        }
        Value::Null => state.write_u8(0),
        Value::Bool(bool) => bool.hash(state),
        Value::Int(int) => int.hash(state),
        Value::Long(long) => long.hash(state),
        Value::Float(float) => float_bits(*float).hash(state),
        Value::Double(double) => double_bits(*double).hash(state),
        Value::Char(unit) => unit.hash(state),
        Value::List(list) => {
            let depth = depth.checked_sub(1)?;
            let list = list.read();
            // Or lists of lists would collide wherever their items do, however those are grouped.
            state.write_usize(list.len());
            for item in list.iter() {
                hash(item, state, depth, fuel)?;
            }
        }
        // Equal sets and maps may differ in order, so the hashes of what is in them are added up.
        Value::Set(set) => {
            let depth = depth.checked_sub(1)?;
            let mut sum = 0_u64;
            for item in set.read().iter() {
                let mut hasher = DefaultHasher::new();
                hash(item, &mut hasher, depth, fuel)?;
                sum = sum.wrapping_add(hasher.finish());
            }
            state.write_u64(sum);
        }
        Value::Map(map) => {
            let depth = depth.checked_sub(1)?;
            let mut sum = 0_u64;
            for (key, value) in map.read().iter() {
                let mut hasher = DefaultHasher::new();
                hash(key, &mut hasher, depth, fuel)?;
                hash(value, &mut hasher, depth, fuel)?;
                sum = sum.wrapping_add(hasher.finish());
            }
            state.write_u64(sum);
        }
        Value::Lambda(closure) => std::ptr::hash(std::sync::Arc::as_ptr(closure), state),
        Value::Object(object) => std::ptr::hash(std::sync::Arc::as_ptr(object).cast::<()>(), state),
    }
    Some(())
}

/// A hash that is the same in every process, for sketches and filters.
pub(crate) fn stable_hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(value.type_name().as_bytes());
    // What is too large counts by its beginning: where it lies in memory says nothing in another process.
    let _whole = hash(value, &mut hasher, DEPTH, &mut Fuel::new(KEY_FUEL));
    hasher.finish()
}

/// Looks a text up among values without making a value of it.
#[derive(Clone, Copy, Debug)]
pub struct TextKey<'a>(pub &'a str);

impl Hash for TextKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Equivalent<Value> for TextKey<'_> {
    fn equivalent(&self, key: &Value) -> bool {
        key.as_text() == Some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(left: impl Into<Value>, right: impl Into<Value>) -> bool {
        equals(&left.into(), &right.into(), &mut Fuel::new(1000)).unwrap()
    }

    #[test]
    fn numbers_are_promoted_at_the_top_but_not_inside() {
        assert!(equal(1, 1i64));
        assert!(!equal(Value::list([1.into()]), Value::list([1i64.into()])));
        assert!(!equal(f64::NAN, f64::NAN));
        assert!(equal(Value::list([f64::NAN.into()]), Value::list([f64::NAN.into()])));
    }

    #[test]
    fn two_vast_shared_trees_end_in_no_answer_rather_than_never() {
        let tree = || (0..60).fold(Value::list([]), |value, _| Value::list([value.clone(), value]));
        assert_eq!(equals(&tree(), &tree(), &mut Fuel::new(10_000)), None);
    }

    #[test]
    fn sets_in_sets_end_in_no_answer_rather_than_never() {
        let deep = || (0..100_000).fold(Value::Int(1), |inner, _| Value::Set(super::super::Set::new([inner])));
        assert_eq!(equals(&deep(), &deep(), &mut Fuel::new(1_000_000)), None);
        let twice = || {
            (0..40).fold(Value::Int(0), |inner, _| {
                let items = [1, 2].map(|item| Value::list([inner.clone(), Value::Int(item)]));
                Value::Set(super::super::Set::new(items))
            })
        };
        assert_eq!(equals(&twice(), &twice(), &mut Fuel::new(1_000_000)), None);
    }

    #[test]
    fn comparing_and_hashing_long_texts_costs_by_their_length() {
        let long = || Value::list([Value::from("x".repeat(128_000))]);
        let mut fuel = Fuel::new(10_000);
        assert_eq!(equals(&long(), &long(), &mut fuel), Some(true));
        assert_eq!(fuel.left(), 10_000 - 1002);
        assert_eq!(key_cost(&long()), 1002);
        assert_eq!(key_cost(&"x".into()), 0);
    }

    #[test]
    fn text_is_ordered_by_utf16_unit() {
        assert_eq!(order(&"\u{ff5e}".into(), &"😀".into()), Some(Some(Ordering::Greater)));
    }
}
