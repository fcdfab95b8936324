//! What each path answers: bodies, problems, headers, metrics, description, console.

use super::site::Site;
use crate::clock::Moment;
use crate::fixture::{event, leader, leading, model, time};
use crate::view::{Role, View};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use maas_client::config::Roots;
use maas_client::request::Action;
use maas_client::state::{Outcome, RequestRecord};
use maas_client::tree::{Access, Mode, TreeExt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Every path with its methods.
const PATHS: &[(&str, &[&str])] = &[
    ("/", &["get"]),
    ("/healthz", &["get"]),
    ("/readyz", &["get"]),
    ("/metrics", &["get"]),
    ("/openapi.json", &["get"]),
    ("/api/v1/status", &["get"]),
    ("/api/v1/models", &["get"]),
    ("/api/v1/models/{name}/{version}", &["get"]),
    ("/api/v1/instances", &["get"]),
    ("/api/v1/instances/{id}", &["get"]),
    ("/api/v1/instances/{id}/logs", &["get"]),
    ("/api/v1/requests", &["get"]),
    ("/api/v1/requests/{id}", &["get"]),
    ("/api/v1/events", &["get"]),
    ("/api/v1/capacity", &["get"]),
    ("/api/v1/reach", &["get"]),
    ("/api/v1/plan", &["post", "put"]),
];

fn standby() -> View {
    View { role: Role::Standby { leader: Some(leader()) }, connected: true, ..View::empty(Moment::default()) }
}

fn request_record(id: &str, outcome: Outcome) -> RequestRecord {
    RequestRecord {
        id: id.into(),
        action: Action::Add,
        name: "dga".parse().unwrap(),
        version: "1.0".parse().unwrap(),
        num_instances: 1,
        outcome,
        code: None,
        reason: String::new(),
        before: 0,
        after: 1,
        duplicate_of: None,
        time: time(),
        by: None,
    }
}

async fn put_request(site: &Site, record: &RequestRecord) {
    let roots = Roots::default();
    site.tree.ensure_path(&roots.requests(), Access::WorldReads).await.unwrap();
    let data = serde_json::to_vec(record).unwrap();
    site.tree.create(&roots.request(&record.id), data, Mode::Persistent, Access::WorldReads).await.unwrap();
}

#[tokio::test]
async fn models_come_with_state_reason_and_instances() {
    let site = Site::over(leading());
    let models = site.get("/api/v1/models").await.json();
    insta::assert_json_snapshot!("models", models);
    let one = site.get("/api/v1/models/dga/1.0").await.json();
    assert_eq!(one, models[0]);
}

#[tokio::test]
async fn unknown_and_ill_formed_names_are_problems_that_help() {
    let site = Site::over(leading());
    let answer = site.get("/api/v1/models/dgb/1.0").await;
    assert_eq!(answer.problem(), (404, "no_model".to_string()));
    assert!(answer.text.contains("did you mean dga?"), "{}", answer.text);
    let answer = site.get("/api/v1/models/dga/1.1").await;
    assert_eq!(answer.problem(), (404, "no_version".to_string()));
    assert!(answer.text.contains("dga has no version 1.1; it has 1.0"), "{}", answer.text);
    assert_eq!(site.get("/api/v1/models/my%20model/1").await.problem(), (400, "bad_name".to_string()));
    assert_eq!(site.get("/api/v1/instances/%24(x)").await.problem(), (404, "no_instance".to_string()));
    assert_eq!(site.get("/api/v1/instances?name=a%2Fb").await.problem(), (400, "usage".to_string()));
    assert_eq!(site.get("/api/v2").await.problem(), (404, "usage".to_string()));
    let delete = Request::delete("/api/v1/models").body(Body::empty()).unwrap();
    assert_eq!(site.send(delete, "127.0.0.1").await.problem(), (405, "usage".to_string()));
}

#[tokio::test]
async fn what_is_refused_before_any_handler_is_a_problem_too() {
    let site = Site::over(leading());
    for path in ["models/%FF/1", "models/dga/%FF", "instances/%FF", "instances/%FF/logs", "requests/%FF"] {
        assert_eq!(site.get(&format!("/api/v1/{path}")).await.problem(), (400, "usage".to_string()), "{path}");
    }
    let answer = site.get("/api/v1/instances/3-2-aaaa/logs?tail=x").await;
    assert_eq!(answer.problem(), (400, "usage".to_string()));
    assert!(answer.text.contains("the query can't be used: tail: invalid digit"), "{}", answer.text);
    let body = Body::from("x".repeat(100_000));
    let answer = site.send(Request::post("/api/v1/plan").body(body).unwrap(), "127.0.0.1").await;
    assert_eq!(answer.problem(), (413, "bad_request".to_string()));
}

#[tokio::test]
async fn without_zookeeper_what_needs_it_says_so_at_once() {
    let site = Site::over(leading());
    site.session.disconnect();
    for path in ["/api/v1/requests", "/api/v1/requests/qn-0000000009-9", "/api/v1/reach?name=dga&id=3-2-aaaa"] {
        let answer = site.get(path).await;
        assert_eq!(answer.problem(), (503, "zookeeper_unreachable".to_string()), "{path}");
        assert!(answer.text.contains("zk:2181"), "{}", answer.text);
    }
    assert_eq!(site.get("/api/v1/status").await.status, StatusCode::OK, "the leader knows most itself");
    site.view.send_replace(Arc::new(standby()));
    assert_eq!(site.get("/api/v1/models").await.problem(), (503, "zookeeper_unreachable".to_string()));
}

#[tokio::test]
async fn instances_can_be_chosen_by_model_and_version() {
    let site = Site::over(leading());
    let ids = |value: Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_string()).collect()
    };
    let all = ids(site.get("/api/v1/instances").await.json());
    assert_eq!(all, ["3-2-aaaa", "3-3-bbbb", "3-1-dead", "2"]);
    assert_eq!(ids(site.get("/api/v1/instances?name=old&version=0.9").await.json()), ["2"]);
    assert!(ids(site.get("/api/v1/instances?name=old&version=1").await.json()).is_empty());
    let dead = site.get("/api/v1/instances/3-1-dead").await.json();
    assert_eq!((&dead["exit_code"], &dead["reason_code"]), (&json!(3), &json!("script_exited")));
}

#[tokio::test]
async fn every_answer_has_the_epoch_and_a_standby_knows_the_leaders() {
    let site = Site::over(leading());
    for path in ["/", "/healthz", "/nothing", "/api/v1/models", "/metrics"] {
        assert_eq!(site.get(path).await.epoch.as_deref(), Some("3"), "{path}");
    }
    site.view.send_replace(Arc::new(standby()));
    assert_eq!(site.get("/readyz").await.epoch.as_deref(), Some("3"));
    site.view.send_replace(Arc::new(View::empty(Moment::default())));
    assert_eq!(site.get("/readyz").await.epoch.as_deref(), Some("0"));
}

#[tokio::test]
async fn ready_means_leading_and_connected_else_the_reason_and_since_when() {
    let site = Site::over(leading());
    assert_eq!(site.get("/readyz").await.json()["status"], "ready");
    assert_eq!(site.get("/healthz").await.json()["status"], "ok");
    site.view.send_replace(Arc::new(View { connected: false, ..leading() }));
    let answer = site.get("/readyz").await;
    assert_eq!(answer.problem(), (503, "zookeeper_unreachable".to_string()));
    assert!(answer.text.contains("since 2026-03-01T10:00:00.5Z"), "{}", answer.text);
    site.view.send_replace(Arc::new(standby()));
    let answer = site.get("/readyz").await;
    assert_eq!(answer.problem(), (503, "another_leads".to_string()));
    assert!(answer.text.contains("node1 with pid 7 leads"), "{}", answer.text);
    assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_standby_answers_from_zookeeper_and_sends_questions_of_room_to_the_leader() {
    let site = Site::over(standby());
    assert_eq!(site.get("/api/v1/models").await.json(), json!([]));
    assert_eq!(site.get("/api/v1/events").await.json(), json!([]));
    assert_eq!(site.get("/api/v1/status").await.json()["zookeeper"], "zk:2181");
    let answer = site.get("/api/v1/capacity").await;
    assert_eq!(answer.problem(), (503, "another_leads".to_string()));
    assert!(answer.text.contains("http://127.0.0.1:8000 on node1"), "{}", answer.text);
}

#[tokio::test]
async fn the_service_as_a_whole_counts_by_state() {
    let site = Site::over(leading());
    site.events.push(event(1, "LeaderElected", None));
    let status = site.get("/api/v1/status").await.json();
    assert_eq!(status["models"], json!({ "Degraded": 1, "Ready": 1, "Starting": 1 }));
    assert_eq!(status["instances"], json!({ "Ready": 2, "Starting": 1 }));
    assert_eq!((&status["queue_length"], &status["leader"]["pid"]), (&json!(2), &json!(7)));
    assert_eq!(status["capacity"], site.get("/api/v1/capacity").await.json());
    assert_eq!(status["events"][0]["kind"], "LeaderElected");
}

#[tokio::test]
async fn events_come_oldest_first_after_an_id_and_by_model() {
    let site = Site::over(leading());
    let dga = model("dga", "1.0");
    for (sequence, of) in [(1, None), (2, Some(&dga)), (3, Some(&dga)), (4, None)] {
        site.events.push(event(sequence, "InstanceReady", of));
    }
    let ids = |value: Value| -> Vec<u64> {
        let of = |one: &Value| one["id"].as_str().unwrap().split('-').nth(1).unwrap().parse().unwrap();
        value.as_array().unwrap().iter().map(of).collect()
    };
    assert_eq!(ids(site.get("/api/v1/events").await.json()), [1, 2, 3, 4]);
    assert_eq!(ids(site.get("/api/v1/events?name=dga&version=1.0").await.json()), [2, 3]);
    assert_eq!(ids(site.get("/api/v1/events?after=000003-00000002").await.json()), [3, 4]);
    assert_eq!(ids(site.get("/api/v1/events?limit=1").await.json()), [4]);
    let next = site.get("/api/v1/events?after=000003-00000001&limit=2").await.json();
    assert_eq!(ids(next), [2, 3], "who reads on from the last it knows misses none");
    assert_eq!(site.get("/api/v1/events?after=zzz").await.problem(), (400, "usage".to_string()));
}

#[tokio::test]
async fn requests_come_in_the_order_of_their_arrival() {
    let site = Site::over(leading());
    for (id, outcome) in [
        ("qn-0000000009-9", Outcome::Accepted),
        ("qn-0000000000-a1", Outcome::Refused),
        ("qn-0000000010-a", Outcome::Accepted),
    ] {
        put_request(&site, &request_record(id, outcome)).await;
    }
    let ids = |value: Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_string()).collect()
    };
    let all = ids(site.get("/api/v1/requests").await.json());
    assert_eq!(all, ["qn-0000000009-9", "qn-0000000010-a", "qn-0000000000-a1"]);
    assert_eq!(ids(site.get("/api/v1/requests?limit=1").await.json()), ["qn-0000000000-a1"]);
    assert_eq!(ids(site.get("/api/v1/requests?refused=true").await.json()), ["qn-0000000000-a1"]);
    assert_eq!(site.get("/api/v1/requests/qn-0000000010-a").await.json()["outcome"], "accepted");
    for unknown in ["qn-1-1", "..%2Fleader", "x"] {
        let answer = site.get(&format!("/api/v1/requests/{unknown}")).await;
        assert_eq!(answer.problem(), (404, "no_request".to_string()), "{unknown}");
    }
}

#[tokio::test]
async fn metrics_have_every_name_and_no_label_per_instance() {
    let site = Site::over(leading());
    site.events.push(event(1, "InstanceFailed", Some(&model("dga", "1.0"))));
    site.events.pass(Duration::from_millis(3));
    let answer = site.get("/metrics").await;
    assert_eq!(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
    assert!(!answer.text.contains("3-2-aaaa"));
    insta::assert_snapshot!("metrics", answer.text);
}

#[tokio::test]
async fn the_description_has_every_path_and_every_reference_leads_somewhere() {
    let site = Site::over(leading());
    let description = site.get("/openapi.json").await.json();
    let described: Vec<(String, Vec<String>)> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, methods)| (path.clone(), methods.as_object().unwrap().keys().cloned().collect()))
        .collect();
    let mut served: Vec<(String, Vec<String>)> = PATHS
        .iter()
        .map(|(path, methods)| (path.to_string(), methods.iter().map(|m| m.to_string()).collect()))
        .collect();
    served.sort();
    assert_eq!(described, served);
    for (path, methods) in PATHS {
        let concrete = path.replace("{name}", "dga").replace("{version}", "1.0").replace("{id}", "3-2-aaaa");
        for method in *methods {
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(&concrete);
            let answer = site.send(request.body(Body::empty()).unwrap(), "127.0.0.1").await;
            assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
    let text = description.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(description["components"]["schemas"][name].is_object(), "{name}");
    }
}

#[tokio::test]
async fn bodies_have_exactly_the_fields_that_are_described() {
    let site = Site::over(leading());
    site.events.push(event(1, "InstanceReady", Some(&model("dga", "1.0"))));
    put_request(&site, &request_record("qn-0000000009-9", Outcome::Accepted)).await;
    let description = site.get("/openapi.json").await.json();
    let check = |schema: &str, body: &Value| {
        let schema = &description["components"]["schemas"][schema];
        for field in body.as_object().unwrap().keys() {
            assert!(schema["properties"][field].is_object(), "{field} is not described");
        }
        for field in schema["required"].as_array().unwrap() {
            assert!(body.get(field.as_str().unwrap()).is_some(), "{field} is missing");
        }
    };
    let models = site.get("/api/v1/models").await.json();
    models.as_array().unwrap().iter().for_each(|model| check("Model", model));
    site.get("/api/v1/instances").await.json().as_array().unwrap().iter().for_each(|one| check("Instance", one));
    check("Service", &site.get("/api/v1/status").await.json());
    check("Capacity", &site.get("/api/v1/capacity").await.json());
    check("Event", &site.get("/api/v1/events").await.json()[0]);
    check("Request", &site.get("/api/v1/requests").await.json()[0]);
}

#[tokio::test]
async fn the_console_is_one_page_that_may_run_only_its_own_script() {
    let site = Site::over(leading());
    let answer = site.get("/").await;
    assert_eq!(answer.content_type, "text/html; charset=utf-8");
    let policy = answer.policy.unwrap();
    let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.text.matches(&format!("nonce=\"{nonce}\"")).count(), 2);
    for outside in [
        "src=\"http",
        "href=\"http",
        "@import",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        " onclick",
        "{{",
    ] {
        assert!(!answer.text.contains(outside), "{outside}");
    }
    assert_ne!(site.get("/").await.policy.unwrap(), policy);
}

#[tokio::test]
async fn only_what_is_registered_is_asked_whether_it_listens() {
    let site = Site::over(leading());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let registration = maas_client::registry::Registration {
        model: model("dga", "1.0"),
        id: "3-2-aaaa".into(),
        url: format!("http://{}", listener.local_addr().unwrap()),
        functions: maas_client::registry::default_functions(),
        registered_ms: 1,
    };
    site.tree.ensure_path("/maas/service/dga", Access::Open).await.unwrap();
    let path = "/maas/service/dga/3-2-aaaa";
    site.tree.create(path, registration.encode(), Mode::Persistent, Access::Open).await.unwrap();
    let ask = "/api/v1/reach?name=dga&id=3-2-aaaa";
    assert_eq!(site.get(ask).await.json()["answer"], "answers");
    drop(listener);
    let refused = site.get(ask).await.json();
    assert_eq!((refused["answer"].as_str(), refused["url"].as_str()), (Some("refused"), Some(&*registration.url)));
    for missing in ["name=dga&id=x", "name=other&id=3-2-aaaa", "name=dga&id=..", "name=dga&id=a%2Fb"] {
        assert_eq!(site.get(&format!("/api/v1/reach?{missing}")).await.problem(), (404, "no_instance".into()));
    }
    assert_eq!(site.get("/api/v1/reach?name=../state&id=x").await.problem().0, 400);
    assert_eq!(site.get("/api/v1/reach?url=http://h:1").await.problem().0, 400);
}
