//! Evaluating so that Ctrl-C can end it: on a thread of its own, which is left to itself when the user doesn't want to wait. It ends by its limits.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};

use crate::environment::Environment;
use crate::error::Error;
use crate::program::Program;
use crate::value::Value;
use crate::variables::{Layers, VariableMap};

/// Room for the deepest expression that the limits admit.
const STACK: usize = 16 << 20;

/// All that an evaluation needs.
pub(super) struct Evaluation {
    pub program: Program,
    pub variables: VariableMap,
    pub environment: Environment,
    pub predicate: bool,
}

impl Evaluation {
    fn run(&self) -> Result<Value, Error> {
        let layers = Layers::new([&self.variables]);
        if self.predicate {
            self.program.holds(&layers, &self.environment).map(Value::from)
        } else {
            self.program.evaluate(&layers, &self.environment)
        }
    }
}

/// Why an evaluation has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("interrupted")]
    Interrupted,
    #[error("the system gives no thread to evaluate on: {0}")]
    NotStarted(io::Error),
}

/// Where evaluations run.
pub(super) enum Runner {
    /// On the caller's thread.
    Here,
    /// On threads of their own; Ctrl-C ends the waiting.
    Apart(Apart),
}

/// What happens while an evaluation runs.
enum Event {
    Interrupted,
    /// The evaluation of this number has its answer.
    Done(u64, Result<Value, Error>),
}

/// Evaluations by number, and what happens to them.
pub(super) struct Apart {
    events: Receiver<Event>,
    sender: Sender<Event>,
    last: u64,
}

impl Runner {
    /// One that Ctrl-C interrupts; where signals can't be listened to, one that it doesn't.
    pub(super) fn interruptible() -> Self {
        let (sender, events) = mpsc::channel();
        match listen(sender.clone()) {
            Ok(()) => Self::Apart(Apart { events, sender, last: 0 }),
            Err(_) => Self::Here,
        }
    }

    /// The answer, unless it was interrupted or could not begin.
    pub(super) fn run(&mut self, evaluation: Evaluation) -> Result<Result<Value, Error>, NoAnswer> {
        match self {
            Self::Here => Ok(evaluation.run()),
            Self::Apart(apart) => apart.run(evaluation, STACK),
        }
    }
}

impl Apart {
    fn run(&mut self, evaluation: Evaluation, stack: usize) -> Result<Result<Value, Error>, NoAnswer> {
        // An interrupt from before is not meant for this one.
        while self.events.try_recv().is_ok() {}
        self.last += 1;
        let (number, sender) = (self.last, self.sender.clone());
        let thread = std::thread::Builder::new().name("evaluation".to_owned()).stack_size(stack);
        let started = thread.spawn(move || {
            // Nobody listens any more when the shell has ended.
            let _ = sender.send(Event::Done(number, evaluation.run()));
        });
        started.map_err(NoAnswer::NotStarted)?;
        loop {
            match self.events.recv() {
                Ok(Event::Done(done, answer)) if done == number => return Ok(answer),
                Ok(Event::Done(..)) => {}
                Ok(Event::Interrupted) | Err(_) => return Err(NoAnswer::Interrupted),
            }
        }
    }
}

/// Tells of each SIGINT from now on; it no longer ends the program.
fn listen(sender: Sender<Event>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?
    };
    std::thread::Builder::new().name("interrupts".to_owned()).spawn(move || {
        runtime.block_on(async { while signals.recv().await.is_some() && sender.send(Event::Interrupted).is_ok() {} });
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Compiler;

    fn evaluation(source: &str) -> Evaluation {
        Evaluation {
            program: Compiler::default().compile(source).unwrap(),
            variables: VariableMap::default(),
            environment: Environment::default(),
            predicate: false,
        }
    }

    #[test]
    fn what_an_interrupted_evaluation_gives_later_is_not_taken_for_the_next_answer() {
        let (sender, events) = mpsc::channel();
        let mut apart = Apart { events, sender: sender.clone(), last: 0 };
        assert_eq!(apart.run(evaluation("1 + 1"), STACK).unwrap(), Ok(Value::from(2)));
        sender.send(Event::Interrupted).unwrap();
        sender.send(Event::Done(1, Ok(Value::Null))).unwrap();
        assert_eq!(apart.run(evaluation("1 + 2"), STACK).unwrap(), Ok(Value::from(3)));
    }

    #[test]
    fn an_evaluation_without_a_thread_is_not_taken_for_an_interrupted_one() {
        let (sender, events) = mpsc::channel();
        let mut apart = Apart { events, sender, last: 0 };
        // More than any address space has room for.
        let answer = apart.run(evaluation("1"), 1 << 56);
        assert!(matches!(answer, Err(NoAnswer::NotStarted(_))), "{answer:?}");
    }
}
