//! The client against a small server: what it sends, what it takes, and where it does not go.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::RestClient;
use super::guard::Resolve;
use crate::asking::CallThread;
use crate::services::rest::RestSettings;
use crate::services::{Failure, Outcome, Report, Services};
use crate::value::{Value, to_json};
use crate::{Compiler, Environment, Layers};

/// Keeps what was reported.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<(Outcome, String)>>>);

impl Report for Kept {
    fn failed(&self, _: &'static str, failure: &Failure) {
        self.0.lock().unwrap().push((failure.outcome, failure.message.clone()));
    }
}

/// A server that answers by path, and expressions that may ask it.
struct Bed {
    /// Runs the server.
    _world: CallThread,
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    reports: Kept,
    environment: Environment,
}

impl Bed {
    fn new(settings: Json) -> Bed {
        let world = CallThread::default();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = asked.clone();
        let port = world.wait(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, seen.clone(), port));
                }
            });
            port
        });
        let globals = json!({"stellar.rest.settings": settings});
        let settings = RestSettings::from_globals(globals.as_object().unwrap()).unwrap();
        let reports = Kept::default();
        let services = Services {
            rest: Some(Arc::new(RestClient::resolving(settings, Arc::new(AllHere)))),
            report: Some(Arc::new(reports.clone())),
            ..Services::default()
        };
        let environment = Environment { services, ..Environment::default() };
        Bed { _world: world, port: port.unwrap(), asked, reports, environment }
    }

    fn local(more: Json) -> Bed {
        let mut settings = json!({"hosts.allowed": ["127.0.0.1"], "timeout": 10_000});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Bed::new(settings)
    }

    /// The value of an expression in which `HOST` is the server.
    fn value(&self, expression: &str) -> Result<Value, String> {
        let expression = expression.replace("HOST", &format!("127.0.0.1:{}", self.port));
        let program = Compiler::default().compile(&expression).unwrap();
        program.evaluate(&Layers::default(), &self.environment).map_err(|error| error.message)
    }

    fn json(&self, expression: &str) -> Json {
        to_json(&self.value(expression).unwrap()).unwrap()
    }

    /// What was reported since the last time.
    fn told(&self) -> Vec<(Outcome, String)> {
        std::mem::take(&mut self.reports.0.lock().unwrap())
    }

    /// That the expression is null, and of what it was told.
    fn fails(&self, expression: &str) -> (Outcome, String) {
        assert_eq!(self.value(expression).map(|value| value.is_null()), Ok(true), "{expression}");
        let told = self.told();
        assert_eq!(told.len(), 1, "{expression}: {told:?}");
        told.into_iter().next().unwrap()
    }

    fn requests(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
            if body.len() >= length.sum::<usize>() {
                return Some(text);
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => bytes.extend(&buffer[..read]),
            _ => return None,
        }
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>, port: u16) {
    while let Some(request) = read_request(&mut stream).await {
        let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
        seen.lock().unwrap().push(request);
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let with =
            |status: &str, body: &str| format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let to = |place: String| format!("HTTP/1.1 302 Found\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n");
        let answer = match path {
            "/hello" => with("200 OK", r#"{"hello": "world", "n": 1}"#),
            "/empty" => with("200 OK", ""),
            "/text" => with("200 OK", "hello"),
            "/missing" => with("404 Not Found", r#"{"error": "none"}"#),
            "/large" => with("200 OK", &format!("\"{}\"", "x".repeat(5000))),
            "/chunked" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n".to_owned(),
            "/short" => "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{".to_owned(),
            "/around" => to("/around".into()),
            "/on" => to("/hello?on=1".into()),
            "/named" => to(format!("http://localhost:{port}/hello")),
            "/metadata" => to("http://169.254.169.254/latest".into()),
            "/file" => to("file:///etc/passwd".into()),
            // Neither answers nor ends.
            _ => std::future::pending().await,
        };
        let _ = stream.write_all(answer.as_bytes()).await;
        if path == "/short" {
            return;
        }
    }
}

#[test]
fn json_is_read_and_parameters_go_into_the_query() {
    let bed = Bed::local(json!({}));
    assert_eq!(bed.json("REST_GET('http://HOST/hello')"), json!({"hello": "world", "n": 1}));
    assert_eq!(bed.json("REST_GET('http://HOST/chunked')"), json!([1]));
    bed.json("REST_GET('http://HOST/hello?a=1&b=2', {}, {'b' : 'x y&z', 'n' : 5})");
    assert!(bed.requests()[2].starts_with("GET /hello?a=1&b=x+y%26z&n=5 HTTP/1.1\r\n"), "{}", bed.requests()[2]);
    bed.json("REST_POST('http://HOST/hello', {'a' : [1]}, {}, {'q' : 'r'})");
    let posted = &bed.requests()[3];
    assert!(posted.starts_with("POST /hello?q=r HTTP/1.1\r\n") && posted.ends_with("\r\n\r\n{\"a\":[1]}"), "{posted}");
    assert!(posted.to_lowercase().contains("content-type: application/json\r\n"), "{posted}");
    assert!(bed.told().is_empty());
}

#[test]
fn what_fails_is_null_and_told() {
    let bed = Bed::local(json!({"max.bytes": 4000}));
    assert_eq!(bed.fails("REST_GET('http://HOST/missing?secret=1')").0, Outcome::Status);
    assert_eq!(
        bed.json("REST_GET('http://HOST/missing', {'response.codes.allowed' : [404]})"),
        json!({"error": "none"})
    );
    assert_eq!(bed.fails("REST_GET('http://HOST/text')").0, Outcome::BadAnswer);
    assert_eq!(bed.fails("REST_GET('http://HOST/large')").0, Outcome::TooLarge);
    assert_eq!(bed.fails("REST_GET('http://HOST/short')").0, Outcome::Unreachable);
    assert_eq!(bed.fails("REST_GET('http://127.0.0.1:1/')").0, Outcome::Unreachable);
    let (_, message) = bed.fails("REST_GET('http://HOST/missing?secret=1')");
    assert!(message.contains("/missing: status 404 where 200 is allowed") && !message.contains("secret"), "{message}");
}

#[test]
fn empty_answers_and_failures_have_values_of_their_own() {
    let bed = Bed::local(json!({"error.value.override": {"failed": true}}));
    assert_eq!(bed.json("REST_GET('http://HOST/empty')"), Json::Null);
    assert_eq!(bed.json("REST_GET('http://HOST/empty', {'empty.content.override' : [1]})"), json!([1]));
    assert_eq!(bed.json("REST_GET('http://HOST/missing')"), json!({"failed": true}));
    assert_eq!(bed.json("REST_GET('http://HOST/missing', {'error.value.override' : 'none'})"), json!("none"));
    assert_eq!(bed.told().len(), 2);
    assert_eq!(bed.json("REST_GET('http://HOST/chunked', {'verify.content.length' : true})"), json!({"failed": true}));
    assert_eq!(
        bed.json("REST_GET('http://HOST/hello', {'verify.content.length' : true})"),
        json!({"hello": "world", "n": 1})
    );
}

#[test]
fn a_service_that_hangs_costs_its_time_and_no_more() {
    let bed = Bed::local(json!({}));
    for config in ["{'timeout' : 200}", "{'socket.timeout' : 200}"] {
        let start = Instant::now();
        assert_eq!(bed.fails(&format!("REST_GET('http://HOST/hang', {config})")).0, Outcome::Timeout);
        assert!(start.elapsed() < Duration::from_secs(5), "{config}");
    }
}

#[test]
fn redirections_are_followed_to_allowed_hosts_only_and_never_for_post() {
    let bed = Bed::local(json!({}));
    assert_eq!(bed.json("REST_GET('http://HOST/on')"), json!({"hello": "world", "n": 1}));
    let (outcome, message) = bed.fails("REST_GET('http://HOST/named')");
    assert_eq!(outcome, Outcome::Refused);
    assert!(message.contains("localhost") && message.contains("is not in hosts.allowed"), "{message}");
    assert_eq!(bed.fails("REST_GET('http://HOST/metadata')").0, Outcome::Refused);
    assert_eq!(bed.fails("REST_GET('http://HOST/file')").0, Outcome::Refused);
    assert_eq!(bed.fails("REST_GET('http://HOST/around')").0, Outcome::Status);
    assert_eq!(bed.fails("REST_POST('http://HOST/on', {})").0, Outcome::Status);
}

#[test]
fn a_host_that_is_listed_for_another_port_only_is_told_with_its_port() {
    let bed = Bed::new(json!({"hosts.allowed": ["127.0.0.1:1"]}));
    let (outcome, message) = bed.fails("REST_GET('http://127.0.0.1:2/hello')");
    assert_eq!(outcome, Outcome::Refused);
    assert!(message.contains("127.0.0.1:2 is not in hosts.allowed"), "{message}");
}

#[test]
fn a_text_that_is_no_url_gives_null_and_is_reported() {
    let bed = Bed::new(json!({"hosts.allowed": ["127.0.0.1"]}));
    for call in ["REST_GET('no url')", "REST_GET('data:x')", "REST_POST('//host/x', {})"] {
        assert_eq!(bed.fails(call).0, Outcome::Unreadable, "{call}");
    }
    let given = bed.value("REST_GET('no url', {'error.value.override' : 'none'})").unwrap();
    assert_eq!(given, Value::from("none"));
}

#[test]
fn nothing_is_asked_that_is_not_listed() {
    let off = Bed::new(json!({}));
    let error = off.value("REST_GET('http://HOST/hello')").unwrap_err();
    assert!(error.contains("hosts.allowed of stellar.rest.settings"), "{error}");
    let bed = Bed::new(json!({"hosts.allowed": ["api.example", "127.0.0.2"]}));
    for url in [
        "http://HOST/hello",
        "http://localhost/",
        "http://u:p@api.example/",
        "https://api.example/",
        "ftp://api.example/",
    ] {
        assert_eq!(bed.fails(&format!("REST_GET('{url}')")).0, Outcome::Refused, "{url}");
    }
    assert!(off.requests().is_empty() && bed.requests().is_empty());
    let named = Bed::new(json!({"hosts.allowed": ["localhost"]}));
    let found = named.json(&format!("REST_GET('http://localhost:{}/hello')", named.port));
    assert_eq!(found["n"], json!(1), "localhost itself says where it leads");
}

#[test]
fn a_listed_name_that_leads_to_this_machine_is_not_asked_unless_the_address_is_listed() {
    let url = |bed: &Bed| format!("REST_GET('http://api.example:{}/hello')", bed.port);
    let bed = Bed::new(json!({"hosts.allowed": ["api.example"], "timeout": 10_000}));
    let (outcome, message) = bed.fails(&url(&bed));
    assert!(outcome == Outcome::Refused && message.contains("api.example leads to 127.0.0.1"), "{message}");
    assert!(bed.requests().is_empty());
    let listed = Bed::new(json!({"hosts.allowed": ["api.example", "127.0.0.1"], "timeout": 10_000}));
    assert_eq!(listed.json(&url(&listed))["n"], json!(1));
    // The name, and not where it led, is what the server is told.
    assert!(listed.requests()[0].to_lowercase().contains("host: api.example:"), "{}", listed.requests()[0]);
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_build_without_https_says_how_to_get_it() {
    let bed = Bed::local(json!({}));
    let (outcome, message) = bed.fails("REST_GET('https://HOST/hello')");
    assert!(outcome == Outcome::Refused && message.contains("build it with --features tls"), "{message}");
}

/// Leads every name to this machine.
#[derive(Debug)]
struct AllHere;

#[async_trait]
impl Resolve for AllHere {
    async fn resolve(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![([127, 0, 0, 1], 0).into()])
    }
}

#[test]
fn passwords_come_from_files_and_stay_with_their_host() {
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, "se cret").unwrap();
    let bed = Bed::local(json!({
        "hosts.allowed": ["127.0.0.1", "localhost"], "basic.auth.user": "me", "basic.auth.password.path": password,
    }));
    bed.json("REST_GET('http://HOST/hello')");
    let authorization = "authorization: basic bwu6c2ugy3jldA==".to_lowercase();
    assert!(bed.requests()[0].to_lowercase().contains(&authorization), "{}", bed.requests()[0]);
    bed.json("REST_GET('http://HOST/named')");
    let on = bed.requests().pop().unwrap();
    assert!(on.to_lowercase().contains("host: localhost") && !on.to_lowercase().contains("authorization"), "{on}");
    let named = "{'basic.auth.user' : 'me', 'basic.auth.password.path' : '/etc/hostname'}";
    let error = bed.value(&format!("REST_GET('http://HOST/hello', {named})")).unwrap_err();
    assert!(error.contains("set passwords.dir"), "{error}");
    let bed = Bed::local(json!({"passwords.dir": dir.path()}));
    let outside = bed.fails(
        "REST_GET('http://HOST/hello', {'basic.auth.user' : 'me', 'basic.auth.password.path' : '/etc/hostname'})",
    );
    assert!(outside.0 == Outcome::Refused && outside.1.contains("is no file below"), "{}", outside.1);
    let inside = format!("{{'basic.auth.user' : 'me', 'basic.auth.password.path' : '{}'}}", password.display());
    bed.json(&format!("REST_GET('http://HOST/hello', {inside})"));
    assert!(bed.requests()[0].to_lowercase().contains(&authorization));
}

#[test]
fn a_proxy_is_asked_in_place_of_the_host_and_must_be_allowed_itself() {
    let bed = Bed::new(json!({"hosts.allowed": ["127.0.0.1", "api.example"], "timeout": 10_000}));
    let through = format!("{{'proxy.host' : '127.0.0.1', 'proxy.port' : {}}}", bed.port);
    let missing =
        bed.fails(&format!("REST_GET('http://api.example/x', {})", through.replace("127.0.0.1", "proxy.example")));
    assert!(missing.1.contains("proxy.example:"), "{}", missing.1);
    // The server does not know such targets, and hangs: what it was asked is all that counts.
    let short = through.replace('}', ", 'timeout' : 500}");
    assert_eq!(bed.fails(&format!("REST_GET('http://api.example/x', {short})")).0, Outcome::Timeout);
    let asked = &bed.requests()[0];
    assert!(asked.starts_with("GET http://api.example/x HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("host: api.example\r\n"), "{asked}");
}

#[test]
fn a_password_of_the_configuration_goes_to_no_proxy_that_an_expression_names() {
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, "secret").unwrap();
    let bed = Bed::local(json!({
        "proxy.host": "127.0.0.1", "proxy.port": 1, "proxy.basic.auth.user": "me", "proxy.basic.auth.password.path": password,
    }));
    let own = format!("{{'proxy.host' : '127.0.0.1', 'proxy.port' : {}, 'timeout' : 500}}", bed.port);
    assert_eq!(bed.fails(&format!("REST_GET('http://HOST/x', {own})")).0, Outcome::Timeout);
    let asked = bed.requests().pop().unwrap().to_lowercase();
    assert!(asked.starts_with("get http://") && !asked.contains("proxy-authorization"), "{asked}");
    for (half, missing) in [
        ("{'proxy.host' : '127.0.0.1'}", "without proxy.port"),
        ("{'basic.auth.user' : 'other'}", "without basic.auth.password.path"),
        ("{'proxy.basic.auth.user' : 'other'}", "without proxy.basic.auth.password.path"),
    ] {
        let error = bed.value(&format!("REST_GET('http://HOST/hello', {half})")).unwrap_err();
        assert!(error.contains(missing), "{error}");
    }
}

#[test]
fn settings_that_cant_be_used_are_refused() {
    let read = |settings: Json| {
        RestSettings::from_globals(json!({"stellar.rest.settings": settings}).as_object().unwrap())
            .map_err(|error| error.to_string())
    };
    assert!(read(json!({"pooling.max.total": 5, "connection.request.timeout": 5})).is_ok());
    for (bad, says) in [
        (json!({"time.out": 5}), "there is no such setting"),
        (json!({"timeout": 0}), "1 to 86400000"),
        (json!({"hosts.allowed": ["*"]}), "write HOST"),
        (json!({"hosts.allowed": "a"}), "no list of texts"),
        (json!({"response.codes.allowed": [20]}), "100 to 599"),
        (json!({"max.bytes": 1_u64 << 40}), "give 1 to"),
        (json!({"basic.auth.password.path": "hdfs://a/b"}), "no file of this machine"),
        (json!([]), "no JSON object"),
    ] {
        let error = read(bad).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
    let bed = Bed::local(json!({}));
    let error = bed.value("REST_GET('http://HOST/hello', {'hosts.allowed' : ['*']})").unwrap_err();
    assert!(error.contains("global.json only"), "{error}");
}
