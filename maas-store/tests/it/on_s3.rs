//! The contract on S3, and what is particular to it. Needs a service that speaks S3's language: `MAAS_TEST_AWS`, its url.

use crate::contract::{Subject, contract};
use maas_store::blobs::Blobs;
use maas_store::location::Location;
use maas_store::s3::S3Blobs;
use maas_store::store::Error;
use maas_store::{ObjectStore, location};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const BUCKET: &str = "maas-contract";

contract!(subject);

fn endpoint() -> String {
    std::env::var("MAAS_TEST_AWS").expect(
        "MAAS_TEST_AWS is not set: eval \"$(scripts/services/aws.sh start)\", then run with MAAS_TEST_AWS=$MAAS_AWS",
    )
}

/// An answer to a request that the client of the store has no word for.
fn put_raw(path: &str) -> String {
    let host = endpoint().trim_start_matches("http://").trim_end_matches('/').to_string();
    let mut socket = TcpStream::connect(&host).unwrap();
    write!(socket, "PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

fn open(url: &str, endpoint: &str) -> Result<S3Blobs, Error> {
    let Ok(Location::S3(place)) = url.parse() else { panic!("{url}") };
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
    ];
    S3Blobs::open(&place, variables.map(|(name, value)| (name.to_string(), value.to_string())))
}

/// A part of the bucket that no other test uses.
fn own_prefix() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    format!("t-{}-{}/a b", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

fn blobs() -> Arc<S3Blobs> {
    let answer = put_raw(BUCKET);
    assert!(answer.starts_with("HTTP/1.1 200") || answer.contains("BucketAlready"), "{answer}");
    Arc::new(open(&format!("s3://{BUCKET}/{}", own_prefix()), &endpoint()).unwrap())
}

fn subject() -> Subject {
    let blobs = blobs();
    Subject { store: Arc::new(ObjectStore::new(blobs.clone())), behind: Box::new(blobs) }
}

/// Bytes that differ from place to place.
fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 + at / 4096) as u8).collect()
}

fn read(blobs: &S3Blobs, key: &str) -> Option<Vec<u8>> {
    let mut from = blobs.get(key).unwrap()?;
    let mut read = Vec::new();
    from.read_to_end(&mut read).unwrap();
    Some(read)
}

#[test]
fn an_object_is_read_as_it_was_written_be_it_in_one_request_or_in_parts() {
    let blobs = blobs();
    for size in [0, 1, 8 << 20, (8 << 20) + 1, 21 << 20] {
        let written = bytes(size);
        blobs.put("data", &mut written.as_slice(), size as u64).unwrap();
        assert!(read(&blobs, "data").unwrap() == written, "{size}");
        assert_eq!(blobs.list("").unwrap(), [("data".to_string(), size as u64)]);
    }
}

#[test]
fn an_object_whose_source_fails_is_not_written() {
    struct Fails(u64);
    impl Read for Fails {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = (self.0).min(buffer.len() as u64);
            self.0 -= count;
            if count == 0 { Err(io::Error::other("unplugged")) } else { Ok(count as usize) }
        }
    }
    let blobs = blobs();
    for size in [1_000, 20 << 20] {
        let error = blobs.put("data", &mut Fails(size), size).unwrap_err();
        assert!(matches!(error, Error::Io { action: "read what goes to", .. }), "{error:?}");
        assert_eq!(read(&blobs, "data"), None);
    }
    assert!(blobs.list("").unwrap().is_empty());
}

#[test]
fn of_several_creations_one_is_told_that_it_made_the_object() {
    let blobs = blobs();
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8u8)
            .map(|n| {
                scope.spawn({
                    let blobs = &blobs;
                    move || blobs.create("one", vec![n]).unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|made| *made).count()
    });
    assert_eq!(made, 1);
    assert!(!blobs.create("one", vec![]).unwrap());
    assert_eq!(read(&blobs, "one").unwrap().len(), 1);
}

#[test]
fn a_list_longer_than_one_answer_is_complete_and_in_order() {
    let blobs = blobs();
    let keys: Vec<String> = (0..1_010).map(|n| format!("many/{n:04}")).collect();
    std::thread::scope(|scope| {
        for part in keys.chunks(260) {
            let blobs = &blobs;
            scope.spawn(move || part.iter().for_each(|key| blobs.put(key, &mut io::empty(), 0).unwrap()));
        }
    });
    let listed: Vec<String> = blobs.list("many/").unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(listed, keys);
    assert_eq!(blobs.list("many/000").unwrap().len(), 10);
    assert!(blobs.list("man/").unwrap().is_empty());
}

#[test]
fn odd_names_and_marks_of_directories_are_borne() {
    let prefix = own_prefix().replace(' ', "-");
    let _ = blobs();
    let blobs = open(&format!("s3://{BUCKET}/{prefix}"), &endpoint()).unwrap();
    for name in ["lib/[odd] #%~{}.py", "lib/ä+b=c&d?.txt"] {
        blobs.put(name, &mut &b"x"[..], 1).unwrap();
        assert_eq!(read(&blobs, name).unwrap(), b"x");
    }
    assert!(put_raw(&format!("{BUCKET}/{prefix}/lib/")).starts_with("HTTP/1.1 200"));
    let listed: Vec<String> = blobs.list("lib/").unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(listed, ["lib/[odd] #%~{}.py", "lib/ä+b=c&d?.txt"]);
    for name in listed {
        blobs.delete(&name).unwrap();
        blobs.delete(&name).unwrap();
        assert_eq!(read(&blobs, &name), None);
    }
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    let blobs = open("s3://no-such-bucket-anywhere/p", &endpoint()).unwrap();
    let errors = [
        blobs.get("k").map(drop).unwrap_err(),
        blobs.put("k", &mut &b"x"[..], 1).unwrap_err(),
        blobs.create("k", vec![]).map(drop).unwrap_err(),
        blobs.list("").map(drop).unwrap_err(),
        blobs.delete("k").unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), "bad_store_url", "{error:?}");
        assert!(error.to_string().contains("no-such-bucket-anywhere"), "{error}");
    }
}

#[test]
fn an_endpoint_that_does_not_answer_is_named_with_what_happened() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let error = open("s3://bucket/p", &endpoint).unwrap().list("").unwrap_err();
    assert!(error.code() == "store_unreachable" && error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains(&endpoint), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("refused"), "{cause}");
}

#[tokio::test]
async fn a_store_may_be_opened_and_dropped_where_a_runtime_runs() {
    let store = location::open("s3://bucket/p").unwrap();
    assert_eq!(store.url(), "s3://bucket/p");
    drop(store);
}
