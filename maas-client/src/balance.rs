//! Picks one endpoint, uniformly at random over the healthy ones; ejects one that fails and probes it back.
//!
//! Neighbours: [`crate::discovery`] makes the [`Slot`]s, [`crate::resolver`] picks from them, [`crate::call`] reports how
//! a call went. Nothing here does I/O or takes a lock; random numbers and the clock are arguments.

use crate::registry::Endpoint;
use rand::{Rng, RngExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Milliseconds by a monotonic clock, from any fixed beginning.
pub type Millis = u64;

/// Knobs of ejection.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Faults in a row (time-outs, statuses of 500 and above) that eject. Default 3. A lost or refused connection ejects at once.
    pub faults: u32,
    /// How long the first ejection lasts; doubles with each failed probe. Default 1 s.
    pub eject_first: Duration,
    /// The longest ejection. Default 30 s.
    pub eject_most: Duration,
    /// How long one probe keeps other calls away. Default 5 s.
    pub probe: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            faults: 3,
            eject_first: Duration::from_secs(1),
            eject_most: Duration::from_secs(30),
            probe: Duration::from_secs(5),
        }
    }
}

/// How a call on an endpoint went, as far as the endpoint's health is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// It answered, be it with a complaint about the arguments.
    Answered,
    /// No connection could be made: nobody listens.
    Refused,
    /// The connection was lost before the answer.
    Lost,
    /// It did not answer in time, or answered that it can't now (a status of 500 or above).
    Fault,
}

/// One endpoint in use, with its health. Shared by all snapshots that hold the same registration.
#[derive(Debug)]
pub struct Slot {
    endpoint: Endpoint,
    mzxid: i64,
    stale: AtomicBool,
    gone: AtomicBool,
    faults: AtomicU32,
    ejections: AtomicU32,
    /// 0: healthy.
    ejected_until: AtomicU64,
}

impl Slot {
    /// A healthy slot for a registration, as it stood at transaction `mzxid`.
    pub fn new(endpoint: Endpoint, mzxid: i64) -> Slot {
        Slot {
            endpoint,
            mzxid,
            stale: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            faults: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            ejected_until: AtomicU64::new(0),
        }
    }

    /// The registration.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The transaction that last changed the registration's bytes.
    pub fn mzxid(&self) -> i64 {
        self.mzxid
    }

    /// True while it is used on trust: its registration went in an outage (grace).
    pub fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// Marks it as used on trust, or not any more.
    pub(crate) fn set_stale(&self, stale: bool) {
        self.stale.store(stale, Ordering::Relaxed);
    }

    /// True once it refused a connection while it was used on trust: it is not picked again.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// True while calls are kept away from it.
    pub fn is_ejected(&self) -> bool {
        self.ejected_until.load(Ordering::Relaxed) != 0
    }

    /// True while calls may go to it.
    pub fn is_healthy(&self) -> bool {
        !self.is_ejected() && !self.is_gone()
    }

    /// Takes the right to probe it, once per period, when its ejection is over.
    fn take_probe(&self, now: Millis, policy: &Policy) -> bool {
        let until = self.ejected_until.load(Ordering::Relaxed);
        if until == 0 || until > now || self.is_gone() {
            return false;
        }
        let next = now + millis(policy.probe);
        self.ejected_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Records how a call went; `probe` as in [`Pick`]. True when the endpoint is gone for good with this.
    pub fn report(&self, signal: Signal, probe: bool, now: Millis, policy: &Policy) -> bool {
        match signal {
            Signal::Answered => {
                // Loads first: a healthy endpoint's cache line is not written to by every call.
                if self.faults.load(Ordering::Relaxed) != 0 {
                    self.faults.store(0, Ordering::Relaxed);
                }
                if self.is_ejected() {
                    self.ejections.store(0, Ordering::Relaxed);
                    self.ejected_until.store(0, Ordering::Relaxed);
                }
                return false;
            }
            Signal::Refused if self.is_stale() => {
                return !self.gone.swap(true, Ordering::Relaxed);
            }
            Signal::Refused | Signal::Lost => self.eject(probe, now, policy),
            Signal::Fault => {
                let faults = self.faults.fetch_add(1, Ordering::Relaxed) + 1;
                if probe || faults >= policy.faults {
                    self.eject(probe, now, policy);
                }
            }
        }
        false
    }

    fn eject(&self, probe: bool, now: Millis, policy: &Policy) {
        let until = self.ejected_until.load(Ordering::Relaxed);
        // Many calls end together when an instance dies; only the first of them, or a probe, counts.
        if until > now && !probe {
            return;
        }
        let ejections = self.ejections.fetch_add(1, Ordering::Relaxed).min(16);
        let pause = (policy.eject_first * (1 << ejections)).min(policy.eject_most);
        self.ejected_until.store((now + millis(pause)).max(1), Ordering::Relaxed);
    }
}

/// What was picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// Its place among the endpoints.
    pub index: usize,
    /// True when it is an ejected one that is being tried again; to be handed back to [`Slot::report`].
    pub probe: bool,
}

/// Picks one of `slots` that is not in `tried`, uniformly over the healthy ones. `None` when all were tried or are gone.
///
/// An ejected endpoint whose time is over takes part for one call (a probe). When none is healthy, any that was not
/// tried is better than none.
pub fn pick(
    slots: &[Arc<Slot>],
    tried: &[Arc<Slot>],
    policy: &Policy,
    rng: &mut impl Rng,
    now: impl Fn() -> Millis,
) -> Option<Pick> {
    /// Draws before counting; with half the endpoints healthy one draw in 16 comes to counting.
    const DRAWS: usize = 4;
    if slots.is_empty() {
        return None;
    }
    let untried = |slot: &Arc<Slot>| !slot.is_gone() && !tried.iter().any(|other| Arc::ptr_eq(slot, other));
    for _ in 0..DRAWS {
        let index = rng.random_range(0..slots.len());
        let slot = &slots[index];
        if !untried(slot) {
            continue;
        }
        if slot.is_healthy() {
            return Some(Pick { index, probe: false });
        }
        if slot.take_probe(now(), policy) {
            return Some(Pick { index, probe: true });
        }
    }
    if let Some(index) = one_of(slots, |slot| slot.is_healthy() && untried(slot), rng) {
        return Some(Pick { index, probe: false });
    }
    if let Some(index) = slots.iter().position(|slot| untried(slot) && slot.take_probe(now(), policy)) {
        return Some(Pick { index, probe: true });
    }
    one_of(slots, untried, rng).map(|index| Pick { index, probe: false })
}

/// The place of one of those that fit, uniformly. Health changes under our feet, so the second pass may find fewer
/// than the first.
fn one_of(slots: &[Arc<Slot>], fits: impl Fn(&Arc<Slot>) -> bool, rng: &mut impl Rng) -> Option<usize> {
    let fitting = || slots.iter().enumerate().filter(|(_, slot)| fits(slot)).map(|(index, _)| index);
    let count = fitting().count();
    if count == 0 {
        return None;
    }
    let chosen = rng.random_range(0..count);
    fitting().nth(chosen).or_else(|| fitting().next())
}

fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::default_functions;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use std::cell::Cell;

    fn slots(count: usize) -> Vec<Arc<Slot>> {
        (0..count)
            .map(|index| {
                Arc::new(Slot::new(
                    Endpoint {
                        name: "dga".parse().unwrap(),
                        version: "1.0".parse().unwrap(),
                        id: index.to_string().into(),
                        url: format!("http://127.0.0.1:{}", 4000 + index).into(),
                        functions: Arc::new(default_functions()),
                        registered_ms: 0,
                        czxid: 1,
                    },
                    1,
                ))
            })
            .collect()
    }

    fn counts(slots: &[Arc<Slot>], draws: usize, now: Millis) -> Vec<f64> {
        let mut rng = StdRng::seed_from_u64(7);
        let mut counts = vec![0.0; slots.len()];
        for _ in 0..draws {
            let picked = pick(slots, &[], &Policy::default(), &mut rng, || now).unwrap();
            assert!(!picked.probe);
            counts[picked.index] += 1.0;
        }
        counts
    }

    fn chi_square(counts: &[f64]) -> f64 {
        let expected = counts.iter().sum::<f64>() / counts.len() as f64;
        counts.iter().map(|count| (count - expected).powi(2) / expected).sum()
    }

    #[test]
    fn every_healthy_endpoint_is_picked_with_the_same_probability() {
        let slots = slots(10);
        // 27.9 is the 0.999 quantile of chi-square with 9 degrees of freedom.
        assert!(chi_square(&counts(&slots, 100_000, 0)) < 27.9);
    }

    #[test]
    fn with_some_ejected_the_others_are_still_picked_uniformly() {
        let slots = slots(10);
        for slot in &slots[..7] {
            slot.report(Signal::Refused, false, 0, &Policy::default());
        }
        let counts = counts(&slots, 100_000, 10);
        assert!(counts[..7].iter().all(|count| *count == 0.0));
        // 13.8: two degrees of freedom.
        assert!(chi_square(&counts[7..]) < 13.8, "{counts:?}");
    }

    #[test]
    fn an_ejected_endpoint_is_probed_once_and_comes_back_when_the_probe_answers() {
        let slots = slots(2);
        let policy = Policy::default();
        let clock = Cell::new(1000);
        let mut rng = StdRng::seed_from_u64(1);
        slots[0].report(Signal::Lost, false, clock.get(), &policy);
        // Many calls that fail together lengthen nothing.
        for _ in 0..50 {
            slots[0].report(Signal::Lost, false, clock.get(), &policy);
        }
        clock.set(1999);
        for _ in 0..100 {
            assert_eq!(pick(&slots, &[], &policy, &mut rng, || clock.get()).unwrap().index, 1);
        }
        clock.set(2000);
        let picks: Vec<Pick> =
            (0..100).map(|_| pick(&slots, &[], &policy, &mut rng, || clock.get()).unwrap()).collect();
        let probes: Vec<&Pick> = picks.iter().filter(|picked| picked.probe).collect();
        assert_eq!(probes.len(), 1);
        // A failed probe doubles the pause, an answered one ends it.
        slots[0].report(Signal::Refused, true, clock.get(), &policy);
        clock.set(3999);
        assert!((0..100).all(|_| pick(&slots, &[], &policy, &mut rng, || clock.get()).unwrap().index == 1));
        clock.set(4000);
        assert!((0..100).any(|_| pick(&slots, &[], &policy, &mut rng, || clock.get()).unwrap().probe));
        slots[0].report(Signal::Answered, true, clock.get(), &policy);
        assert!((0..100).any(|_| pick(&slots, &[], &policy, &mut rng, || clock.get()).unwrap().index == 0));
    }

    #[test]
    fn three_faults_in_a_row_eject_and_an_answer_between_them_does_not() {
        let slots = slots(1);
        let policy = Policy::default();
        for signal in [Signal::Fault, Signal::Fault, Signal::Answered, Signal::Fault, Signal::Fault] {
            slots[0].report(signal, false, 5, &policy);
        }
        assert!(!slots[0].is_ejected());
        slots[0].report(Signal::Fault, false, 5, &policy);
        assert!(slots[0].is_ejected());
    }

    #[test]
    fn when_none_is_healthy_any_untried_one_is_picked_and_then_none() {
        let slots = slots(3);
        let policy = Policy::default();
        let mut rng = StdRng::seed_from_u64(1);
        for slot in &slots {
            slot.report(Signal::Refused, false, 0, &policy);
        }
        let mut tried = Vec::new();
        for _ in 0..3 {
            let picked = pick(&slots, &tried, &policy, &mut rng, || 1).unwrap();
            assert!(!tried.iter().any(|other| Arc::ptr_eq(other, &slots[picked.index])));
            tried.push(slots[picked.index].clone());
        }
        assert!(pick(&slots, &tried, &policy, &mut rng, || 1).is_none());
    }

    #[test]
    fn a_stale_endpoint_that_refuses_is_gone_at_once() {
        let slots = slots(2);
        let policy = Policy::default();
        let mut rng = StdRng::seed_from_u64(1);
        slots[0].set_stale(true);
        assert!(slots[0].report(Signal::Refused, false, 0, &policy));
        assert!(!slots[0].report(Signal::Refused, false, 0, &policy), "reported once");
        for now in 0..100 {
            assert_eq!(pick(&slots, &[], &policy, &mut rng, || now * 1000).unwrap().index, 1);
        }
    }
}
