//! What happened, kept in memory for HTTP and metrics: the last events of each version, and those of no one version.
//!
//! Filled by the reconciler's outbox and, at the start of a term, by what earlier leaders wrote. [`crate::status_writer`]
//! persists it; nothing here does I/O.

use maas_client::event::Event;
use maas_client::model::ModelId;
use maas_client::reason::ReasonCode;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Events kept of a version.
pub const KEPT_OF_VERSION: usize = 50;
/// Events kept of no one version.
pub const KEPT_OF_NONE: usize = 100;
/// The longest reason that is kept, characters.
const LONGEST_REASON: usize = 1_000;

/// An event's id: sorts as text in the order of happening.
pub fn event_id(epoch: i32, sequence: u64) -> String {
    format!("{epoch:06}-{sequence:08}")
}

/// The events of this master's term and what is known of earlier ones.
#[derive(Debug, Default)]
pub struct EventLog {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    versions: BTreeMap<ModelId, VecDeque<Arc<Event>>>,
    journal: VecDeque<Arc<Event>>,
    tally: Tally,
}

/// What is counted for metrics since this process started.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Instances that failed, by version and why.
    pub failures: BTreeMap<(ModelId, ReasonCode), u64>,
    /// How long passes took.
    pub passes: Histogram,
}

/// Durations in fixed buckets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    counts: [u64; BOUNDS.len() + 1],
    /// All of them together, s.
    pub sum: f64,
    /// How many.
    pub count: u64,
}

const BOUNDS: [(f64, &str); 9] = [
    (0.001, "0.001"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.5, "0.5"),
    (1.0, "1"),
    (5.0, "5"),
    (30.0, "30"),
];

impl Histogram {
    /// Adds one duration.
    pub fn add(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.iter().position(|(bound, _)| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.counts[bucket] += 1;
        self.sum += seconds;
        self.count += 1;
    }

    /// Each bucket's upper bound and how many fell into it alone.
    pub fn buckets(&self) -> impl Iterator<Item = (&'static str, u64)> {
        BOUNDS.iter().map(|(_, text)| *text).chain(["+Inf"]).zip(self.counts)
    }
}

impl EventLog {
    /// Takes in one event that happened now.
    pub fn push(&self, mut event: Event) {
        if event.reason.chars().count() > LONGEST_REASON {
            event.reason = event.reason.chars().take(LONGEST_REASON).chain(['…']).collect();
        }
        let mut inner = self.lock();
        if event.kind == "InstanceFailed"
            && let (Some(model), Some(code)) = (model_of(&event), event.reason_code)
        {
            *inner.tally.failures.entry((model, code)).or_insert(0) += 1;
        }
        inner.insert(Arc::new(event));
    }

    /// Takes in what an earlier leader wrote; what is known already stays once.
    pub fn restore(&self, events: impl IntoIterator<Item = Event>) {
        let mut inner = self.lock();
        for event in events {
            inner.insert(Arc::new(event));
        }
    }

    /// Counts a pass.
    pub fn pass(&self, duration: Duration) {
        self.lock().tally.passes.add(duration);
    }

    /// Every event that is kept, oldest first.
    pub fn all(&self) -> Vec<Event> {
        let inner = self.lock();
        let mut all: Vec<&Arc<Event>> = inner.versions.values().flatten().chain(&inner.journal).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all.into_iter().map(|event| (**event).clone()).collect()
    }

    /// Those of one version, oldest first.
    pub fn of_version(&self, model: &ModelId) -> Vec<Event> {
        self.lock().versions.get(model).into_iter().flatten().map(|event| (**event).clone()).collect()
    }

    /// The id of the newest event of a version.
    pub fn newest_of(&self, model: &ModelId) -> Option<String> {
        self.lock().versions.get(model).and_then(|events| events.back()).map(|event| event.id.clone())
    }

    /// Those of no one version, oldest first.
    pub fn journal(&self) -> Vec<Event> {
        self.lock().journal.iter().map(|event| (**event).clone()).collect()
    }

    /// What is counted.
    pub fn tally(&self) -> Tally {
        self.lock().tally.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn insert(&mut self, event: Arc<Event>) {
        let (events, most) = match model_of(&event) {
            Some(model) => (self.versions.entry(model).or_default(), KEPT_OF_VERSION),
            None => (&mut self.journal, KEPT_OF_NONE),
        };
        // Nearly always the newest: the search ends at once.
        let place = events.iter().rposition(|kept| kept.id <= event.id).map_or(0, |before| before + 1);
        if place > 0 && events[place - 1].id == event.id {
            return;
        }
        events.insert(place, event);
        while events.len() > most {
            events.pop_front();
        }
    }
}

fn model_of(event: &Event) -> Option<ModelId> {
    Some(ModelId { name: event.name.clone()?, version: event.version.clone()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sequence: u64, name: Option<&str>) -> Event {
        Event {
            id: event_id(3, sequence),
            time: jiff::Timestamp::UNIX_EPOCH,
            kind: "InstanceFailed".into(),
            name: name.map(|name| name.parse().unwrap()),
            version: name.map(|_| "1.0".parse().unwrap()),
            instance: None,
            host: None,
            reason_code: Some(ReasonCode::ScriptExited),
            reason: "x".repeat(2_000),
            exit_code: None,
            request: None,
            by: None,
        }
    }

    #[test]
    fn events_are_kept_in_order_once_and_only_so_many() {
        let log = EventLog::default();
        log.restore([event(2, Some("dga")), event(1, None)]);
        log.push(event(60, Some("dga")));
        log.restore([event(2, Some("dga")), event(1, Some("dga"))]);
        let ids: Vec<String> = log.all().into_iter().map(|event| event.id).collect();
        assert_eq!(ids, ["000003-00000001", "000003-00000001", "000003-00000002", "000003-00000060"]);
        for sequence in 61..200 {
            log.push(event(sequence, Some("dga")));
        }
        let model = ModelId { name: "dga".parse().unwrap(), version: "1.0".parse().unwrap() };
        assert_eq!(log.of_version(&model).len(), KEPT_OF_VERSION);
        assert_eq!(log.newest_of(&model).as_deref(), Some("000003-00000199"));
        assert_eq!(log.journal().len(), 1);
    }

    #[test]
    fn failures_are_counted_by_reason_and_long_reasons_cut() {
        let log = EventLog::default();
        log.push(event(1, Some("dga")));
        log.push(event(2, Some("dga")));
        let tally = log.tally();
        assert_eq!(tally.failures.values().copied().collect::<Vec<_>>(), [2]);
        assert_eq!(log.all()[0].reason.chars().count(), LONGEST_REASON + 1);
    }

    #[test]
    fn a_histogram_puts_each_duration_into_one_bucket() {
        let mut histogram = Histogram::default();
        histogram.add(Duration::from_millis(1));
        histogram.add(Duration::from_secs(60));
        let filled: Vec<_> = histogram.buckets().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [("0.001", 1), ("+Inf", 1)]);
        assert_eq!(histogram.count, 2);
    }
}
