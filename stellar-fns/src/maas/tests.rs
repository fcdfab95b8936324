//! The functions over the memory tree and models played by small HTTP servers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use maas_client::config::Roots;
use maas_client::tree::memory::{MemoryServer, MemoryTree};
use maas_client::tree::{Access, Mode, TreeExt};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use super::{Failure, Models, Report, Settings};
use crate::asking::CallThread;
use crate::value::{Value, to_json};
use crate::{Compiler, Environment, Layers, VariableMap};

/// Keeps what was reported, a line each.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Report for Kept {
    fn failed(&self, function: &'static str, failure: &Failure) {
        self.0.lock().unwrap().push(format!("{function} {}: {failure}", failure.outcome));
    }
}

/// A registry with models, and expressions that ask for them.
struct Bed {
    /// Where models and runners live.
    world: CallThread,
    runners: Arc<MemoryTree>,
    server: MemoryServer,
    reports: Kept,
    asked: Arc<Mutex<Vec<String>>>,
    environment: Environment,
}

impl Bed {
    fn new() -> Bed {
        Bed::with(&Settings { cache_ttl_ms: 0, ..Settings::default() })
    }

    fn with(settings: &Settings) -> Bed {
        let server = MemoryServer::new();
        let (runners, client) = (server.session(), server.session());
        let world = CallThread::default();
        let made = runners.clone();
        let ready = world.wait(async move {
            let roots = Roots::default();
            made.ensure_path(&roots.services, Access::WorldReads).await.unwrap();
            made.ensure_path(&roots.models(), Access::WorldReads).await.unwrap();
        });
        ready.unwrap();
        let reports = Kept::default();
        let home = world.wait(async { Handle::current() }).unwrap();
        let models = Models::new(home, client, Roots::default(), settings, Box::new(reports.clone())).unwrap();
        let environment = Environment { models: Some(Arc::new(models)), ..Environment::default() };
        Bed { world, runners, server, reports, asked: Arc::default(), environment }
    }

    /// Starts an instance that answers every request with this body; gives its url.
    fn serve(&self, model: &str, version: &str, id: &str, body: &str) -> String {
        let (asked, body) = (self.asked.clone(), body.to_owned());
        let started = self.world.wait(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(answer(stream, asked.clone(), body.clone()));
                }
            });
            url
        });
        let url = started.unwrap();
        self.register(model, version, id, &url);
        url
    }

    fn register(&self, model: &str, version: &str, id: &str, url: &str) {
        let bytes = format!(
            r#"{{"name":"{model}","id":"{id}","address":"h","port":1,"sslPort":null,"payload":{{"@class":"org.apache.metron.maas.config.ModelEndpoint","endpoint":{{"url":"{url}","functions":{{"apply":"score","explain":"v2/why"}}}},"name":"{model}","version":"{version}","containerId":"{id}"}},"registrationTimeUTC":1,"serviceType":"DYNAMIC","uriSpec":null}}"#
        );
        let (roots, runners) = (Roots::default(), self.runners.clone());
        let (service, path) = (roots.service(model), roots.registration(model, id));
        let registered = self.world.wait(async move {
            runners.ensure_path(&service, Access::WorldReads).await.unwrap();
            runners.create(&path, bytes.into(), Mode::Ephemeral, Access::WorldReads).await.unwrap();
        });
        registered.unwrap();
    }

    fn value(&self, expression: &str) -> Value {
        let compiler = Compiler::default();
        let variables = VariableMap::from_iter([("nothing", Value::Null)]);
        let program = compiler.compile(expression).unwrap();
        program.evaluate(&Layers::new([&variables]), &self.environment).unwrap()
    }

    fn json(&self, expression: &str) -> Json {
        to_json(&self.value(expression)).unwrap()
    }

    /// What was reported since it was last asked for.
    fn reported(&self) -> Vec<String> {
        std::mem::take(&mut *self.reports.0.lock().unwrap())
    }

    /// The targets models were asked for since it was last asked for.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

async fn answer(mut stream: TcpStream, asked: Arc<Mutex<Vec<String>>>, body: String) {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8(bytes.drain(..end).collect()).unwrap();
        asked.lock().unwrap().push(head.split(' ').nth(1).unwrap_or_default().to_owned());
        let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

const GOOD: &str = r#"{"is_malicious":"legit","score":1,"big":3000000000,"why":[{"a":null}]}"#;

#[test]
fn an_endpoint_is_a_map_of_the_newest_version_by_natural_order() {
    let bed = Bed::new();
    bed.register("dga", "9.0", "a", "http://h:1");
    bed.register("dga", "10.0", "b", "http://h:2");
    let expected = json!({
        "name": "dga", "version": "10.0", "url": "http://h:2", "endpoint:apply": "score", "endpoint:explain": "v2/why"
    });
    assert_eq!(bed.json("MAAS_GET_ENDPOINT('dga')"), expected);
    assert_eq!(bed.json("MAAS_GET_ENDPOINT('dga', nothing)"), expected);
    assert_eq!(bed.json("MAP_GET('url', MAAS_GET_ENDPOINT('dga', '9.0'))"), json!("http://h:1"));
    assert_eq!(bed.json("MAP_GET('url', MAAS_GET_ENDPOINT('dga', 9.0))"), json!("http://h:1"));
    assert!(bed.reported().is_empty());
}

#[test]
fn no_endpoint_is_null_and_says_why() {
    let bed = Bed::new();
    bed.register("dga", "1.0", "a", "http://h:1");
    for (expression, reason) in [
        ("MAAS_GET_ENDPOINT('other')", "no_endpoint: no endpoint of other is registered; see maas_deploy list"),
        ("MAAS_GET_ENDPOINT('dga', '1.1')", "no_endpoint: dga has no version 1.1; it has 1.0"),
        ("MAAS_GET_ENDPOINT('a/b')", "no_endpoint: "),
        ("MAAS_GET_ENDPOINT(nothing)", "no_endpoint: the name is null"),
    ] {
        assert_eq!(bed.value(expression), Value::Null);
        let reported = bed.reported();
        assert_eq!(reported.len(), 1, "{reported:?}");
        assert!(reported[0].starts_with(&format!("MAAS_GET_ENDPOINT {reason}")), "{reported:?}");
    }
}

#[test]
fn an_answer_is_a_map_with_the_types_of_the_language() {
    let bed = Bed::new();
    bed.serve("dga", "1.0", "a", GOOD);
    let expression = "MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'host' : 'yahoo.com'})";
    assert_eq!(bed.json(expression), serde_json::from_str::<Json>(GOOD).unwrap());
    assert_eq!(bed.value(&format!("MAP_GET('score', {expression})")).type_name(), "int");
    assert_eq!(bed.value(&format!("MAP_GET('big', {expression})")).type_name(), "long");
    assert!(bed.reported().is_empty());
}

#[test]
fn arguments_of_any_type_become_query_parameters() {
    let bed = Bed::new();
    bed.serve("dga", "1.0", "a", GOOD);
    bed.value("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'h' : 'a b&c/ü', 'n' : 1.5, 'i' : 3L, 'b' : true, 'none' : nothing, 'l' : [1, 'x'], 'm' : {'k' : SET_INIT([2])}})");
    let asked = bed.asked();
    let (path, query) = asked[0].split_once('?').unwrap();
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    assert_eq!(path, "/score");
    assert_eq!(
        pairs,
        ["b=true", "h=a%20b%26c%2F%C3%BC", "i=3", "l=%5B1%2C%22x%22%5D", "m=%7B%22k%22%3A%5B2%5D%7D", "n=1.5"]
    );
}

#[test]
fn the_function_that_the_caller_names_wins() {
    let bed = Bed::new();
    bed.serve("dga", "1.0", "a", GOOD);
    for (arguments, path) in
        [("{}", "/score"), ("'apply', {}", "/score"), ("'explain', {}", "/v2/why"), ("'x', {}", "/x")]
    {
        bed.value(&format!("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {arguments})"));
        assert_eq!(bed.asked(), [path]);
    }
}

#[test]
fn calls_go_to_the_endpoint_that_was_drawn_and_draws_are_uniform() {
    let bed = Bed::new();
    for id in ["a", "b"] {
        bed.serve("dga", "1.0", id, &format!(r#"{{"id":"{id}"}}"#));
    }
    let mut counts: HashMap<String, f64> = HashMap::new();
    for _ in 0..2_000 {
        let url = bed.json("MAP_GET('url', MAAS_GET_ENDPOINT('dga'))");
        *counts.entry(url.as_str().unwrap().to_owned()).or_default() += 1.0;
    }
    // 10.8 is the 0.999 quantile of chi-square with one degree of freedom.
    let chi_square: f64 = counts.values().map(|count| (count - 1_000.0).powi(2) / 1_000.0).sum();
    assert!(counts.len() == 2 && chi_square < 10.8, "{counts:?}");
    let compiler = Compiler::default();
    let program = compiler.compile("MAP_GET('id', MAAS_MODEL_APPLY(endpoint, {}))").unwrap();
    let endpoint = bed.value("MAAS_GET_ENDPOINT('dga')");
    let variables = VariableMap::from_iter([("endpoint", endpoint)]);
    let ask = || program.evaluate(&Layers::new([&variables]), &bed.environment).unwrap();
    let first = ask();
    assert!((0..20).all(|_| ask().as_text() == first.as_text()), "one endpoint, one instance");
}

#[test]
fn a_dead_instance_is_not_the_end() {
    let bed = Bed::new();
    // Nobody listens on the discard port of this machine.
    bed.register("dga", "1.0", "dead", "http://127.0.0.1:9");
    let url = bed.serve("dga", "1.0", "a", GOOD);
    let dead = "{'name' : 'dga', 'version' : '1.0', 'url' : 'http://127.0.0.1:9'}";
    for endpoint in [dead, "{'name' : 'dga', 'url' : 'http://gone:1'}", "{'name' : 'dga'}"] {
        let answer = bed.json(&format!("MAP_GET('is_malicious', MAAS_MODEL_APPLY({endpoint}, {{}}))"));
        assert_eq!(answer, json!("legit"), "{endpoint} instead of {url}");
    }
    assert!(bed.reported().is_empty());
}

#[test]
fn a_failed_call_is_null_and_says_why() {
    let bed = Bed::new();
    bed.serve("list", "1.0", "a", "[1]");
    bed.register("dead", "1.0", "a", "http://127.0.0.1:9");
    for (arguments, reason) in [
        ("MAAS_GET_ENDPOINT('list'), {}", "bad_answer: list 1.0 at http://"),
        ("MAAS_GET_ENDPOINT('dead'), {}", "refused: dead 1.0 at http://127.0.0.1:9/score: "),
        ("{'name' : 'none', 'version' : '1.0', 'url' : 'http://h'}, {}", "no_endpoint: no endpoint of none"),
        ("nothing, {}", "no_endpoint: the endpoint is null, not a map"),
        ("'dga', {}", "no_endpoint: the endpoint is string, not a map"),
        ("{'url' : 'http://h'}, {}", "no_endpoint: the endpoint has no name"),
        ("MAAS_GET_ENDPOINT('dead'), nothing", "refused: the arguments are null, not a map"),
        ("MAAS_GET_ENDPOINT('dead'), 'apply'", "refused: the arguments are null, not a map"),
    ] {
        assert_eq!(bed.value(&format!("MAAS_MODEL_APPLY({arguments})")), Value::Null);
        let reported = bed.reported();
        assert_eq!(reported.len(), 1, "{reported:?}");
        assert!(reported[0].starts_with(&format!("MAAS_MODEL_APPLY {reason}")), "{reported:?}");
    }
}

#[test]
fn the_same_question_is_asked_once_while_the_cache_is_on() {
    let bed = Bed::with(&Settings::default());
    bed.serve("dga", "1.0", "a", GOOD);
    for _ in 0..3 {
        bed.value("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'host' : 'a', 'n' : 1})");
        bed.value("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'n' : 1, 'host' : 'a'})");
    }
    assert_eq!(bed.asked().len(), 1);
    bed.value("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {'host' : 'b', 'n' : 1})");
    assert_eq!(bed.asked().len(), 1);
}

#[test]
fn with_details_answers_name_their_source_and_failures_are_maps() {
    let bed = Bed::with(&Settings { detail: true, ..Settings::default() });
    let url = bed.serve("dga", "1.0", "a", r#"{"x":1}"#);
    let mut answers = [(); 2].map(|()| bed.json("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {})"));
    for (answer, cached) in answers.iter_mut().zip([false, true]) {
        assert!(answer["maas"]["latency_ms"].take().is_u64());
        let source = json!({
            "model": "dga", "version": "1.0", "instance": "a", "url": url, "latency_ms": null, "cached": cached
        });
        assert_eq!(*answer, json!({"x": 1, "maas": source}));
    }
    let refused = bed.json("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('none'), {})");
    assert_eq!(refused, json!({"maas": {"error": "no_endpoint", "message": "the endpoint is null, not a map"}}));
    assert_eq!(bed.reported().len(), 2, "null of the one, a failure of the other");
}

#[test]
fn a_model_that_hangs_ends_in_null_within_the_time_allowed() {
    let bed = Bed::with(&Settings { timeout_ms: 60, retries: 0, ..Settings::default() });
    let listening = bed.world.wait(async { TcpListener::bind("127.0.0.1:0").await.unwrap() }).unwrap();
    bed.register("dga", "1.0", "a", &format!("http://{}", listening.local_addr().unwrap()));
    assert_eq!(bed.value("MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {})"), Value::Null);
    let reported = bed.reported();
    assert!(reported[0].starts_with("MAAS_MODEL_APPLY timeout: dga 1.0 at http://"), "{reported:?}");
}

#[test]
fn expressions_can_be_evaluated_inside_a_runtime_and_by_many_threads() {
    let bed = Bed::new();
    bed.serve("dga", "1.0", "a", GOOD);
    let expression = "MAP_GET('is_malicious', MAAS_MODEL_APPLY(MAAS_GET_ENDPOINT('dga'), {}))";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { assert_eq!(bed.json(expression), json!("legit")) });
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(bed.json(expression), json!("legit"))));
        }
    });
}

#[test]
fn without_anyone_to_ask_an_expression_is_in_error() {
    let program = Compiler::default().compile("MAAS_GET_ENDPOINT('dga')").unwrap();
    let error = program.evaluate(&Layers::default(), &Environment::default()).unwrap_err();
    assert_eq!(error.code, crate::Code::NoZookeeper);
}

#[test]
fn endpoints_that_go_are_not_given_any_more() {
    let bed = Bed::new();
    bed.register("dga", "1.0", "a", "http://h:1");
    assert_ne!(bed.value("MAAS_GET_ENDPOINT('dga')"), Value::Null);
    let (runners, path) = (bed.runners.clone(), Roots::default().registration("dga", "a"));
    bed.world.wait(async move { runners.delete_if_exists(&path, None).await.unwrap() }).unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while bed.value("MAAS_GET_ENDPOINT('dga')") != Value::Null {
        assert!(std::time::Instant::now() < until, "still given");
        std::thread::yield_now();
    }
    drop(bed.server);
}
