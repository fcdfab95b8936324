//! What is there at the start, where only that is read. All workers of a process share it and know together when it is done.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// Where each partition ends.
#[derive(Debug, Default)]
pub struct Ends {
    /// By partition; none before somebody has asked.
    partitions: Mutex<Option<HashMap<i32, End>>>,
    pub(super) reached: CancellationToken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// The next line that is to be read.
    pub(super) next: i64,
    /// The first that came later.
    pub(super) end: i64,
}

impl End {
    /// Of a partition that has lines from `low` to before `high`. What the group committed counts where it lies among them: a topic that was made anew under its name
    /// begins again below it, and one whose old lines were dropped above it.
    pub(super) fn of(low: i64, high: i64, committed: Option<i64>, earliest: bool) -> Self {
        let reset = if earliest { low } else { high };
        Self { next: committed.filter(|next| (low..=high).contains(next)).unwrap_or(reset), end: high }
    }
}

impl Ends {
    /// Whoever comes first asks.
    pub(super) fn fill<E>(&self, ask: impl FnOnce() -> Result<HashMap<i32, End>, E>) -> Result<(), E> {
        let mut partitions = self.partitions.lock();
        if partitions.is_none() {
            *partitions = Some(ask()?);
        }
        self.look(partitions.as_ref());
        Ok(())
    }

    fn look(&self, partitions: Option<&HashMap<i32, End>>) {
        if partitions.is_some_and(|partitions| partitions.values().all(|end| end.next >= end.end)) {
            self.reached.cancel();
        }
    }

    /// A line was read. Whether it is one of those that are wanted.
    pub(super) fn read(&self, partition: i32, offset: i64) -> bool {
        let mut partitions = self.partitions.lock();
        let end = partitions.get_or_insert_default().entry(partition).or_insert(End { next: 0, end: 0 });
        end.next = end.next.max(offset + 1);
        let is_wanted = offset < end.end;
        if end.next >= end.end {
            self.look(partitions.as_ref());
        }
        is_wanted
    }

    /// All lines that a partition has were read. The last of its offsets may be those of marks of transactions, which are never given as lines.
    pub(super) fn read_all(&self, partition: i32) {
        let mut partitions = self.partitions.lock();
        if let Some(end) = partitions.get_or_insert_default().get_mut(&partition) {
            end.next = end.next.max(end.end);
        }
        self.look(partitions.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(partitions: impl IntoIterator<Item = (i32, End)>) -> Ends {
        let ends = Ends::default();
        ends.fill(|| Ok::<_, ()>(partitions.into_iter().collect())).unwrap();
        ends
    }

    #[test]
    fn what_comes_after_the_start_is_not_wanted() {
        let ends = ends([(0, End { next: 3, end: 5 })]);
        assert!(ends.read(0, 3) && !ends.reached.is_cancelled());
        assert!(ends.read(0, 4) && ends.reached.is_cancelled());
        assert!(!ends.read(0, 5));
    }

    #[test]
    fn an_end_that_is_no_line_is_reached_when_all_lines_are_read() {
        let ends = ends([(0, End { next: 0, end: 2 }), (1, End { next: 0, end: 0 })]);
        assert!(ends.read(0, 0));
        assert!(!ends.reached.is_cancelled());
        ends.read_all(0);
        assert!(ends.reached.is_cancelled());
    }

    #[test]
    fn what_was_committed_in_a_topic_of_the_same_name_before_does_not_count() {
        assert_eq!(End::of(0, 10, Some(4), true).next, 4);
        assert_eq!(End::of(0, 10, Some(500), true).next, 0);
        assert_eq!(End::of(6, 10, Some(4), true).next, 6);
        assert_eq!(End::of(6, 10, Some(500), false).next, 10);
        assert_eq!(End::of(6, 10, None, true).next, 6);
    }
}
