//! The databases, on files that the tests write.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::databases::{Network, Place, public_address};
use super::{Databases, mmdb};
use crate::services::report::{Failure, Outcome};

fn placed(bytes: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.mmdb");
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn london() -> IpAddr {
    "81.2.69.142".parse().unwrap()
}

fn quiet(failure: &Failure) {
    panic!("no trouble is expected: {failure}");
}

fn from_globals(globals: &Json) -> Result<Databases, String> {
    Databases::from_globals(globals.as_object().unwrap()).map_err(|error| error.to_string())
}

#[test]
fn what_the_database_knows_of_an_address_is_found_under_both_protocols() {
    let (_dir, path) = placed(&mmdb::places());
    let databases = from_globals(&json!({"geo.hdfs.file": format!("file://{}", path.display())})).unwrap();
    let place = databases.place(london(), quiet).unwrap().unwrap();
    assert_eq!((place.city_id, place.city.as_deref()), (Some(2_643_743), Some("London")));
    assert_eq!((place.latitude, place.longitude), (Some(51.5142), Some(-0.0931)));
    let v6 = databases.place("2001:db8:1::7".parse().unwrap(), quiet).unwrap();
    assert_eq!(v6, Some(Place { country: Some("US".into()), metro_code: Some(819), ..Place::default() }));
    assert_eq!(databases.place("8.8.8.8".parse().unwrap(), quiet), Ok(None));
}

#[test]
fn a_new_file_is_used_as_soon_as_it_takes_the_place_of_the_old_one() {
    let (dir, path) = placed(&mmdb::networks());
    let databases = Databases::at(None, Some(path.clone()), Duration::ZERO);
    let number = |databases: &Databases| databases.network(london(), quiet).unwrap().and_then(|network| network.number);
    assert_eq!(number(&databases), Some(20712));
    let new = mmdb::database("GeoLite2-ASN", &[("81.0.0.0/8", json!({"autonomous_system_number": 64_512}))]);
    let beside = dir.path().join("new");
    fs::write(&beside, new).unwrap();
    fs::rename(&beside, &path).unwrap();
    assert_eq!(number(&databases), Some(64_512));
    fs::write(&path, b"half a fi").unwrap();
    let mut told = Vec::new();
    let found = databases.network(london(), |failure| told.push(failure.clone())).unwrap();
    assert_eq!(found, Some(Network { number: Some(64_512), organization: None }));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].outcome, Outcome::Unreadable);
}

#[test]
fn a_database_that_cant_be_used_says_what_to_do() {
    let message = |globals: Json| from_globals(&globals).unwrap().place(london(), quiet).unwrap_err().message;
    assert!(message(json!({})).contains("set geo.file in global.json"));
    assert!(message(json!({"geo.file": "/nowhere/a.mmdb"})).contains("/nowhere/a.mmdb can't be read"));
    assert!(message(json!({"geo.hdfs.file": "hdfs://node1/apps/a.mmdb"})).contains("set geo.file"));
    assert!(message(json!({"geo.hdfs.file": "/a/GeoLite2-City.tar.gz"})).contains("unpack it"));
    let (_dir, path) = placed(&mmdb::networks());
    assert!(message(json!({"geo.file": path})).contains("of kind GeoLite2-ASN"));
    assert!(from_globals(&json!({"geo.file": "hdfs://node1/a"})).unwrap_err().contains("no file of this machine"));
    assert!(from_globals(&json!({"asn.file": 7})).unwrap_err().contains("is no text"));
}

#[test]
fn addresses_that_are_nowhere_are_not_looked_up() {
    for text in ["10.0.0.1", "172.16.0.1", "192.168.9.9", "127.0.0.1", "0.0.0.0", "224.0.0.1", "::1", "fc00::1"] {
        assert_eq!(public_address(text), None, "{text}");
    }
    for text in ["host.example", "1.2.3", "1.2.3.4.5", " 8.8.8.8", "", "8.8.8.8/32"] {
        assert_eq!(public_address(text), None, "{text}");
    }
    assert!(public_address("172.32.0.1").is_some() && public_address("2001:db8::1").is_some());
}

#[test]
fn a_damaged_database_gives_errors_and_no_panic() {
    let good = mmdb::places();
    for position in 0..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[position] ^= flip;
            let (_dir, path) = placed(&bad);
            let databases = Databases::at(Some(path), None, Duration::ZERO);
            let _ = databases.place(london(), |_| ());
            let _ = databases.place("2001:db8:1::7".parse().unwrap(), |_| ());
        }
    }
}

/// Databases for the examples of the reference.
pub(crate) fn fixture() -> Arc<Databases> {
    static WORLD: LazyLock<Arc<Databases>> = LazyLock::new(|| {
        let (dir, places) = placed(&mmdb::places());
        let networks = dir.path().join("networks.mmdb");
        fs::write(&networks, mmdb::networks()).unwrap();
        let databases = Databases::at(Some(places), Some(networks), Duration::MAX);
        // Read once, and never looked at again: the files may go.
        databases.place(london(), quiet).unwrap();
        databases.network(london(), quiet).unwrap();
        Arc::new(databases)
    });
    WORLD.clone()
}
