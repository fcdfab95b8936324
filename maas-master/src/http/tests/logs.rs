//! Logs: who gets them, of what, and how much.

use super::site::Site;
use crate::fixture::leading;
use crate::http::LogAccess;
use crate::observed::Observed;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use std::sync::Arc;

fn write(site: &Site, id: &str, stream: &str, text: &str) {
    let directory = site.logs.path().join(id);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(stream), text).unwrap();
}

#[tokio::test]
async fn the_last_lines_of_either_stream_are_given() {
    let site = Site::over(leading());
    write(&site, "3-2-aaaa", "stdout", "one\ntwo\nthree\n");
    write(&site, "3-2-aaaa", "stderr", "trouble\n");
    let of = |query: &str| format!("/api/v1/instances/3-2-aaaa/logs{query}");
    assert_eq!(site.get(&of("?tail=2")).await.text, "two\nthree\n");
    let answer = site.get(&of("?stream=stderr")).await;
    assert_eq!((answer.text.as_str(), answer.content_type.as_str()), ("trouble\n", "text/plain; charset=utf-8"));
    // Started, and has written nothing yet.
    assert_eq!(site.get("/api/v1/instances/3-3-bbbb/logs").await.text, "");
    for bad in ["?stream=both", "?tail=x", "?follow=maybe", "?lines=3"] {
        assert_eq!(site.get(&of(bad)).await.problem(), (400, "usage".to_string()), "{bad}");
    }
}

#[tokio::test]
async fn only_known_instances_reach_a_path() {
    let site = Site::over(leading());
    write(&site, "secret", "stdout", "secret");
    for id in ["secret", "..%2Fsecret", "%2e%2e", "3-2-aaaa%2F..%2Fsecret", "3-2-aaaa%00"] {
        let answer = site.get(&format!("/api/v1/instances/{id}/logs")).await;
        assert_eq!(answer.problem(), (404, "no_instance".to_string()), "{id}");
    }
    // Known, ended, and nothing kept of it.
    assert_eq!(site.get("/api/v1/instances/3-1-dead/logs").await.problem(), (404, "no_logs".to_string()));
}

#[tokio::test]
async fn another_host_needs_the_token_unless_all_is_open() {
    let path = "/api/v1/instances/3-2-aaaa/logs";
    let ask = |token: Option<&str>| {
        let request = Request::get(path);
        let request = match token {
            Some(token) => request.header("authorization", token),
            None => request,
        };
        request.body(Body::empty()).unwrap()
    };
    let site = Site::over(leading());
    for refused in [None, Some("Bearer wrong"), Some("Basic s3cret"), Some("s3cret")] {
        let answer = site.send(ask(refused), "192.0.2.1").await;
        assert_eq!(answer.problem(), (401, "not_permitted".to_string()), "{refused:?}");
        assert!(!answer.text.contains("s3cret"));
    }
    assert_eq!(site.send(ask(Some("Bearer s3cret")), "192.0.2.1").await.status, StatusCode::OK);
    assert_eq!(site.send(ask(None), "127.0.0.1").await.status, StatusCode::OK);
    let open = Site::with_access(leading(), LogAccess::Open);
    assert_eq!(open.send(ask(None), "192.0.2.1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_whose_name_was_bent_to_this_machine_gets_no_logs() {
    let path = "/api/v1/instances/3-2-aaaa/logs";
    let ask = |host: &str| Request::get(path).header("host", host);
    let site = Site::over(leading());
    for host in ["evil.com", "evil.com:8080", "localhost.evil.com", ""] {
        let answer = site.send(ask(host).body(Body::empty()).unwrap(), "127.0.0.1").await;
        assert_eq!(answer.problem(), (403, "not_permitted".to_string()), "{host}");
    }
    for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "node7:8080"] {
        let answer = site.send(ask(host).body(Body::empty()).unwrap(), "127.0.0.1").await;
        assert_eq!(answer.status, StatusCode::OK, "{host}");
    }
    let with_token = ask("evil.com").header("authorization", "Bearer s3cret").body(Body::empty()).unwrap();
    assert_eq!(site.send(with_token, "127.0.0.1").await.status, StatusCode::OK);
    let h2 = Request::get(format!("http://evil.com{path}")).body(Body::empty()).unwrap();
    assert_eq!(site.send(h2, "127.0.0.1").await.problem(), (403, "not_permitted".to_string()));
}

#[tokio::test]
async fn following_ends_with_the_instance_and_loses_nothing() {
    let site = Site::over(leading());
    write(&site, "3-2-aaaa", "stdout", "before\n");
    let request = Request::get("/api/v1/instances/3-2-aaaa/logs?follow=true").body(Body::empty()).unwrap();
    let following = async {
        let answer = site.send(request, "127.0.0.1").await;
        assert_eq!(answer.text, "before\nafter\n");
    };
    let ending = async {
        write(&site, "3-2-aaaa", "stdout", "before\nafter\n");
        let gone = crate::view::View { observed: Arc::new(Observed::default()), ..leading() };
        site.view.send_replace(Arc::new(gone));
    };
    let both = async { tokio::join!(following, ending) };
    tokio::time::timeout(std::time::Duration::from_secs(10), both).await.unwrap();
}
