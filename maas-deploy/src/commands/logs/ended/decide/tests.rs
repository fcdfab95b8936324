//! Tables of what was answered and what is shown or said.

use super::super::collected::Collected;
use super::super::tests::{collected, id, memory, recorded, wanted};
use super::*;
use hadoop_yarn::types::{ApplicationState, FinalStatus};

const HERE: &str = "maas-at-here";

fn asker() -> Asker {
    Asker { user: "alice".into(), place: HERE.into() }
}

fn numbered(number: i32) -> ApplicationId {
    ApplicationId { cluster_timestamp: 1_795_236_020_553, id: number }
}

/// An application that ended `number` milliseconds after the others, or runs.
fn report(number: i32, user: &str, place: Option<&str>, state: ApplicationState) -> ApplicationReport {
    ApplicationReport {
        id: numbered(number),
        name: "MaaS".into(),
        application_type: "MAAS".into(),
        user: user.into(),
        queue: "default".into(),
        state,
        final_status: FinalStatus::Succeeded,
        diagnostics: String::new(),
        attempt: None,
        host: None,
        rpc_port: None,
        tracking_url: None,
        original_tracking_url: None,
        progress: 1.0,
        start_time: 0,
        finish_time: number.into(),
        usage: None,
        tags: std::iter::once("maas").chain(place).map(str::to_string).collect(),
        log_aggregation: LogAggregation::Succeeded,
        am_rm_token: None,
    }
}

fn over(number: i32, user: &str, place: Option<&str>) -> ApplicationReport {
    report(number, user, place, ApplicationState::Finished)
}

fn numbers(reports: &[ApplicationReport]) -> Vec<i32> {
    reports.iter().map(|report| report.id.id).collect()
}

#[test]
fn this_user_s_and_this_place_s_come_first_and_other_places_not_at_all() {
    let reports = vec![
        over(1, "alice", Some(HERE)),
        over(2, "bob", Some(HERE)),
        over(3, "alice", None),
        over(4, "alice", Some("maas-at-staging")),
        over(5, "alice", Some(HERE)),
        over(6, "bob", None),
        over(7, "bob", Some("maas-at-staging")),
    ];
    let candidates = Candidates::among(reports, &asker());
    assert_eq!(numbers(&candidates.over), [5, 1, 3, 2, 6]);
    assert_eq!((candidates.elsewhere, candidates.all_over), (2, 7));
}

#[test]
fn many_of_another_user_do_not_hide_one_of_this() {
    let mut reports: Vec<_> = (2..40).map(|number| over(number, "bob", Some(HERE))).collect();
    reports.push(over(1, "alice", Some(HERE)));
    let candidates = Candidates::among(reports, &asker());
    assert_eq!((candidates.over.len(), candidates.over[0].id), (10, numbered(1)));
}

#[test]
fn only_this_user_s_of_this_place_are_waited_for() {
    let running = |number, user, place| report(number, user, place, ApplicationState::Running);
    let reports = vec![
        running(1, "bob", Some(HERE)),
        running(2, "alice", Some("maas-at-staging")),
        running(3, "alice", Some(HERE)),
        running(4, "alice", None),
    ];
    let candidates = Candidates::among(reports, &asker());
    assert_eq!(numbers(&candidates.running), [3, 4]);
    assert_eq!(still(&candidates), format!("; {} is RUNNING", numbered(3)));
}

#[test]
fn logs_are_waited_for_while_they_are_collected_and_not_for_ever() {
    use LogAggregation::{Disabled, Failed, NotStarted, Running, Succeeded};
    let ended = 1_795_236_020_553;
    for (status, seconds, is_enabled, expected) in [
        (NotStarted, 1, true, Collecting::UnderWay(NotStarted)),
        (Running, -30, true, Collecting::UnderWay(Running)),
        (NotStarted, 601, true, Collecting::Over),
        (Succeeded, 1, true, Collecting::Over),
        (Failed, 1, true, Collecting::Over),
        (Disabled, 1, true, Collecting::Off),
        (Running, 1, false, Collecting::Off),
    ] {
        let now = Timestamp::from_millisecond(ended + seconds * 1000).unwrap();
        assert_eq!(collecting(status, ended, now, is_enabled), expected, "{status} after {seconds} s");
    }
}

#[test]
fn an_application_has_what_is_wanted_or_says_why_not() {
    let full = || collected(&memory(&[("node7_8041", recorded())]));
    let damaged = || collected(&memory(&[("node7_8041", &recorded()[..300])]));
    let under_way = Collecting::UnderWay(LogAggregation::Running);
    type Case = (&'static str, Collected, Collecting, &'static str, Option<&'static str>, Result<usize, ErrorCode>);
    let cases: Vec<Case> = vec![
        ("all", full(), Collecting::Over, "dga", None, Ok(0)),
        ("by now", full(), under_way, "dga", None, Ok(1)),
        ("one", full(), Collecting::Over, "dga", Some("bbbb"), Ok(0)),
        ("no such instance", full(), Collecting::Over, "dga", Some("7f3a"), Err(ErrorCode::NoInstance)),
        ("not yet", full(), under_way, "dga", Some("7f3a"), Err(ErrorCode::TimedOut)),
        ("another model", full(), Collecting::Over, "fraud", None, Err(ErrorCode::NoLogs)),
        ("not collected", Collected::default(), under_way, "dga", None, Err(ErrorCode::TimedOut)),
        ("deleted", Collected::default(), Collecting::Over, "dga", None, Err(ErrorCode::NoLogs)),
        ("never", Collected::default(), Collecting::Off, "dga", None, Err(ErrorCode::NoLogs)),
        ("damaged", damaged(), Collecting::Over, "dga", None, Err(ErrorCode::Unreadable)),
    ];
    for (case, collected, collecting, name, instance, expected) in cases {
        let outcome = judge(&wanted(name, None, instance), id(), collected, collecting);
        assert_eq!(outcome.map(|shown| shown.remarks.len()).map_err(|failure| failure.code()), expected, "{case}");
    }
}

/// Looks through applications with these outcomes: which one is shown, or the code; and what is said of others.
fn search(outcomes: &[(bool, Result<(), ErrorCode>)]) -> (Result<usize, ErrorCode>, Vec<String>) {
    let mut search = Search::default();
    let candidates = Candidates { over: Vec::new(), running: Vec::new(), elsewhere: 0, all_over: 0 };
    for (at, (is_own, outcome)) in outcomes.iter().enumerate() {
        let number = 9 - i32::try_from(at).unwrap();
        let outcome = outcome.map(|()| at).map_err(|code| Failure::new(code, format!("trouble {at}")));
        if let ControlFlow::Break(outcome) = search.take(numbered(number), *is_own, outcome) {
            return (outcome.map_err(|failure| failure.code()), search.remarks());
        }
    }
    (Err(search.failure(&wanted("dga", None, None), "node1:2181", &candidates).code()), Vec::new())
}

#[test]
fn the_likeliest_that_has_it_is_shown_and_those_before_it_are_not_kept_quiet() {
    use ErrorCode::{NoInstance, NoLogs, NotPermitted, StoreUnreachable, TimedOut, Unreadable, Usage};
    let own = |code| (true, Err(code));
    let of_bob = |code| (false, Err(code));
    let found = (true, Ok(()));
    for (outcomes, expected, remarks) in [
        (vec![found], Ok(0), 0),
        (vec![own(NoLogs), found], Ok(1), 1),
        (vec![own(TimedOut), own(NoLogs), own(NoLogs), found], Ok(3), 2),
        (vec![own(Unreadable), found], Ok(1), 1),
        (vec![own(NoInstance), found], Ok(1), 1),
        (vec![own(Usage), found], Err(Usage), 0),
        (vec![own(StoreUnreachable), found], Err(StoreUnreachable), 0),
        (vec![], Err(NoLogs), 0),
        (vec![own(NoLogs), of_bob(NotPermitted)], Err(NoLogs), 0),
        (vec![own(NotPermitted), of_bob(NoLogs)], Err(NotPermitted), 0),
        (vec![own(NoInstance), own(NoLogs)], Err(NoInstance), 0),
        (vec![own(NoLogs), own(TimedOut), own(Unreadable)], Err(TimedOut), 0),
    ] {
        let (outcome, said) = search(&outcomes);
        assert_eq!((outcome, said.len()), (expected, remarks), "{outcomes:?}: {said:?}");
    }
    let (_, said) = search(&[own(TimedOut), found]);
    assert_eq!(said, [format!("{} is passed over: trouble 0", numbered(9))]);
}

#[test]
fn what_belongs_to_other_places_is_said_where_nothing_else_is_left() {
    let candidates = Candidates::among(vec![over(1, "alice", Some("maas-at-staging"))], &asker());
    let failure = Search::default().failure(&wanted("dga", None, None), "node1:2181", &candidates);
    assert!(failure.message().contains("that have ended (1) are of other places in ZooKeeper"), "{failure}");
    assert_eq!(failure.exit(), 4);
}

#[test]
fn an_application_that_is_not_found_is_told_from_servers_that_say_nothing() {
    let silent = Failure::new(ErrorCode::ServerUnreachable, "the ResourceManager can't be asked");
    let refused = Failure::new(ErrorCode::NotPermitted, "may not list /tmp/logs");
    let away = Failure::new(ErrorCode::StoreUnreachable, "HDFS does not answer");
    let roots = ["/tmp/logs".to_string()];
    let (silent, refused, away) = (Some(&silent), Some(&refused), Some(&away));
    for (silent, unlisted, trouble, exit, says) in [
        (None, None, None, 4, "knows no application_"),
        (None, None, refused, 4, "knows no application_"),
        (None, None, away, 6, "knows no application_"),
        (None, refused, None, 9, "who has logs of it can't be learnt"),
        (silent, None, None, 6, "does not answer, and /tmp/logs has no logs"),
        (silent, None, refused, 6, "does not answer"),
        (silent, refused, None, 6, "does not answer, and who has logs"),
    ] {
        let failure = not_found(id(), &roots, silent, unlisted, trouble);
        assert!(failure.exit() == exit && failure.message().contains(says), "{failure} {}", failure.exit());
        assert_eq!(failure.causes().len(), [silent, unlisted, trouble].into_iter().flatten().count());
    }
}
