//! Evaluations that wait: once for each question, many at once on one thread, cut off in the middle, and as deep as the limits let them.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Barrier;
use tokio::task::{LocalSet, yield_now};

use super::suspended::STACK;
use super::thread::Running;
use super::{CallThread, Unanswered};
use crate::function::{Arguments, Context, Doc, Function, Outcome, Purity, takes};
use crate::value::Value;
use crate::{Code, Compiler, Environment, Error, Program, SharedLayers, VariableMap};

/// What questions of a test do before they give back their argument.
#[derive(Clone)]
enum Doing {
    /// Are answered the second time that they are polled.
    Yielding,
    /// Wait until as many are asked at once.
    Meeting(Arc<Barrier>),
    /// Never end.
    Hanging,
    /// Are defective.
    Panicking,
}

struct Ask {
    doing: Doing,
    asked: Arc<Mutex<Vec<String>>>,
}

static ASK: Doc = Doc {
    name: "ASK",
    summary: "Asks, and gives its argument.",
    parameters: &[takes("anything", "what is given")],
    returns: "its argument",
    examples: &[],
    purity: Purity::Asking,
};

impl Function for Ask {
    fn doc(&self) -> &'static Doc {
        &ASK
    }

    fn call(&self, arguments: &Arguments<'_>, context: &mut Context<'_>) -> Outcome {
        let given = arguments.or_null(0).clone();
        self.asked.lock().unwrap().push(given.to_string());
        let doing = self.doing.clone();
        context.ask(async move {
            match doing {
                Doing::Yielding => yield_now().await,
                Doing::Meeting(barrier) => {
                    barrier.wait().await;
                }
                Doing::Hanging => pending().await,
                Doing::Panicking => panic!("as a defect would"),
            }
            given
        })
    }
}

/// Notes where on the stack it is called.
struct Probe(Arc<Mutex<Vec<usize>>>);

static PROBE: Doc = Doc {
    name: "PROBE",
    summary: "Notes where on the stack it is called.",
    parameters: &[takes("anything", "what is given")],
    returns: "its argument",
    examples: &[],
    purity: Purity::Ambient,
};

impl Function for Probe {
    fn doc(&self) -> &'static Doc {
        &PROBE
    }

    fn call(&self, arguments: &Arguments<'_>, _: &mut Context<'_>) -> Outcome {
        let local = 0_u8;
        self.0.lock().unwrap().push(std::ptr::from_ref(&local).addr());
        Ok(arguments.or_null(0).clone())
    }
}

/// Compiles expressions that may call ASK and PROBE.
struct Bed {
    compiler: Compiler,
    asked: Arc<Mutex<Vec<String>>>,
    places: Arc<Mutex<Vec<usize>>>,
}

impl Bed {
    fn new(doing: Doing) -> Bed {
        let mut compiler = Compiler::default();
        let (asked, places) = (Arc::default(), Arc::default());
        compiler.functions.register(Arc::new(Ask { doing, asked: Arc::clone(&asked) }));
        compiler.functions.register(Arc::new(Probe(Arc::clone(&places))));
        Bed { compiler, asked, places }
    }

    fn program(&self, expression: &str) -> Program {
        self.compiler.compile(expression).unwrap()
    }

    /// How much of the stack lay between the calls of PROBE that were farthest from each other in any one evaluation; the first of each is near its start.
    fn used(&self) -> usize {
        let places = self.places.lock().unwrap();
        places.iter().max().unwrap() - places.iter().min().unwrap()
    }

    fn suspended(&self, expression: &str, variables: SharedLayers) -> Result<Value, Error> {
        let program = self.program(expression);
        runtime().block_on(program.evaluate_asking(variables, &Arc::default()))
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn nested(depth: usize, open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn each_question_is_asked_once_also_in_lambdas_and_nothing_before_it_is_evaluated_again() {
    let expression = "MAP([1, 2, 3], x -> ASK(LIST_ADD(seen, x)) == null or ASK(x) == x)";
    for blocking in [true, false] {
        let bed = Bed::new(Doing::Yielding);
        let seen = Value::list([]);
        let variables = SharedLayers::new([Arc::new(VariableMap::from_iter([("seen", seen.clone())]))]);
        let value = match blocking {
            true => bed.program(expression).evaluate(&variables, &Environment::default()).unwrap(),
            false => bed.suspended(expression, variables).unwrap(),
        };
        assert_eq!(value.to_string(), "[true, true, true]");
        assert_eq!(seen.to_string(), "[1, 2, 3]");
        assert_eq!(*bed.asked.lock().unwrap(), ["[1]", "1", "[1, 2]", "2", "[1, 2, 3]", "3"]);
    }
}

#[test]
fn a_thousand_evaluations_wait_on_one_thread() {
    const MANY: usize = 1_000;
    let bed = Bed::new(Doing::Meeting(Arc::new(Barrier::new(MANY))));
    let program = Arc::new(bed.program("x + ASK(x)"));
    let environment = Arc::new(Environment::default());
    let answers = LocalSet::new().block_on(&runtime(), async {
        let waiting = (0..1_000).map(|x| {
            let (program, environment) = (program.clone(), environment.clone());
            let variables = SharedLayers::new([Arc::new(VariableMap::from_iter([("x", Value::Int(x))]))]);
            tokio::task::spawn_local(async move { program.evaluate_asking(variables, &environment).await.unwrap() })
        });
        let mut answers = Vec::new();
        for waiting in waiting.collect::<Vec<_>>() {
            answers.push(waiting.await.unwrap());
        }
        answers
    });
    assert_eq!(answers, (0..1_000).map(|x| Value::Int(2 * x)).collect::<Vec<_>>());
}

#[test]
fn an_evaluation_that_is_dropped_gives_up_what_it_holds() {
    let bed = Bed::new(Doing::Hanging);
    let program = bed.program("MAP([1], x -> [x, ASK(x)])");
    let environment: Arc<Environment> = Arc::default();
    runtime().block_on(async {
        for started in [false, true] {
            let message = Arc::new(VariableMap::default());
            let mut evaluation = Box::pin(program.evaluate_asking(SharedLayers::new([message.clone()]), &environment));
            if started {
                let asked = async {
                    while bed.asked.lock().unwrap().is_empty() {
                        yield_now().await;
                    }
                };
                tokio::select! {
                    biased;
                    _ = &mut evaluation => unreachable!("it hangs"),
                    () = asked => {}
                }
                assert_eq!(Arc::strong_count(&environment), 2);
            }
            drop(evaluation);
            assert_eq!((Arc::strong_count(&message), Arc::strong_count(&environment)), (1, 1));
        }
    });
}

#[test]
fn a_question_that_panics_is_an_error_of_the_expression() {
    let bed = Bed::new(Doing::Panicking);
    let blocking = bed.program("ASK(1)").evaluate(&SharedLayers::default(), &Environment::default());
    for outcome in [blocking, bed.suspended("ASK(1)", SharedLayers::default())] {
        let error = outcome.unwrap_err();
        assert_eq!(error.code, Code::Service);
        assert_eq!(error.message, "ASK: the question panicked");
    }
}

#[test]
fn what_asks_nobody_is_evaluated_without_waiting() {
    let bed = Bed::new(Doing::Hanging);
    assert_eq!(bed.suspended("1 + 1", SharedLayers::default()), Ok(Value::Int(2)));
    assert!(!bed.program("1 + 1").asks());
    assert!(bed.program("MAP([1], x -> if false then ASK(x) else 1)").asks());
}

#[test]
fn what_can_never_be_waited_for_ends() {
    let thread = Arc::new(CallThread::default());
    let inside = thread.clone();
    assert!(matches!(thread.wait(async move { inside.wait(async { 1 }) }), Ok(Err(Unanswered::OnTheThread))));
    assert!(matches!(thread.wait::<()>(async { panic!("as a defect would") }), Err(Unanswered::Panicked)));
    assert_eq!(thread.wait(async { 2 }).unwrap(), 2);
}

#[test]
fn a_thread_that_could_not_start_is_tried_again_and_says_why_it_could_not() {
    static TRIED: AtomicUsize = AtomicUsize::new(0);
    let thread = CallThread::started_by(|| match TRIED.fetch_add(1, Ordering::Relaxed) {
        0 => Err(std::io::Error::other("too many threads")),
        _ => Running::start(),
    });
    let error = thread.wait(async { 1 }).unwrap_err().to_string();
    assert!(error.contains("too many threads"), "{error}");
    assert_eq!(thread.wait(async { 1 }).unwrap(), 1);
    assert_eq!((thread.wait(async { 2 }).unwrap(), TRIED.load(Ordering::Relaxed)), (2, 2));
}

/// A chain of lambdas that call each other, each nested this deep, in an expression that is itself about as deep as is allowed.
fn tower(levels: usize, leaf: &str) -> String {
    let link = nested(levels, "[", "MAP([y], f)", "]");
    let last = nested(levels, "[", leaf, "]");
    let chain = format!("MAP([1], REDUCE(links, (f, x) -> (y -> {link}), z -> {last}))");
    format!("[PROBE(0), {}]", nested(50 - levels.min(50), "[", &chain, "]"))
}

/// What functions may need most of the stack for.
const LEAVES: [&str; 5] =
    ["1", "SET_INIT([deep, other])", "TO_JSON_OBJECT(json)", "REGEXP_MATCH('a', pattern)", "TO_STRING(deep)"];

fn deep_variables(links: i32) -> SharedLayers {
    let deep = || (0..1_000).fold(Value::from(1), |value, _| Value::list([value]));
    let variables = VariableMap::from_iter([
        ("links", Value::list((0..links).map(Value::Int))),
        ("deep", deep()),
        ("other", deep()),
        ("json", Value::from(nested(120, "[", "1", "]"))),
        ("pattern", Value::from(format!(r"{}a{}\1", "(".repeat(58), "|b{2,5})*".repeat(58)))),
    ]);
    SharedLayers::new([Arc::new(variables)])
}

#[test]
fn the_deepest_evaluation_there_can_be_uses_half_of_its_stack() {
    for levels in [0, 1, 3, 10, 20, 40, 50] {
        for leaf in LEAVES {
            let bed = Bed::new(Doing::Yielding);
            let expression = tower(levels, &format!("PROBE(ASK({leaf}))"));
            let evaluate = |links| bed.suspended(&expression, deep_variables(links));
            let (mut runs, mut refused) = (0, 300);
            assert_eq!(evaluate(refused).unwrap_err().code, Code::TooManySteps);
            while refused - runs > 1 {
                let middle = i32::midpoint(runs, refused);
                match evaluate(middle) {
                    Ok(_) => runs = middle,
                    Err(error) => {
                        assert_eq!(error.code, Code::TooManySteps, "{error}");
                        refused = middle;
                    }
                }
            }
            assert!(runs >= 1 && !bed.asked.lock().unwrap().is_empty());
            let used = bed.used();
            assert!(used < STACK / 2, "{used} bytes with {levels} levels");
        }
    }
}

#[test]
fn a_function_uses_less_than_the_other_half_of_the_stack() {
    for leaf in LEAVES {
        let program = Compiler::default().compile(leaf).unwrap();
        let evaluate = move || program.evaluate(&deep_variables(1), &Environment::default()).map(drop);
        // One that needs more ends the process.
        let thread = std::thread::Builder::new().stack_size(STACK / 2).spawn(evaluate).unwrap();
        assert!(thread.join().is_ok(), "{leaf}");
    }
}
