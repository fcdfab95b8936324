//! Decides when a request is done, failed, or can't be: pure, on one look at the version.

use maas_client::picture::VersionPicture;
use maas_client::reason::{Reason, ReasonCode, VersionState};
use maas_client::request::Action;
use maas_client::state::{RequestRecord, Wanted};
use std::collections::BTreeSet;

/// What one look says about a request that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub(crate) enum Verdict {
    /// Not there yet.
    Waiting,
    /// All ready, or all gone.
    Done,
    /// It failed again and again; no use to wait for more.
    Failed(Reason),
    /// No node is large enough.
    NeverFits(Reason),
    /// Another request changed the wanted number meanwhile.
    Superseded {
        /// The number wanted now.
        wanted: u32,
        /// The request that says so.
        by: String,
    },
}

/// Judges an accepted request by the version as it is now (`None`: nothing is left of it).
pub(crate) fn judge(record: &RequestRecord, version: Option<&VersionPicture>) -> Verdict {
    let wanted = version.map_or(0, VersionPicture::wanted);
    if grows(record) { judge_growing(record, version, wanted) } else { judge_shrinking(record, version, wanted) }
}

/// Whether the request asks for instances, rather than to be rid of some.
fn grows(record: &RequestRecord) -> bool {
    match record.action {
        Action::Add => true,
        Action::Remove => false,
        Action::Scale => record.after > 0 && record.after >= record.before,
    }
}

fn judge_growing(record: &RequestRecord, version: Option<&VersionPicture>, wanted: u32) -> Verdict {
    let by = || {
        let by = version.and_then(|version| version.desired.as_ref()).map(|desired| desired.request.clone());
        by.unwrap_or_default()
    };
    if wanted < record.after {
        return if by() == record.id { Verdict::Waiting } else { Verdict::Superseded { wanted, by: by() } };
    }
    let Some(version) = version else { return Verdict::Waiting };
    if version.ready() >= record.after {
        return Verdict::Done;
    }
    let Some(status) = version.fresh_status() else { return Verdict::Waiting };
    match &status.reason {
        Some(reason) if reason.code == ReasonCode::NeverFits => Verdict::NeverFits(reason.clone()),
        Some(reason) if reason.code == ReasonCode::CrashLoop => Verdict::Failed(reason.clone()),
        reason if status.state == VersionState::Failed => {
            let unsaid = || Reason::new(ReasonCode::CrashLoop, "it fails again and again");
            Verdict::Failed(reason.clone().unwrap_or_else(unsaid))
        }
        _ => Verdict::Waiting,
    }
}

fn judge_shrinking(record: &RequestRecord, version: Option<&VersionPicture>, wanted: u32) -> Verdict {
    let Some(version) = version else { return Verdict::Done };
    let allowed = wanted.max(record.after) as usize;
    let stopping = version.instances.iter().any(|instance| instance.record.wanted == Wanted::Stop);
    let ids: Vec<&str> = version.instances.iter().map(|instance| instance.id.as_str()).collect();
    let left_over = version.endpoints.iter().any(|endpoint| {
        // Registrations of others stay; ours carry an id of the form <epoch>-<seq>-<random>.
        !ids.contains(&&*endpoint.id) && endpoint.id.split('-').count() == 3
    });
    if version.instances.len() <= allowed && !stopping && !left_over { Verdict::Done } else { Verdict::Waiting }
}

/// What was asked of another program's master, which tells nothing but its registrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// More, fewer, or so many.
    pub(crate) action: Action,
    /// How many.
    pub(crate) count: u32,
    /// Who was registered when it was asked.
    pub(crate) before: BTreeSet<String>,
}

impl Asked {
    /// Whether what is registered now is what was asked for.
    pub(crate) fn is_seen_in(&self, version: Option<&VersionPicture>) -> bool {
        let now: BTreeSet<&str> = version.iter().flat_map(|of| &of.endpoints).map(|endpoint| &*endpoint.id).collect();
        let count = self.count as usize;
        match self.action {
            Action::Add => now.iter().filter(|id| !self.before.contains(**id)).count() >= count,
            Action::Remove => {
                let gone = self.before.iter().filter(|id| !now.contains(id.as_str())).count();
                gone >= count.min(self.before.len())
            }
            Action::Scale => now.len() == count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use maas_client::state::Outcome;

    fn record(action: Action, before: u32, after: u32) -> RequestRecord {
        RequestRecord {
            id: "qn-0000000001-a".into(),
            action,
            name: "dga".parse().unwrap(),
            version: "1.0".parse().unwrap(),
            num_instances: after.abs_diff(before),
            outcome: Outcome::Accepted,
            code: None,
            reason: String::new(),
            before,
            after,
            duplicate_of: None,
            time: jiff::Timestamp::UNIX_EPOCH,
            by: None,
        }
    }

    #[test]
    fn an_add_is_done_when_all_wanted_instances_are_registered() {
        let mut version = testing::version("dga", "1.0", 2);
        version.instances = vec![testing::ready("1-1-aaaa"), testing::ready("1-2-bbbb")];
        version.instances[1].registered = None;
        assert_eq!(judge(&record(Action::Add, 0, 2), Some(&version)), Verdict::Waiting);
        version.endpoints = vec![testing::endpoint("dga", "1.0", "1"), testing::endpoint("dga", "1.0", "2")];
        assert_eq!(judge(&record(Action::Add, 0, 2), Some(&version)), Verdict::Waiting, "others' are not ours");
        version.instances[1] = testing::ready("1-2-bbbb");
        assert_eq!(judge(&record(Action::Add, 0, 2), Some(&version)), Verdict::Done);
        version.instances[0].record.wanted = Wanted::Stop;
        assert_eq!(judge(&record(Action::Add, 0, 2), Some(&version)), Verdict::Waiting);
    }

    #[test]
    fn what_another_programs_master_did_is_seen_by_its_registrations() {
        let asked = |action, count| Asked { action, count, before: ["1", "2"].map(String::from).into() };
        let registered = |ids: &[&str]| {
            let mut version = testing::version("dga", "1.0", 0);
            version.endpoints = ids.iter().map(|id| testing::endpoint("dga", "1.0", id)).collect();
            version
        };
        assert!(!asked(Action::Add, 2).is_seen_in(Some(&registered(&["1", "2", "3"]))));
        assert!(asked(Action::Add, 2).is_seen_in(Some(&registered(&["1", "3", "4"]))));
        assert!(!asked(Action::Remove, 1).is_seen_in(Some(&registered(&["1", "2", "3"]))));
        assert!(asked(Action::Remove, 1).is_seen_in(Some(&registered(&["2"]))));
        assert!(asked(Action::Remove, 9).is_seen_in(None), "more than there is takes all");
        assert!(asked(Action::Scale, 1).is_seen_in(Some(&registered(&["2"]))));
    }

    #[test]
    fn a_crash_loop_ends_the_wait_only_when_it_is_about_this_request() {
        let mut version = testing::version("dga", "1.0", 1);
        let reason = Reason::new(ReasonCode::CrashLoop, "exited with 3, 3 times");
        version.status = Some(testing::status(VersionState::Failed, Some(reason.clone()), 1));
        assert_eq!(judge(&record(Action::Add, 0, 1), Some(&version)), Verdict::Failed(reason.clone()));
        version.desired.as_mut().unwrap().generation = 7;
        assert_eq!(judge(&record(Action::Add, 0, 1), Some(&version)), Verdict::Waiting);
    }

    #[test]
    fn what_can_never_fit_ends_the_wait_at_once() {
        let mut version = testing::version("dga", "1.0", 1);
        let reason = Reason::new(ReasonCode::NeverFits, "can never fit: needs 9 TB");
        version.status = Some(testing::status(VersionState::Starting, Some(reason.clone()), 1));
        assert_eq!(judge(&record(Action::Add, 0, 1), Some(&version)), Verdict::NeverFits(reason));
    }

    #[test]
    fn an_add_that_someone_took_back_is_superseded() {
        let mut version = testing::version("dga", "1.0", 0);
        version.desired.as_mut().unwrap().request = "qn-0000000002-b".into();
        let verdict = judge(&record(Action::Add, 0, 1), Some(&version));
        assert_eq!(verdict, Verdict::Superseded { wanted: 0, by: "qn-0000000002-b".into() });
    }

    #[test]
    fn a_remove_is_done_when_records_and_registrations_are_gone() {
        let mut version = testing::version("dga", "1.0", 1);
        version.instances = vec![testing::instance("1-1-aaaa"), testing::instance("1-2-bbbb")];
        assert_eq!(judge(&record(Action::Remove, 2, 1), Some(&version)), Verdict::Waiting);
        version.instances.pop();
        version.endpoints = vec![testing::endpoint("dga", "1.0", "1-2-bbbb")];
        assert_eq!(judge(&record(Action::Remove, 2, 1), Some(&version)), Verdict::Waiting);
        version.endpoints = vec![testing::endpoint("dga", "1.0", "2")];
        assert_eq!(judge(&record(Action::Remove, 2, 1), Some(&version)), Verdict::Done);
        assert_eq!(judge(&record(Action::Remove, 1, 0), None), Verdict::Done);
    }
}
