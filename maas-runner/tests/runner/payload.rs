//! The payload: nothing runs but what was published.

use crate::bed::Bed;
use crate::model::Model;
use maas_client::reason::{InstanceState, ReasonCode};
use std::fs;

async fn refused(spoil: impl FnOnce(&mut Bed)) -> (ReasonCode, String) {
    let mut bed = Bed::make(&Model::server().file("data/weights.bin", "abc")).await;
    spoil(&mut bed);
    bed.start();
    let (code, exit) = bed.ended().await;
    let exit = exit.unwrap();
    assert_eq!((code, exit.state, exit.exit_code), (Some(7), InstanceState::Failed, None));
    assert!(exit.started.is_none());
    (exit.reason.code, exit.reason.text)
}

#[tokio::test]
async fn changed_bytes_are_found_and_the_file_is_named() {
    let (code, text) = refused(|bed| fs::write(bed.spec.payload.join("files/data/weights.bin"), "abd").unwrap()).await;
    assert_eq!(code, ReasonCode::PayloadChanged);
    assert!(text.contains("data/weights.bin"), "{text}");
}

#[tokio::test]
async fn a_missing_payload_is_unreadable() {
    let (code, text) = refused(|bed| fs::remove_dir_all(&bed.spec.payload).unwrap()).await;
    assert_eq!(code, ReasonCode::PayloadUnreadable, "{text}");
}

#[tokio::test]
async fn another_payload_than_the_published_one_is_not_run() {
    let (code, text) = refused(|bed| bed.spec.digest = format!("sha256:{}", "0".repeat(64))).await;
    assert_eq!(code, ReasonCode::PayloadChanged, "{text}");
}

#[tokio::test]
async fn a_manifest_that_points_elsewhere_is_not_followed() {
    let (code, text) = refused(|bed| {
        let path = bed.spec.payload.join("manifest.json");
        let text = fs::read_to_string(&path).unwrap().replace("data/weights.bin", "../../escaped");
        fs::write(path, text).unwrap();
    })
    .await;
    assert_eq!(code, ReasonCode::PayloadChanged, "{text}");
    assert!(text.contains("path"), "{text}");
}
