//! An evaluation on a stack of its own, which is left at each question and gone on with when the answer is there.
//!
//! The walk over the expression is the synchronous one. It runs in a coroutine, whose stack is one of a few that each thread keeps. A coroutine can't change
//! threads, therefore neither can the evaluation.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{self, Poll};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::Unanswered;
use crate::check::Checked;
use crate::environment::Environment;
use crate::error::{Code, Error, Fault, Span};
use crate::eval::evaluate_node;
use crate::value::Value;
use crate::variables::Variables;

/// The size of a stack; only what was used of it takes memory. The limits on nesting keep the deepest evaluation below half of it, which leaves the rest to the
/// functions it calls (`tests`). A build without optimization needs more.
pub(super) const STACK: usize = if cfg!(debug_assertions) { 8 << 20 } else { 1 << 20 };
/// How many stacks a thread keeps for the next evaluations: as many as a pipeline has under way at once. To give one back and take another costs more than most
/// evaluations, the more so where other threads must be told of it.
const KEPT: usize = 512;

/// What is waited for. Its answer has found its place when it is ready.
type Question = Pin<Box<dyn Future<Output = ()>>>;

/// Suspends the evaluation it was made for.
pub(crate) struct Asker<'a>(&'a Yielder<(), Question>);

impl Asker<'_> {
    /// Leaves the evaluation until the question is answered. An error only if the question panicked.
    pub(crate) fn ask<T: 'static>(&self, question: impl Future<Output = T> + 'static) -> Result<T, Unanswered> {
        let place = Rc::new(Cell::new(None));
        let answer = place.clone();
        self.0.suspend(Box::pin(async move { place.set(Some(question.await)) }));
        answer.take().ok_or(Unanswered::Panicked)
    }
}

/// The value of a program, which is left at each of its questions.
pub(crate) fn evaluate(
    program: Arc<Checked>,
    variables: impl Variables + 'static,
    environment: Arc<Environment>,
) -> Suspended {
    let Some(stack) = take_stack() else { return Suspended { coroutine: None, question: None } };
    let coroutine = Coroutine::with_stack(stack, move |yielder, ()| {
        let asker = Asker(yielder);
        evaluate_node(&program.root, &variables, &environment, Some(&asker)).map_err(Fault::into_error)
    });
    Suspended { coroutine: Some(coroutine), question: None }
}

type Evaluation = Coroutine<(), Question, Result<Value, Error>, DefaultStack>;

/// An evaluation that may be in the middle of its expression. Dropping it gives up what it holds there.
pub(crate) struct Suspended {
    /// None when it is over, or could not begin.
    coroutine: Option<Evaluation>,
    question: Option<Question>,
}

impl Future for Suspended {
    type Output = Result<Value, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        loop {
            if let Some(question) = &mut self.question {
                // A question that panics has no answer, which is the fault of the function that asked.
                let polled = catch_unwind(AssertUnwindSafe(|| question.as_mut().poll(context)));
                if matches!(polled, Ok(Poll::Pending)) {
                    return Poll::Pending;
                }
                self.question = None;
            }
            let Some(coroutine) = &mut self.coroutine else { return Poll::Ready(Err(no_stack())) };
            match coroutine.resume(()) {
                CoroutineResult::Yield(question) => self.question = Some(question),
                CoroutineResult::Return(outcome) => {
                    self.give_back();
                    return Poll::Ready(outcome);
                }
            }
        }
    }
}

impl Suspended {
    fn give_back(&mut self) {
        if let Some(coroutine) = self.coroutine.take().filter(Coroutine::done) {
            keep_stack(coroutine.into_stack());
        }
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        if let Some(coroutine) = &mut self.coroutine {
            // What the expression holds is dropped by unwinding its stack up to its beginning.
            coroutine.force_unwind();
        }
        self.give_back();
    }
}

fn no_stack() -> Error {
    Error::new(Code::Service, "no memory for another evaluation that waits; let fewer wait at once", Span::default())
}

thread_local! {
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

fn take_stack() -> Option<DefaultStack> {
    let kept = STACKS.try_with(|stacks| stacks.borrow_mut().pop()).ok().flatten();
    kept.or_else(|| DefaultStack::new(STACK).ok())
}

fn keep_stack(stack: DefaultStack) {
    // At the end of a thread nothing is kept any more.
    let _ = STACKS.try_with(|stacks| {
        let mut stacks = stacks.borrow_mut();
        if stacks.len() < KEPT {
            stacks.push(stack);
        }
    });
}
