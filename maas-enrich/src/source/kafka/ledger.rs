//! What is read, acknowledged and committed of each partition, through all its comings and goings. Pure: whoever talks to the brokers asks here what is to be committed, and
//! tells what became of it.
//!
//! A partition's *tenure* is the time from its coming to its going; it begins where the group has committed. What was read in an earlier tenure may be acknowledged in a
//! later one. It counts all the same where it lies behind the beginning of the later one, because everything before that is written by somebody; what lies before it does not
//! count, so that no offset goes back. None of it counts any more where the partition begins again below what is known to be committed: then somebody has set it back, or the
//! topic was made anew.

use std::collections::BTreeMap;

/// The partitions of a topic.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<i32, Partition>);

/// Offsets are those of the next line, as brokers keep them; 0 where there is none.
#[derive(Debug, Default)]
struct Partition {
    tenure: u32,
    is_ours: bool,
    /// The first tenure whose acknowledgements count.
    counts_from: u32,
    /// The next line of this tenure; none before the first.
    read: Option<i64>,
    /// The first line of the last tenure that had one: the group had committed up to there.
    begun: i64,
    acknowledged: i64,
    /// Up to where a commit is under way.
    asked: i64,
    /// The same when it was last told what is committed.
    asked_before: i64,
    /// Up to where the brokers have said that it is committed.
    committed: i64,
}

impl Ledger {
    /// These partitions are ours from now on.
    pub(super) fn assigned(&mut self, partitions: impl IntoIterator<Item = i32>) {
        for number in partitions {
            let partition = self.0.entry(number).or_default();
            partition.begin();
            partition.is_ours = true;
        }
    }

    /// They are ours no more.
    pub(super) fn revoked(&mut self, partitions: impl IntoIterator<Item = i32>) {
        for number in partitions {
            let partition = self.0.entry(number).or_default();
            partition.is_ours = false;
            (partition.asked, partition.asked_before) = (partition.committed, 0);
        }
    }

    pub(super) fn is_ours(&self, number: i32) -> bool {
        self.0.get(&number).is_some_and(|partition| partition.is_ours)
    }

    /// A line was read; gives the tenure, with which it is to be acknowledged.
    pub(super) fn read(&mut self, number: i32, offset: i64) -> u32 {
        let partition = self.0.entry(number).or_default();
        if offset < partition.read.unwrap_or(partition.behind_us()) {
            partition.begin();
            partition.counts_from = partition.tenure;
            (partition.acknowledged, partition.asked, partition.committed) = (0, 0, 0);
        }
        if partition.read.is_none() {
            partition.begun = offset;
        }
        partition.read = Some(offset + 1);
        partition.tenure
    }

    /// All lines up to this one, which was read in this tenure, are written for good.
    pub(super) fn acknowledge(&mut self, number: i32, offset: i64, tenure: u32) {
        if let Some(partition) = self.0.get_mut(&number).filter(|partition| tenure >= partition.counts_from) {
            partition.acknowledged = partition.acknowledged.max(offset + 1);
        }
    }

    /// Whether there is something to be committed.
    pub(super) fn has_due(&self) -> bool {
        self.0.values().any(Partition::is_due)
    }

    /// What is to be committed of our partitions; it is under way from now on.
    pub(super) fn take_due(&mut self) -> Vec<(i32, i64)> {
        let mut due = Vec::new();
        for (number, partition) in &mut self.0 {
            if partition.is_due() {
                partition.asked = partition.acknowledged;
                due.push((*number, partition.acknowledged));
            }
        }
        due
    }

    /// The brokers have committed this.
    pub(super) fn confirmed(&mut self, number: i32, next: i64) {
        // One that was set back meanwhile has nothing of it.
        if let Some(partition) = self.0.get_mut(&number).filter(|partition| next <= partition.acknowledged) {
            partition.committed = partition.committed.max(next);
        }
    }

    /// They have refused some of what is under way: all that is not known to be committed is due again.
    pub(super) fn refused(&mut self) {
        for partition in self.0.values_mut() {
            partition.asked = partition.committed;
        }
    }

    /// What is committed is told now and then. False where a commit that was under way the last time, and so for long enough, is not among it.
    pub(super) fn told(&mut self, number: i32, next: i64) -> bool {
        self.confirmed(number, next);
        let Some(partition) = self.0.get_mut(&number).filter(|partition| partition.is_ours) else { return true };
        let is_answered = partition.asked_before <= partition.committed;
        partition.asked_before = if is_answered { partition.asked } else { 0 };
        is_answered
    }

    /// What is acknowledged of a partition that is about to go, and not known to be committed.
    pub(super) fn uncommitted_of(&self, number: i32) -> Option<i64> {
        let partition = self.0.get(&number).filter(|partition| partition.is_ours && partition.read.is_some())?;
        partition.is_open().then_some(partition.acknowledged)
    }

    /// What is acknowledged and not known to be committed of any partition, be it ours or not.
    pub(super) fn uncommitted(&self) -> Vec<(i32, i64)> {
        let open = self.0.iter().filter(|(_, partition)| partition.is_open());
        open.map(|(number, partition)| (*number, partition.acknowledged)).collect()
    }

    /// Whether a last commit is right, where the brokers have this now: it must move the offset on, and nobody may have set it back since.
    pub(super) fn is_behind(&self, number: i32, next: i64, known: Option<i64>) -> bool {
        let committed = self.0.get(&number).map_or(0, |partition| partition.committed);
        (committed..next).contains(&known.unwrap_or(0))
    }
}

impl Partition {
    fn begin(&mut self) {
        self.tenure += 1;
        self.read = None;
        (self.asked, self.asked_before) = (self.committed, 0);
    }

    /// Up to where the group is known to have committed, be it by us or not.
    fn behind_us(&self) -> i64 {
        self.committed.max(self.begun)
    }

    /// Whether something is acknowledged that is not known to be committed.
    fn is_open(&self) -> bool {
        self.acknowledged > self.behind_us()
    }

    /// Before a line of this tenure was read it is not known whether earlier ones count.
    fn is_due(&self) -> bool {
        self.is_ours && self.read.is_some() && self.is_open() && self.acknowledged > self.asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(offsets: std::ops::Range<i64>) -> (Ledger, u32) {
        let mut ledger = Ledger::default();
        ledger.assigned([0]);
        let mut tenure = 0;
        for offset in offsets {
            tenure = ledger.read(0, offset);
        }
        (ledger, tenure)
    }

    #[test]
    fn what_is_acknowledged_is_committed_once() {
        let (mut ledger, tenure) = reading(0..10);
        assert!(!ledger.has_due());
        ledger.acknowledge(0, 4, tenure);
        assert_eq!(ledger.take_due(), [(0, 5)]);
        assert!(!ledger.has_due());
        ledger.confirmed(0, 5);
        assert!(ledger.uncommitted().is_empty());
    }

    #[test]
    fn a_commit_that_is_refused_is_due_again_with_what_came_since() {
        let (mut ledger, tenure) = reading(0..10);
        ledger.acknowledge(0, 4, tenure);
        ledger.take_due();
        ledger.acknowledge(0, 6, tenure);
        ledger.refused();
        assert_eq!(ledger.take_due(), [(0, 7)]);
        ledger.confirmed(0, 7);
        ledger.refused();
        assert!(!ledger.has_due());
    }

    #[test]
    fn a_commit_without_an_answer_for_long_is_due_again() {
        let (mut ledger, tenure) = reading(0..10);
        ledger.acknowledge(0, 4, tenure);
        ledger.take_due();
        assert!(ledger.told(0, -1), "it may have been sent just now");
        ledger.acknowledge(0, 5, tenure);
        ledger.take_due();
        assert!(!ledger.told(0, 3));
        ledger.refused();
        assert_eq!(ledger.take_due(), [(0, 6)]);
        assert!(ledger.told(0, 3) && ledger.told(0, 6) && ledger.told(0, 6));
    }

    #[test]
    fn a_partition_that_went_is_not_committed_before_it_is_back() {
        let (mut ledger, tenure) = reading(0..10);
        ledger.acknowledge(0, 4, tenure);
        assert_eq!(ledger.uncommitted_of(0), Some(5));
        ledger.revoked([0]);
        ledger.acknowledge(0, 6, tenure);
        assert!(!ledger.has_due() && !ledger.is_ours(0) && ledger.uncommitted_of(0).is_none());
        assert_eq!(ledger.uncommitted(), [(0, 7)]);
        ledger.refused();
        assert!(!ledger.has_due());
    }

    #[test]
    fn an_offset_never_goes_back_when_a_partition_comes_back_further_on() {
        let (mut ledger, before) = reading(0..10);
        ledger.revoked([0]);
        ledger.assigned([0]);
        ledger.acknowledge(0, 9, before);
        assert!(!ledger.has_due(), "nothing of this tenure was read");
        let now = ledger.read(0, 300);
        assert!(!ledger.has_due() && ledger.uncommitted_of(0).is_none() && ledger.uncommitted().is_empty());
        ledger.acknowledge(0, 300, now);
        ledger.acknowledge(0, 8, before);
        assert_eq!(ledger.take_due(), [(0, 301)]);
        assert!(ledger.is_behind(0, 301, None), "the first commit of a group is no step back");
    }

    #[test]
    fn what_was_read_before_counts_when_a_partition_comes_back_where_it_was() {
        let (mut ledger, before) = reading(0..10);
        ledger.acknowledge(0, 2, before);
        ledger.take_due();
        ledger.confirmed(0, 3);
        ledger.revoked([0]);
        ledger.assigned([0]);
        ledger.read(0, 3);
        ledger.acknowledge(0, 9, before);
        assert_eq!(ledger.take_due(), [(0, 10)]);
    }

    #[test]
    fn what_was_read_before_does_not_count_when_a_partition_was_set_back() {
        let (mut ledger, before) = reading(100..110);
        ledger.acknowledge(0, 105, before);
        ledger.take_due();
        ledger.confirmed(0, 106);
        ledger.revoked([0]);
        ledger.assigned([0]);
        let now = ledger.read(0, 0);
        ledger.acknowledge(0, 109, before);
        ledger.confirmed(0, 106);
        assert!(!ledger.has_due());
        ledger.acknowledge(0, 0, now);
        assert_eq!(ledger.take_due(), [(0, 1)]);
    }

    #[test]
    fn what_was_read_before_does_not_count_when_a_partition_was_set_back_from_where_others_committed() {
        let (mut ledger, before) = reading(0..10);
        ledger.revoked([0]);
        ledger.acknowledge(0, 9, before);
        ledger.assigned([0]);
        ledger.read(0, 300);
        ledger.revoked([0]);
        ledger.assigned([0]);
        ledger.read(0, 0);
        assert!(!ledger.has_due());
    }

    #[test]
    fn a_topic_that_is_made_anew_while_it_is_read_begins_anew() {
        let (mut ledger, before) = reading(100..110);
        let now = ledger.read(0, 0);
        assert_ne!(before, now);
        ledger.acknowledge(0, 109, before);
        assert!(!ledger.has_due());
        ledger.acknowledge(0, 0, now);
        assert_eq!(ledger.take_due(), [(0, 1)]);
    }

    #[test]
    fn a_last_commit_moves_the_offset_on_or_is_left() {
        let (mut ledger, tenure) = reading(100..110);
        ledger.acknowledge(0, 105, tenure);
        assert!(ledger.is_behind(0, 106, None) && ledger.is_behind(0, 106, Some(104)));
        assert!(!ledger.is_behind(0, 106, Some(106)) && !ledger.is_behind(0, 106, Some(200)));
        ledger.take_due();
        ledger.confirmed(0, 106);
        assert!(!ledger.is_behind(0, 108, Some(3)), "somebody has set it back");
    }
}
