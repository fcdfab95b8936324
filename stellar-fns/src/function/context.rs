//! What a function may use beside its arguments: the environment, the budget, and calling the lambdas it was given.

use std::fmt::{self, Write};

use crate::asking::Asker;
use crate::environment::Environment;
use crate::error::{Code, Fault};
use crate::function::Outcome;
use crate::value::{FREE_TEXT, Fuel, Text, Turn, Value, equals, key_cost, reaches};
use crate::variables::Variables;

/// Levels of expressions that may be evaluated inside each other: that of the outermost and those of the lambdas it runs into.
const RUNNING_DEPTH: usize = 256;

/// Bytes of a long text that a step copies: all steps there are by default copy 160 MB.
const COPIED: usize = 32;

/// How many values may be in what is put into a container that is changed in place.
const LARGEST_ITEM: u64 = 100_000;

/// What a function may use beside its arguments.
pub struct Context<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) fuel: Fuel,
    /// How many more levels lambdas may be nested while running.
    pub(crate) depth: usize,
    pub(crate) variables: &'a dyn Variables,
    /// What suspends this evaluation; none: questions block.
    asker: Option<&'a Asker<'a>>,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Context({} steps left)", self.fuel.left())
    }
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        environment: &'a Environment,
        variables: &'a dyn Variables,
        asker: Option<&'a Asker<'a>>,
    ) -> Self {
        Self { environment, fuel: Fuel::new(environment.limits.steps), depth: RUNNING_DEPTH, variables, asker }
    }

    /// The environment of this evaluation.
    pub fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// Asks another system: waits until the future is ready, and gives what it gives.
    ///
    /// [`Program::evaluate_asking`](crate::Program::evaluate_asking) is suspended meanwhile and polls the future on the thread and runtime it is awaited on;
    /// [`Program::evaluate`](crate::Program::evaluate) blocks while the future runs on the environment's [`CallThread`](crate::asking::CallThread). The
    /// future bounds its own time; it is dropped when the evaluation is. A fault only where it panicked, or can't be run.
    ///
    /// ```
    /// # use stellar_fns::function::{Arguments, Context, Outcome};
    /// fn call(arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
    ///     let name = arguments.text(0)?.to_owned();
    ///     let length = context.ask(async move { name.len() })?; // in place of a question that takes a while
    ///     Ok(i64::try_from(length).ok().into())
    /// }
    /// ```
    pub fn ask<T: Send + 'static>(&mut self, question: impl Future<Output = T> + Send + 'static) -> Result<T, Fault> {
        let answer = match self.asker {
            Some(asker) => asker.ask(question),
            None => self.environment.calls.wait(question),
        };
        answer.map_err(|unanswered| Fault::new(Code::Service, unanswered.to_string()))
    }

    /// Takes steps from the budget: one per item walked over is customary.
    #[inline]
    pub fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        self.fuel.burn(steps as u64).ok_or_else(|| self.too_many_steps())
    }

    /// Takes a step for each item of a list, set or map, or character of a text.
    pub(crate) fn spend_items(&mut self, value: &Value) -> Result<(), Fault> {
        self.spend(match value {
            Value::List(list) => list.len(),
            Value::Set(set) => set.len(),
            Value::Map(map) => map.len(),
            Value::Text(text) => text.len(),
            _ => 0,
        })
    }

    /// Takes what reading a long text costs; short ones are free.
    #[inline]
    pub(crate) fn spend_reading(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Text(text) => self.spend_reading_text(text),
            _ => Ok(()),
        }
    }

    /// Takes what reading this text costs, if it is long.
    #[inline]
    pub(crate) fn spend_reading_text(&mut self, text: &str) -> Result<(), Fault> {
        if text.len() > FREE_TEXT { self.spend(text.len() / FREE_TEXT) } else { Ok(()) }
    }

    /// Takes what finding a value in a set or map, or in what hashes it otherwise, costs; for small ones nothing.
    pub(crate) fn spend_key(&mut self, key: &Value) -> Result<(), Fault> {
        match key_cost(key) {
            0 => Ok(()),
            cost => self.fuel.burn(cost).ok_or_else(|| self.too_many_steps()),
        }
    }

    /// Takes what finding each of these costs; those that keep long texts pay for the copies, too.
    pub(crate) fn spend_keys(&mut self, keys: &[Value]) -> Result<(), Fault> {
        keys.iter().try_for_each(|key| self.spend_key(key))
    }

    /// Takes what a copy of a value that is kept costs; only a long text is copied, the rest is shared.
    #[inline]
    pub(crate) fn spend_copy(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Text(text) if text.len() > FREE_TEXT => self.spend(text.len() / COPIED),
            _ => Ok(()),
        }
    }

    /// Takes what copies of these values cost.
    pub(crate) fn spend_copies<'v>(&mut self, values: impl IntoIterator<Item = &'v Value>) -> Result<(), Fault> {
        values.into_iter().try_for_each(|value| self.spend_copy(value))
    }

    #[cold]
    fn too_many_steps(&self) -> Fault {
        Fault::new(
            Code::TooManySteps,
            format!("more than {} steps; evaluate less data at a time", self.environment.limits.steps),
        )
    }

    /// Refuses texts above the limit.
    pub fn check_text(&self, bytes: usize) -> Result<(), Fault> {
        let limit = self.environment.limits.text;
        if bytes > limit {
            return Err(Fault::new(Code::TooLarge, format!("a text of {bytes} bytes; the limit is {limit}")));
        }
        Ok(())
    }

    /// Takes a text of this many bytes from the budget; to be asked before it is made.
    pub fn spend_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.check_text(bytes)?;
        self.spend(1 + bytes / 16)
    }

    /// The text form of anything but null, within the budget.
    pub fn text_or_none(&mut self, value: &Value) -> Result<Option<Text>, Fault> {
        if value.is_null() { Ok(None) } else { self.text_of(value).map(Some) }
    }

    /// The text form of a value, within the budget.
    pub fn text_of(&mut self, value: &Value) -> Result<Text, Fault> {
        if let Value::Text(text) = value {
            return Ok(text.clone());
        }
        let limit = self
            .environment
            .limits
            .text
            .min(usize::try_from(self.fuel.left().saturating_mul(16)).unwrap_or(usize::MAX));
        let mut writer = Bounded { out: Text::default(), limit };
        if value.write_whole(&mut writer).is_err() {
            return Err(Fault::new(Code::TooLarge, format!("the text of this value has more than {limit} bytes")));
        }
        self.spend_text(writer.out.len())?;
        Ok(writer.out)
    }

    /// A value as JSON, within the budget. A fault says that `what` is too large.
    #[cfg(any(feature = "maas", feature = "rest"))]
    pub(crate) fn json_of(&mut self, value: &Value, what: &str) -> Result<serde_json::Value, Fault> {
        crate::value::to_json_within(value, &mut self.fuel)
            .map_err(|why| Fault::new(Code::TooLarge, format!("{what} {why}")))
    }

    /// `==` of the language, within the budget.
    pub fn equals(&mut self, left: &Value, right: &Value) -> Result<bool, Fault> {
        equals(left, right, &mut self.fuel)
            .ok_or_else(|| Fault::new(Code::TooLarge, "these values are too large or too deep to compare"))
    }

    /// Refuses to put `item` into `container` where that would close a circle. The turn is to be held until it is put there.
    #[must_use = "without the turn another thread may close the circle"]
    pub(crate) fn check_circle(&mut self, item: &Value, container: &Value) -> Result<Turn, Fault> {
        let turn = Turn::to_put(item);
        if self.reaches(item, container)? {
            return Err(Fault::new(Code::BadArgument, "a container can't hold itself"));
        }
        Ok(turn)
    }

    /// Whether `container` can be reached from `item`, which is refused where `item` is too large to say: others wait meanwhile. Such an item is in no
    /// container's table, and must not be looked for while that is locked.
    pub(crate) fn reaches(&mut self, item: &Value, container: &Value) -> Result<bool, Fault> {
        if item.is_scalar() {
            return Ok(false);
        }
        let mut walk = Fuel::new(LARGEST_ITEM.min(self.fuel.left()));
        let most = walk.left();
        let found = reaches(item, container, &mut walk);
        self.spend(usize::try_from(most - walk.left()).unwrap_or(usize::MAX))?;
        found.ok_or_else(|| {
            if most < LARGEST_ITEM {
                return self.too_many_steps();
            }
            let message =
                format!("what holds more than {LARGEST_ITEM} values can't be put into a container that is changed");
            Fault::new(Code::TooLarge, message)
        })
    }

    /// Calls a lambda; arguments that lack are null, extra ones are dropped.
    pub fn apply(&mut self, lambda: &Value, arguments: &[Value]) -> Outcome {
        match lambda {
            Value::Lambda(closure) => crate::eval::apply(closure, arguments, self),
            other => Err(Fault::wrong_type(format!("a lambda such as x -> x is needed, not {}", other.type_name()))),
        }
    }
}

/// Collects text up to a limit.
struct Bounded {
    out: Text,
    limit: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.out.len() + text.len() > self.limit {
            return Err(fmt::Error);
        }
        self.out.push_str(text);
        Ok(())
    }
}
