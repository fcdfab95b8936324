//! Lists, sets and maps: shared, locked, changed in place by the functions whose business that is.
//!
//! A lock is never held while an expression runs, and reading nests (`read_recursive`), so that comparing a list with itself can't block. Who changes a
//! table under a key that is a container itself reads that one, too, while the table is locked: two that do so with each other's containers would wait
//! forever, so they take turns (`Turn`), from the check that no circle is closed until the change is made. Values that
//! hold values that hold values are taken apart in a loop when they go, since a hostile expression can nest them deeper than any stack.

use std::fmt;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use parking_lot::{ReentrantMutex, ReentrantMutexGuard, RwLock, RwLockReadGuard};

use super::{Fuel, TextKey, Value};

/// The hasher of sets and maps: fast, seeded per process.
pub type ValueHasher = foldhash::fast::RandomState;

type Table = IndexMap<Value, Value, ValueHasher>;

static TURNS: ReentrantMutex<()> = ReentrantMutex::new(());

/// Held by whoever puts a container into a container, or looks for one there in order to change something.
pub(crate) struct Turn(#[expect(dead_code, reason = "held, not read")] Option<ReentrantMutexGuard<'static, ()>>);

impl Turn {
    /// Waits for the turn to put this into a container; what needs no other lock need not wait.
    pub(crate) fn to_put(item: &Value) -> Self {
        Self((!item.is_scalar()).then(|| TURNS.lock()))
    }
}

/// A shared list.
#[derive(Clone)]
pub struct List(Arc<ListCell>);

/// A shared set in order of insertion.
#[derive(Clone)]
pub struct Set(Arc<SetCell>);

/// A shared map.
#[derive(Clone)]
pub struct Map(Arc<MapCell>);

struct ListCell(RwLock<Vec<Value>>);
struct SetCell(RwLock<IndexSet<Value, ValueHasher>>);
struct MapCell {
    table: RwLock<Table>,
    kind: MapKind,
}

/// Which of Java's maps this stands for: functions on multisets accept only the linked one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// What a map literal makes; written in the order of Java's hash table.
    Hash,
    /// What multisets and JSON make; written in order of insertion.
    Linked,
}

impl List {
    /// A list of these items.
    pub fn new(items: Vec<Value>) -> Self {
        Self(Arc::new(ListCell(RwLock::new(items))))
    }

    /// How many items.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at `index`.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.read().get(index).cloned()
    }

    /// The items as they are now.
    pub fn items(&self) -> Vec<Value> {
        self.read().clone()
    }

    /// The items, locked for reading.
    pub fn read(&self) -> RwLockReadGuard<'_, Vec<Value>> {
        self.0.0.read_recursive()
    }

    /// Adds at the end, in place.
    pub fn push(&self, item: Value) {
        self.0.0.write().push(item);
    }

    /// Puts an item in the place of the one at `index`, in place; nothing happens past the end.
    pub(crate) fn replace(&self, index: usize, item: Value) {
        // What was there goes when the lock is given back, since its end may take a while.
        let _old = self.0.0.write().get_mut(index).map(|place| std::mem::replace(place, item));
    }

    /// What tells this list from all others while it lives.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether both are the same list, not only equal ones.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Set {
    /// A set of these items; of equal ones the first stays.
    pub fn new(items: impl IntoIterator<Item = Value>) -> Self {
        Self(Arc::new(SetCell(RwLock::new(items.into_iter().collect()))))
    }

    /// How many items.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items as they are now.
    pub fn items(&self) -> Vec<Value> {
        self.read().iter().cloned().collect()
    }

    /// The items, locked for reading.
    pub fn read(&self) -> RwLockReadGuard<'_, IndexSet<Value, ValueHasher>> {
        self.0.0.read_recursive()
    }

    /// Adds, in place.
    pub fn insert(&self, item: Value) {
        let _turn = Turn::to_put(&item);
        self.0.0.write().insert(item);
    }

    /// Removes, in place; the others keep their order.
    pub fn remove(&self, item: &Value) {
        let _turn = Turn::to_put(item);
        self.0.0.write().shift_remove(item);
    }

    /// What tells this set from all others while it lives.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether both are the same set, not only equal ones.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Map {
    /// A map of these entries; a later one replaces an earlier one of the same key.
    pub fn new(kind: MapKind, entries: impl IntoIterator<Item = (Value, Value)>) -> Self {
        Self(Arc::new(MapCell { table: RwLock::new(entries.into_iter().collect()), kind }))
    }

    /// Which of Java's maps it stands for.
    pub fn kind(&self) -> MapKind {
        self.0.kind
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value under `key`.
    pub fn get(&self, key: &Value) -> Option<Value> {
        self.read().get(key).cloned()
    }

    /// The value under a text key.
    pub fn get_text(&self, key: &str) -> Option<Value> {
        self.read().get(&TextKey(key)).cloned()
    }

    /// The entries, locked for reading.
    pub fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.table.read_recursive()
    }

    /// Sets in place; `change` gets the value that was there and gives the one to keep, none to remove the key.
    pub fn update(&self, key: Value, change: impl FnOnce(Option<&Value>) -> Option<Value>) {
        let _turn = Turn::to_put(&key);
        let mut table = self.0.table.write();
        match change(table.get(&key)) {
            Some(value) => {
                table.insert(key, value);
            }
            None => {
                table.shift_remove(&key);
            }
        }
    }

    /// Sets in place.
    pub fn insert(&self, key: Value, value: Value) {
        let _turn = Turn::to_put(&key);
        self.0.table.write().insert(key, value);
    }

    /// What tells this map from all others while it lives.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether both are the same map, not only equal ones.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Something that can be walked over: a list, a set, or the characters of a text.
#[derive(Debug)]
pub struct Items(Vec<Value>);

impl Items {
    /// The items of a list, set or text; none for anything else.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::List(list) => Some(Self(list.items())),
            Value::Set(set) => Some(Self(set.items())),
            Value::Text(text) => Some(Self(text.encode_utf16().map(Value::Char).collect())),
            _ => None,
        }
    }
}

impl IntoIterator for Items {
    type Item = Value;
    type IntoIter = std::vec::IntoIter<Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl std::ops::Deref for Items {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0
    }
}

/// Whether `target` can be reached from `value`: putting a container into itself must be refused. None when it is too large to say.
pub(crate) fn reaches(value: &Value, target: &Value, fuel: &mut Fuel) -> Option<bool> {
    let mut pending = vec![value.clone()];
    while let Some(next) = pending.pop() {
        fuel.burn(1)?;
        let same = match (&next, target) {
            (Value::List(left), Value::List(right)) => left.is(right),
            (Value::Set(left), Value::Set(right)) => left.is(right),
            (Value::Map(left), Value::Map(right)) => left.is(right),
            _ => false,
        };
        if same {
            return Some(true);
        }
        let containers = |items: &mut dyn Iterator<Item = &Value>| -> Vec<Value> {
            items.filter(|item| !item.is_scalar()).cloned().collect()
        };
        match &next {
            Value::List(list) => {
                fuel.burn(list.len() as u64)?;
                pending.extend(containers(&mut list.read().iter()));
            }
            Value::Set(set) => {
                fuel.burn(set.len() as u64)?;
                pending.extend(containers(&mut set.read().iter()));
            }
            Value::Map(map) => {
                fuel.burn(map.len() as u64)?;
                pending.extend(containers(&mut map.read().iter().flat_map(|(key, value)| [key, value])));
            }
            Value::Lambda(closure) => pending.extend(containers(&mut closure.captured.iter())),
            Value::Object(object) => pending.append(&mut object.held()),
            _ => {}
        }
    }
    Some(false)
}

/// Takes values apart in a loop, so that deep nesting can't exhaust the stack when it goes.
pub(super) fn unravel(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::List(List(cell)) => {
                if let Some(mut cell) = Arc::into_inner(cell) {
                    pending.append(cell.0.get_mut());
                }
            }
            Value::Set(Set(cell)) => {
                if let Some(mut cell) = Arc::into_inner(cell) {
                    pending.extend(cell.0.get_mut().drain(..));
                }
            }
            Value::Map(Map(cell)) => {
                if let Some(mut cell) = Arc::into_inner(cell) {
                    pending.extend(cell.table.get_mut().drain(..).flat_map(|(key, value)| [key, value]));
                }
            }
            Value::Lambda(closure) => {
                if let Some(mut closure) = Arc::into_inner(closure) {
                    pending.append(&mut closure.captured);
                }
            }
            Value::Object(mut object) => {
                if let Some(object) = Arc::get_mut(&mut object) {
                    pending.append(&mut object.release());
                }
            }
            _ => {}
        }
    }
}

impl Drop for ListCell {
    fn drop(&mut self) {
        let items = std::mem::take(self.0.get_mut());
        if items.iter().any(|item| !item.is_scalar()) {
            unravel(items);
        }
    }
}

impl Drop for SetCell {
    fn drop(&mut self) {
        if self.0.get_mut().iter().any(|item| !item.is_scalar()) {
            unravel(self.0.get_mut().drain(..).collect());
        }
    }
}

impl Drop for MapCell {
    fn drop(&mut self) {
        let table = self.table.get_mut();
        if table.iter().any(|(key, value)| !key.is_scalar() || !value.is_scalar()) {
            unravel(table.drain(..).flat_map(|(key, value)| [key, value]).collect());
        }
    }
}

impl fmt::Debug for List {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "List({} items)", self.len())
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Set({} items)", self.len())
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Map({} entries)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_nested_a_million_deep_goes_without_exhausting_the_stack() {
        let mut value = Value::Null;
        for _ in 0..1_000_000 {
            value = Value::list([value]);
        }
        drop(value);
    }

    #[test]
    fn a_list_reaches_itself_through_others() {
        let inner = Value::list([]);
        let outer = Value::list([Value::list([inner.clone()])]);
        assert_eq!(reaches(&outer, &inner, &mut Fuel::new(100)), Some(true));
        assert_eq!(reaches(&inner, &outer, &mut Fuel::new(100)), Some(false));
    }
}
