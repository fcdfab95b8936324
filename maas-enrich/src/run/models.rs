//! Models as a pipeline calls them: so many at once for each, none that is down for long, every null counted.
//!
//! Stands between the expressions and whoever really calls; resolving, retries and the cache are theirs. Since documents keep the order of their lines, an event that waits
//! for a model holds up those behind it: no event waits much longer than the model's answers usually take, and none waits to see whether a model that was down is back.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use stellar_fns::maas::{Answer, Endpoint, Failure, ModelCall, ModelCaller, Outcome};
use stellar_fns::value::Text;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::metrics::{Metrics, label};

/// Calls of one model at once.
pub const AT_ONCE: usize = 64;
/// So many calls without an answer in a row, and a model is taken to be down.
const PATIENCE: u32 = 8;
/// For how long nobody asks a model that is down.
const PAUSE: Duration = Duration::from_secs(1);
/// A model that answered before is waited for so long at least, and so many times as long as the slowest of its recent answers took. The time-out of the settings
/// holds besides.
const SHORTEST: Duration = Duration::from_secs(1);
const TIMES_SLOWEST: u32 = 4;
/// Names that are counted apart; they come from expressions and data.
const MOST: usize = 1_000;

tokio::task_local! {
    /// Whether a model that was gone gave no answer to what is evaluated now.
    static UNANSWERED: Cell<bool>;
}

/// Runs evaluations; also tells whether one of them had no answer because a model was gone.
pub(super) async fn noting<T>(evaluations: impl Future<Output = T>) -> (T, bool) {
    let noted = async { (evaluations.await, UNANSWERED.with(Cell::get)) };
    UNANSWERED.scope(Cell::new(false), noted).await
}

/// How often each outcome came.
type Outcomes = BTreeMap<&'static str, u64>;

/// Calls by model, version and outcome.
#[derive(Debug, Default)]
pub struct Calls {
    counts: Mutex<BTreeMap<String, BTreeMap<String, Outcomes>>>,
    null_answers: AtomicU64,
    /// Answers that were kept from earlier.
    hits: AtomicU64,
    /// Answers that were asked for, and how long that took together.
    misses: AtomicU64,
    microseconds: AtomicU64,
}

impl Calls {
    /// How many gave null.
    pub fn null_answers(&self) -> u64 {
        self.null_answers.load(Relaxed)
    }

    /// Each model and version with an outcome, and how often it came.
    pub fn by_outcome(&self) -> Vec<((String, String, &'static str), u64)> {
        let counts = self.counts.lock();
        let mut all = Vec::new();
        for (name, versions) in counts.iter() {
            for (version, outcomes) in versions {
                all.extend(outcomes.iter().map(|(outcome, count)| ((name.clone(), version.clone(), *outcome), *count)));
            }
        }
        all
    }

    /// There is an answer.
    fn answered(&self, answer: &Answer) {
        if answer.cached {
            self.hits.fetch_add(1, Relaxed);
        } else {
            self.misses.fetch_add(1, Relaxed);
            self.microseconds.fetch_add(u64::try_from(answer.latency.as_micros()).unwrap_or(0), Relaxed);
        }
        self.count(&answer.model, &answer.version, Outcome::Ok);
    }

    fn count(&self, name: &str, version: &str, outcome: Outcome) {
        let mut counts = self.counts.lock();
        // The names are copied only when they are new.
        let known = counts.get_mut(name).and_then(|versions| versions.get_mut(version));
        if let Some(outcomes) = known {
            *outcomes.entry(outcome.as_str()).or_default() += 1;
            return;
        }
        if counts.values().map(BTreeMap::len).sum::<usize>() < MOST {
            let outcomes = counts.entry(name.to_owned()).or_default().entry(version.to_owned()).or_default();
            outcomes.insert(outcome.as_str(), 1);
        }
    }

    pub(super) fn prometheus(&self, out: &mut String) {
        let (hits, misses) = (self.hits.load(Relaxed), self.misses.load(Relaxed));
        let seconds = Duration::from_micros(self.microseconds.load(Relaxed)).as_secs_f64();
        // Writing to a String can't fail.
        let _ = writeln!(
            out,
            "# HELP maas_cache_total Answers of models, by whether they were kept from earlier.\n# TYPE maas_cache_total counter\n\
             maas_cache_total{{result=\"hit\"}} {hits}\nmaas_cache_total{{result=\"miss\"}} {misses}\n\
             # HELP maas_call_seconds How long answers took that were asked for.\n# TYPE maas_call_seconds summary\n\
             maas_call_seconds_sum {seconds}\nmaas_call_seconds_count {misses}"
        );
        out.push_str("# HELP maas_calls_total Calls of models by outcome.\n# TYPE maas_calls_total counter\n");
        for ((name, version, outcome), count) in self.by_outcome() {
            let (name, version) = (label(&name), label(&version));
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
    /// Where models are asked, and where it is looked whether one is back: not on the thread that all events go through.
    home: Handle,
    models: Mutex<HashMap<String, Arc<Model>>>,
}

#[derive(Debug)]
struct Model {
    name: String,
    room: Semaphore,
    health: Mutex<Health>,
}

/// What the last calls say of a model.
#[derive(Debug, Default)]
struct Health {
    /// Calls in a row that had no answer.
    unanswered: u32,
    /// Nobody asks before.
    down_until: Option<Instant>,
    /// How long the slowest of recent answers took; none before the first.
    slowest: Option<Duration>,
}

/// What is to be done with a call.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
enum Leave {
    /// Ask, and wait for so long; none: as long as it takes.
    Ask(Option<Duration>),
    /// The model is down; this call goes out to see whether it is back, and nobody waits for it.
    Look,
    /// The model is down.
    Refuse,
}

impl Health {
    fn leave(&mut self, now: Instant) -> Leave {
        match self.down_until {
            Some(until) if now < until => Leave::Refuse,
            Some(_) => {
                self.down_until = Some(now + PAUSE);
                Leave::Look
            }
            None => Leave::Ask(self.slowest.map(|slowest| (slowest * TIMES_SLOWEST).max(SHORTEST))),
        }
    }

    /// A call came to an end: with this failure, or with an answer that took so long.
    fn ended(&mut self, outcome: Result<Duration, Outcome>, now: Instant) {
        match outcome {
            Err(Outcome::Timeout | Outcome::Refused) => {
                self.unanswered = self.unanswered.saturating_add(1);
                if self.unanswered >= PATIENCE {
                    self.down_until = Some(now + PAUSE);
                }
            }
            Err(_) => (self.unanswered, self.down_until) = (0, None),
            Ok(took) => {
                // The slowest is forgotten by and by.
                let slowest = self.slowest.unwrap_or(took);
                self.slowest = Some(took.max(slowest - slowest / 16));
                (self.unanswered, self.down_until) = (0, None);
            }
        }
    }
}

impl Bounded {
    /// So many calls of each model at once. Must be made on a runtime, where it is looked whether models are back.
    pub fn new(inner: Arc<dyn ModelCaller>, metrics: Arc<Metrics>, at_once: usize) -> Self {
        Self { inner, metrics, at_once, home: Handle::current(), models: Mutex::default() }
    }

    fn model(&self, name: &str) -> Arc<Model> {
        let mut models = self.models.lock();
        if let Some(model) = models.get(name) {
            return model.clone();
        }
        if models.len() > MOST {
            models.clear();
        }
        let model =
            Arc::new(Model { name: name.to_owned(), room: Semaphore::new(self.at_once), health: Mutex::default() });
        models.insert(name.to_owned(), model.clone());
        model
    }

    /// Asks beside the thread that all events go through, which only hands the call over and takes the answer. Whoever drops this gives the call up.
    async fn ask_at_home(
        &self,
        model: &Arc<Model>,
        call: ModelCall,
        patience: Option<Duration>,
    ) -> Result<Result<Answer, Failure>, Ended> {
        let (inner, model) = (self.inner.clone(), model.clone());
        let asked = AbortOnDropHandle::new(self.home.spawn(async move {
            let answer = ask(&*inner, &model, call);
            match patience {
                None => Ok(answer.await),
                Some(patience) => timeout(patience, answer).await.map_err(|_| Ended::Late(patience)),
            }
        }));
        asked.await.unwrap_or_else(|error| Err(Ended::CutOff(error)))
    }
}

/// Why a call has neither an answer nor a failure of its own.
enum Ended {
    /// It was waited for so long.
    Late(Duration),
    /// It panicked, or the runtime it was on has ended.
    CutOff(JoinError),
}

/// Asks, and takes note of how it ended. A cached answer says nothing of the model.
async fn ask(inner: &dyn ModelCaller, model: &Model, call: ModelCall) -> Result<Answer, Failure> {
    let started = Instant::now();
    let answer = inner.apply(call).await;
    let now = Instant::now();
    match &answer {
        Ok(answer) if answer.cached => {}
        Ok(_) => model.health.lock().ended(Ok(now - started), now),
        Err(failure) => model.health.lock().ended(Err(failure.outcome), now),
    }
    answer
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
        let model = self.model(&call.name);
        let _room = match model.room.try_acquire() {
            Ok(room) => Ok(room),
            // Nobody closes a semaphore of ours: an Err can't be.
            Err(_) => model.room.acquire().await,
        };
        let leave = model.health.lock().leave(Instant::now());
        let name = &model.name;
        let version = call.version.clone();
        let no_answer = |outcome, message| Failure {
            outcome,
            model: Some(name.clone()),
            version: version.map(Text::into_string),
            message,
        };
        let answer = match leave {
            Leave::Ask(patience) => match self.ask_at_home(&model, call, patience).await {
                Ok(answer) => answer,
                Err(Ended::Late(patience)) => {
                    model.health.lock().ended(Err(Outcome::Timeout), Instant::now());
                    let message = format!("{name}: no answer in {} ms, it was faster before", patience.as_millis());
                    return Err(no_answer(Outcome::Timeout, message));
                }
                Err(Ended::CutOff(error)) => {
                    return Err(no_answer(Outcome::Refused, format!("{name}: the call was cut off: {error}")));
                }
            },
            leave @ (Leave::Look | Leave::Refuse) => {
                if leave == Leave::Look {
                    let (inner, model) = (self.inner.clone(), model.clone());
                    self.home.spawn(async move { ask(&*inner, &model, call).await.is_ok() });
                }
                let message =
                    format!("{name}: {PATIENCE} calls in a row had no answer; it is asked again every second");
                return Err(no_answer(Outcome::Refused, message));
            }
        };
        if let Ok(answer) = &answer {
            self.metrics.calls.answered(answer);
        }
        answer
    }

    /// A kept answer needs no room, whether the model is up or down.
    fn known_answer(&self, call: &ModelCall) -> Option<Answer> {
        let answer = self.inner.known_answer(call)?;
        self.metrics.calls.answered(&answer);
        Some(answer)
    }

    fn report(&self, function: &'static str, failure: &Failure) {
        let version = failure.version.as_deref().unwrap_or_default();
        self.metrics.calls.count(failure.model.as_deref().unwrap_or_default(), version, failure.outcome);
        self.metrics.calls.null_answers.fetch_add(1, Relaxed);
        if matches!(failure.outcome, Outcome::Timeout | Outcome::Refused | Outcome::NoEndpoint | Outcome::NoZookeeper) {
            // An Err says that nobody wants to know.
            let _ = UNANSWERED.try_with(|unanswered| unanswered.set(true));
        }
        self.inner.report(function, failure);
    }

    fn detail(&self) -> bool {
        self.inner.detail()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A model that is gone, and what it answered before to `host` `known`.
    #[derive(Debug)]
    struct Gone;

    #[async_trait]
    impl ModelCaller for Gone {
        async fn endpoint(&self, name: &str, _: Option<&str>) -> Result<Endpoint, Failure> {
            Err(gone(name))
        }

        async fn apply(&self, call: ModelCall) -> Result<Answer, Failure> {
            Err(gone(&call.name))
        }

        fn known_answer(&self, call: &ModelCall) -> Option<Answer> {
            (call.arguments.get("host") == Some(&json!("known"))).then(|| Answer {
                value: Arc::default(),
                size: 2,
                model: call.name.clone(),
                version: "1.0".into(),
                instance: "i".into(),
                url: "http://h".into(),
                latency: Duration::ZERO,
                cached: true,
            })
        }

        fn report(&self, _: &'static str, _: &Failure) {}
    }

    fn gone(name: &str) -> Failure {
        Failure { outcome: Outcome::Refused, model: Some(name.into()), version: None, message: "gone".into() }
    }

    #[tokio::test]
    async fn a_model_that_is_down_still_answers_what_is_kept() {
        let bounded = Bounded::new(Arc::new(Gone), Arc::new(Metrics::new("s")), AT_ONCE);
        let call = |host: &str| {
            let arguments = json!({ "host": host }).as_object().cloned().unwrap_or_default();
            ModelCall { name: "m".into(), version: None, url: None, function: None, arguments }
        };
        for _ in 0..PATIENCE {
            assert_eq!(bounded.apply(call("other")).await.unwrap_err().message, "gone");
        }
        let refused = bounded.apply(call("other")).await.unwrap_err();
        assert!(refused.message.contains("in a row"), "nobody asks it now");
        assert!(bounded.known_answer(&call("other")).is_none());
        assert!(bounded.known_answer(&call("known")).unwrap().cached);
        assert_eq!(bounded.metrics.calls.by_outcome().iter().map(|(_, count)| count).sum::<u64>(), 1);
    }

    /// A caller with a defect.
    #[derive(Debug)]
    struct Defective;

    #[async_trait]
    impl ModelCaller for Defective {
        async fn endpoint(&self, name: &str, _: Option<&str>) -> Result<Endpoint, Failure> {
            Err(gone(name))
        }

        async fn apply(&self, _: ModelCall) -> Result<Answer, Failure> {
            panic!("as a defect would")
        }

        fn report(&self, _: &'static str, _: &Failure) {}
    }

    #[tokio::test]
    async fn a_call_that_panics_costs_only_its_own_answer() {
        let bounded = Bounded::new(Arc::new(Defective), Arc::new(Metrics::new("s")), 1);
        for _ in 0..2 {
            let call =
                ModelCall { name: "m".into(), version: None, url: None, function: None, arguments: Default::default() };
            let failure = bounded.apply(call).await.unwrap_err();
            assert_eq!(failure.outcome, Outcome::Refused);
            assert!(failure.message.contains("m: the call was cut off"), "{}", failure.message);
        }
    }

    #[test]
    fn a_model_that_is_down_is_left_alone_and_looked_at_by_one_call_a_second() {
        let (mut health, start) = (Health::default(), Instant::now());
        for outcome in [Outcome::Timeout, Outcome::Refused].into_iter().cycle().take(PATIENCE as usize) {
            assert_eq!(health.leave(start), Leave::Ask(None));
            health.ended(Err(outcome), start);
        }
        assert_eq!(health.leave(start), Leave::Refuse);
        let later = start + PAUSE;
        assert_eq!((health.leave(later), health.leave(later)), (Leave::Look, Leave::Refuse));
        health.ended(Ok(Duration::from_millis(5)), later);
        assert_eq!(health.leave(later), Leave::Ask(Some(SHORTEST)));
    }

    #[test]
    fn an_answer_that_says_nothing_is_an_answer() {
        let (mut health, start) = (Health::default(), Instant::now());
        for _ in 0..PATIENCE * 2 {
            health.ended(Err(Outcome::BadAnswer), start);
        }
        assert_eq!(health.leave(start), Leave::Ask(None));
    }

    #[test]
    fn a_slow_model_is_waited_for_longer() {
        let (mut health, start) = (Health::default(), Instant::now());
        health.ended(Ok(Duration::from_secs(2)), start);
        assert_eq!(health.leave(start), Leave::Ask(Some(Duration::from_secs(8))));
        for _ in 0..1_000 {
            health.ended(Ok(Duration::from_millis(1)), start);
        }
        assert_eq!(health.leave(start), Leave::Ask(Some(SHORTEST)));
    }
}
