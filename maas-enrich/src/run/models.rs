//! Models as a pipeline calls them: so many at once for each, none that is down for long, every null counted.
//!
//! Stands between the expressions and whoever really calls; resolving, retries and the cache are theirs.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use stellar_fns::maas::{Answer, Endpoint, Failure, ModelCall, ModelCaller, Outcome};
use tokio::sync::Semaphore;

use super::metrics::{Metrics, label};

/// Calls of one model at once.
pub const AT_ONCE: usize = 64;
/// So many calls without an answer in a row, and a model is taken to be down.
const PATIENCE: u32 = 8;
/// For how long nobody asks a model that is down.
const PAUSE: Duration = Duration::from_secs(1);
/// Names that are counted apart; they come from expressions and data.
const MOST: usize = 1_000;

/// Calls by model, version and outcome.
#[derive(Debug, Default)]
pub struct Calls {
    counts: Mutex<BTreeMap<(String, String, &'static str), u64>>,
    null_answers: AtomicU64,
}

impl Calls {
    /// How many gave null.
    pub fn null_answers(&self) -> u64 {
        self.null_answers.load(Relaxed)
    }

    /// Each model and version with an outcome, and how often it came.
    pub fn by_outcome(&self) -> Vec<((String, String, &'static str), u64)> {
        self.counts.lock().iter().map(|(key, count)| (key.clone(), *count)).collect()
    }

    fn count(&self, name: &str, version: &str, outcome: Outcome) {
        let mut counts = self.counts.lock();
        let key = (name.to_owned(), version.to_owned(), outcome.as_str());
        if counts.len() < MOST || counts.contains_key(&key) {
            *counts.entry(key).or_default() += 1;
        }
    }

    pub(super) fn prometheus(&self, out: &mut String) {
        out.push_str("# HELP maas_calls_total Calls of models by outcome.\n# TYPE maas_calls_total counter\n");
        for ((name, version, outcome), count) in self.counts.lock().iter() {
            let (name, version) = (label(name), label(version));
            // Writing to a String can't fail.
            let _ = writeln!(
                out,
                "maas_calls_total{{name=\"{name}\",version=\"{version}\",outcome=\"{outcome}\"}} {count}"
            );
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Bounded {
    inner: Arc<dyn ModelCaller>,
    metrics: Arc<Metrics>,
    at_once: usize,
    models: Mutex<HashMap<String, Arc<Model>>>,
}

#[derive(Debug)]
struct Model {
    room: Semaphore,
    down: Mutex<Down>,
}

#[derive(Debug, Default)]
struct Down {
    unanswered: u32,
    until: Option<Instant>,
}

impl Bounded {
    /// So many calls of each model at once.
    pub fn new(inner: Arc<dyn ModelCaller>, metrics: Arc<Metrics>, at_once: usize) -> Self {
        Self { inner, metrics, at_once, models: Mutex::default() }
    }

    fn model(&self, name: &str) -> Arc<Model> {
        let mut models = self.models.lock();
        if models.len() > MOST {
            models.clear();
        }
        let model = || Arc::new(Model { room: Semaphore::new(self.at_once), down: Mutex::default() });
        models.entry(name.to_owned()).or_insert_with(model).clone()
    }
}

impl Model {
    /// Whether to ask; one caller at a time looks whether a model that was down answers again.
    fn may_ask(&self, now: Instant) -> bool {
        let mut down = self.down.lock();
        match down.until {
            Some(until) if now < until => false,
            Some(_) => {
                down.until = Some(now + PAUSE);
                true
            }
            None => true,
        }
    }

    fn asked(&self, outcome: Option<Outcome>, now: Instant) {
        let mut down = self.down.lock();
        if !matches!(outcome, Some(Outcome::Timeout)) {
            *down = Down::default();
            return;
        }
        down.unanswered += 1;
        if down.unanswered >= PATIENCE {
            down.until = Some(now + PAUSE);
        }
    }
}

#[async_trait]
impl ModelCaller for Bounded {
    async fn endpoint(&self, name: &str, version: Option<&str>) -> Result<Endpoint, Failure> {
        self.inner.endpoint(name, version).await
    }

    fn known_endpoint(&self, name: &str, version: Option<&str>) -> Option<Result<Endpoint, Failure>> {
        self.inner.known_endpoint(name, version)
    }

    async fn apply(&self, call: ModelCall) -> Result<Answer, Failure> {
        let (name, version) = (call.name.clone(), call.version.clone());
        let model = self.model(&name);
        // Nobody closes a semaphore of ours: an Err can't be.
        let _room = model.room.acquire().await;
        if !model.may_ask(Instant::now()) {
            let message = format!("{name}: {PATIENCE} calls in a row had no answer; it is asked again within a second");
            return Err(Failure { outcome: Outcome::Refused, model: Some(name), version, message });
        }
        let answer = self.inner.apply(call).await;
        model.asked(answer.as_ref().err().map(|failure| failure.outcome), Instant::now());
        if let Ok(answer) = &answer {
            self.metrics.calls.count(&answer.model, &answer.version, Outcome::Ok);
        }
        answer
    }

    fn report(&self, function: &'static str, failure: &Failure) {
        let version = failure.version.as_deref().unwrap_or_default();
        self.metrics.calls.count(failure.model.as_deref().unwrap_or_default(), version, failure.outcome);
        self.metrics.calls.null_answers.fetch_add(1, Relaxed);
        self.inner.report(function, failure);
    }

    fn detail(&self) -> bool {
        self.inner.detail()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_down_is_left_alone_for_a_second_and_then_asked_by_one() {
        let model = Model { room: Semaphore::new(1), down: Mutex::default() };
        let start = Instant::now();
        for _ in 0..PATIENCE {
            assert!(model.may_ask(start));
            model.asked(Some(Outcome::Timeout), start);
        }
        assert!(!model.may_ask(start));
        let later = start + PAUSE;
        assert!(model.may_ask(later) && !model.may_ask(later));
        model.asked(None, later);
        assert!(model.may_ask(later));
    }

    #[test]
    fn an_answer_that_says_nothing_is_an_answer() {
        let model = Model { room: Semaphore::new(1), down: Mutex::default() };
        let start = Instant::now();
        for _ in 0..PATIENCE * 2 {
            model.asked(Some(Outcome::BadAnswer), start);
        }
        assert!(model.may_ask(start));
    }
}
