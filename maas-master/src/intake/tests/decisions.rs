//! Each kind of request against each kind of wanted state.

use super::{digest, metrons, ours};
use crate::desired::Version;
use crate::fixture;
use crate::intake::{Arrival, Change, Decision, decide};
use crate::policy::Policy;
use maas_cli::ErrorCode;
use maas_client::model::ModelId;
use maas_client::request::{Action, ModelRequest};

fn dga() -> ModelId {
    fixture::model("dga", "1.0")
}

/// dga 1.0 with this many wanted, published by our client.
fn there(count: u32) -> Version {
    let mut version = (*fixture::version(count, vec![])).clone();
    version.desired.digest = Some(digest("aa"));
    version
}

fn decided(request: &ModelRequest, current: Option<&Version>) -> Decision {
    let arrival = Arrival { id: "qn-0000000007-1a", time: fixture::time() };
    decide(request, arrival, current, &Policy::default())
}

fn accepted(request: &ModelRequest, current: Option<&Version>) -> Change {
    match decided(request, current) {
        Decision::Accept(change) => *change,
        Decision::Refuse { reason, .. } => panic!("refused: {reason}"),
    }
}

fn refused(request: &ModelRequest, current: Option<&Version>) -> (ErrorCode, String) {
    match decided(request, current) {
        Decision::Refuse { code, reason } => (code, reason),
        Decision::Accept(change) => panic!("accepted: {change:?}"),
    }
}

#[test]
fn the_first_add_makes_the_version() {
    let change = accepted(&ours(Action::Add, &dga(), 2), None);
    assert_eq!((change.before, change.desired.count, change.desired.generation), (0, 2, 1));
    assert_eq!(change.desired.digest, Some(digest("aa")));
    assert_eq!((change.desired.path.as_str(), change.desired.by.as_deref()), ("/models/dga/1.0", Some("alice@node1")));
    assert_eq!(change.desired.request, "qn-0000000007-1a");
    assert!(change.note.is_empty() && change.replaced.is_none());
}

#[test]
fn metrons_add_has_no_digest_until_its_tree_is_imported() {
    assert_eq!(accepted(&metrons(Action::Add, &dga(), 1), None).desired.digest, None);
    let kept = accepted(&metrons(Action::Add, &dga(), 1), Some(&there(1)));
    assert_eq!(kept.desired.digest, Some(digest("aa")), "the same path keeps what was imported from it");
}

#[test]
fn an_add_adds_and_starts_a_crash_loop_over() {
    let change = accepted(&ours(Action::Add, &dga(), 3), Some(&there(2)));
    assert_eq!((change.before, change.desired.count, change.desired.generation), (2, 5, 2));
}

#[test]
fn absurd_numbers_are_refused_with_their_limits() {
    let add = |count, memory_mb| {
        let mut request = ours(Action::Add, &dga(), count);
        request.resources.memory_mb = memory_mb;
        refused(&request, None)
    };
    let count = |asked: u32| (ErrorCode::CountMax, format!("{asked} instances; ADD takes 1 to 1000 at once"));
    assert_eq!(add(0, 512), count(0));
    assert_eq!(add(1_001, 512), count(1_001));
    let memory = |asked: u64| (ErrorCode::MemoryMax, format!("{asked} MB; from 1 to 16777216 MB"));
    assert_eq!(add(1, 0), memory(0));
    assert_eq!(add(1, (16 << 20) + 1), memory((16 << 20) + 1));
    let (code, reason) = refused(&ours(Action::Add, &dga(), 1), Some(&there(10_000)));
    assert_eq!(code, ErrorCode::CountMax);
    assert_eq!(reason, "10000 of dga 1.0 are wanted already; at most 10000 of a version");
    assert_eq!(refused(&metrons(Action::Remove, &dga(), 0), Some(&there(1))).0, ErrorCode::CountMax);
    assert_eq!(refused(&ours(Action::Scale, &dga(), 10_001), Some(&there(1))).0, ErrorCode::CountMax);
}

#[test]
fn an_add_without_a_path_is_refused() {
    for path in [None, Some(String::new())] {
        let request = ModelRequest { path, ..ours(Action::Add, &dga(), 1) };
        assert_eq!(refused(&request, None).0, ErrorCode::BadRequest);
    }
}

#[test]
fn other_resources_are_refused_to_our_client_unless_it_updates() {
    let mut request = ours(Action::Add, &dga(), 1);
    request.resources.memory_mb = 1_024;
    let (code, reason) = refused(&request, Some(&there(1)));
    assert_eq!(code, ErrorCode::ConflictResources);
    assert!(reason.contains("1024 MB instead of 512 MB") && reason.contains("--update"), "{reason}");
    request.extra.update = true;
    let change = accepted(&request, Some(&there(1)));
    assert_eq!(change.desired.resources.memory_mb, 1_024);
    assert_eq!(change.replaced.as_deref(), Some("1024 MB instead of 512 MB"));
    assert_eq!(change.note, "new instances get 1024 MB instead of 512 MB");
}

#[test]
fn where_nothing_runs_other_resources_are_no_conflict() {
    let mut request = ours(Action::Add, &dga(), 1);
    request.resources.memory_mb = 1_024;
    let change = accepted(&request, Some(&there(0)));
    assert_eq!((change.desired.resources.memory_mb, change.replaced), (1_024, None));
}

#[test]
fn metrons_client_knows_memory_only_and_leaves_the_rest_as_it_is() {
    let mut version = there(1);
    version.desired.resources.vcores = 4;
    version.desired.resources.gpus = 1;
    version.spec.env.insert("A".into(), "1".into());
    let mut request = metrons(Action::Add, &dga(), 1);
    request.resources.memory_mb = 2_048;
    let change = accepted(&request, Some(&version));
    let resources = &change.desired.resources;
    assert_eq!((resources.memory_mb, resources.vcores, resources.gpus), (2_048, 4, 1));
    assert_eq!(change.spec, version.spec);
    assert_eq!(change.replaced.as_deref(), Some("2048 MB, 4 vcores, 1 GPUs instead of 512 MB, 4 vcores, 1 GPUs"));
}

#[test]
fn another_environment_is_a_conflict_too() {
    let mut request = ours(Action::Add, &dga(), 1);
    request.extra.env.insert("A".into(), "hidden".into());
    let (code, reason) = refused(&request, Some(&there(1)));
    assert_eq!(code, ErrorCode::ConflictResources);
    assert!(reason.contains("other environment") && !reason.contains("hidden"), "{reason}");
    request.extra.update = true;
    assert_eq!(accepted(&request, Some(&there(1))).spec.env["A"], "hidden");
}

#[test]
fn other_content_under_a_running_version_is_refused_also_with_update() {
    let mut request = ours(Action::Add, &dga(), 1);
    request.extra.digest = Some(digest("bb"));
    request.extra.update = true;
    assert_eq!(refused(&request, Some(&there(1))).0, ErrorCode::ConflictContent);
    let change = accepted(&request, Some(&there(0)));
    assert_eq!(change.desired.digest, Some(digest("bb")));
}

#[test]
fn metrons_other_path_is_imported_anew_and_said() {
    let mut request = metrons(Action::Add, &dga(), 1);
    request.path = Some("/user/root/other".to_string());
    let change = accepted(&request, Some(&there(1)));
    assert_eq!((change.desired.digest, change.desired.path.as_str()), (None, "/user/root/other"));
    assert_eq!(change.replaced.as_deref(), Some("payload at /user/root/other instead of /models/dga/1.0"));
}

#[test]
fn a_removal_takes_what_is_asked_and_never_more_than_there_is() {
    let change = accepted(&metrons(Action::Remove, &dga(), 2), Some(&there(5)));
    assert_eq!((change.before, change.desired.count, change.note.as_str()), (5, 3, ""));
    let change = accepted(&metrons(Action::Remove, &dga(), 7), Some(&there(5)));
    assert_eq!((change.desired.count, change.note.as_str()), (0, "7 asked, all 5 taken"));
    let change = accepted(&metrons(Action::Remove, &dga(), 1), Some(&there(0)));
    assert_eq!((change.desired.count, change.note.as_str()), (0, "none was wanted"));
    assert_eq!(change.desired.generation, 1, "only an ADD starts over");
}

#[test]
fn what_was_never_asked_for_can_not_be_removed_or_scaled() {
    for action in [Action::Remove, Action::Scale] {
        let (code, reason) = refused(&ours(action, &dga(), 1), None);
        assert_eq!(code, ErrorCode::NoVersion);
        assert!(reason.starts_with("dga 1.0 was never asked for"), "{reason}");
    }
}

#[test]
fn a_payload_goes_only_with_the_last_instance_and_until_it_is_gone_nothing_is_added() {
    let purging = |count, of: &Version| {
        let mut request = ours(Action::Remove, &dga(), count);
        request.extra.purge = true;
        accepted(&request, Some(of))
    };
    let partly = purging(1, &there(2));
    assert!(!partly.desired.purge);
    assert_eq!(partly.note, "payload kept, 1 still wanted");
    let all = purging(2, &there(2));
    assert!(all.desired.purge);
    let gone = Version { desired: all.desired, ..there(0) };
    assert!(accepted(&metrons(Action::Remove, &dga(), 1), Some(&gone)).desired.purge, "asked for before");
    for action in [Action::Add, Action::Scale] {
        assert_eq!(refused(&ours(action, &dga(), 1), Some(&gone)).0, ErrorCode::Conflict);
    }
    assert!(accepted(&ours(Action::Scale, &dga(), 0), Some(&gone)).desired.purge);
}

#[test]
fn what_was_purged_comes_back_by_an_add_only() {
    let mut purged = there(0);
    (purged.desired.purged, purged.desired.digest) = (true, None);
    assert_eq!(refused(&ours(Action::Scale, &dga(), 1), Some(&purged)).0, ErrorCode::NoPayload);
    assert!(accepted(&ours(Action::Scale, &dga(), 0), Some(&purged)).desired.purged);
    let added = accepted(&ours(Action::Add, &dga(), 1), Some(&purged)).desired;
    assert!(!added.purged && added.digest.is_some());
    // A request without a digest has its tree imported again.
    let imported = accepted(&metrons(Action::Add, &dga(), 1), Some(&purged)).desired;
    assert_eq!((imported.purged, imported.digest), (false, None));
}

#[test]
fn scaling_sets_the_number_and_repeating_it_changes_nothing() {
    let change = accepted(&ours(Action::Scale, &dga(), 4), Some(&there(2)));
    assert_eq!((change.before, change.desired.count, change.note.as_str()), (2, 4, ""));
    let change = accepted(&ours(Action::Scale, &dga(), 4), Some(&there(4)));
    assert_eq!((change.desired.count, change.note.as_str()), (4, "it was so already"));
    assert_eq!(accepted(&ours(Action::Scale, &dga(), 0), Some(&there(4))).desired.count, 0);
}
