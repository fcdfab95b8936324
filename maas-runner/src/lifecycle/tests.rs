//! The state machine played without processes, files or servers.

use super::*;
use maas_client::registry::default_functions;

const SECOND: Duration = Duration::from_secs(1);

fn policy() -> Policy {
    Policy {
        start_timeout: 60 * SECOND,
        drain: 3 * SECOND,
        stop: 5 * SECOND,
        ready_every: SECOND,
        live_every: 10 * SECOND,
        live_failures: 3,
        warms_up: false,
    }
}

fn endpoint(port: u16) -> Published {
    let url = format!("http://node7:{port}");
    Published { url, host: "node7".into(), port, tls: false, functions: default_functions() }
}

fn removed() -> Reason {
    Reason::new(ReasonCode::Removed, "asked")
}

/// A machine with a clock of its own.
struct Play {
    life: Lifecycle,
    now: Instant,
}

impl Play {
    fn new(policy: Policy) -> Play {
        Play { life: Lifecycle::new(policy), now: Instant::now() }
    }

    fn on(&mut self, event: Event) -> Vec<Effect> {
        self.life.on(event, self.now)
    }

    /// Lets the next deadline come.
    fn wait(&mut self) -> Vec<Effect> {
        self.now = self.life.deadline().expect("something is due");
        self.on(Event::Tick)
    }

    fn probed(&mut self, port: u16, outcome: Result<(), &str>) -> Vec<Effect> {
        self.on(Event::Probed { url: endpoint(port).url, outcome: outcome.map_err(str::to_string) })
    }

    fn starting(policy: Policy) -> Play {
        let mut play = Play::new(policy);
        assert_eq!(play.on(Event::Claimed), [Effect::Report, Effect::Localize]);
        assert_eq!(play.on(Event::Localized), [Effect::StartScript]);
        assert_eq!(play.on(Event::ScriptStarted), [Effect::Report]);
        play
    }

    fn ready() -> Play {
        let mut play = Play::starting(policy());
        let effects = play.on(Event::Endpoint(Conclusion::Published(endpoint(1))));
        assert_eq!(effects, [Effect::Probe { endpoint: endpoint(1), live: false }, Effect::Report]);
        assert_eq!(play.probed(1, Ok(())), [Effect::Register { endpoint: endpoint(1) }, Effect::Report]);
        assert_eq!(play.life.state(), InstanceState::Ready);
        play
    }

    /// Everything is killed and the end is so.
    fn ends(mut self, state: InstanceState, code: ReasonCode) {
        assert_eq!(self.life.phase, Phase::Ending);
        assert_eq!(self.on(Event::NothingLeft), [Effect::Finish]);
        let end = self.life.end().unwrap();
        assert_eq!((end.state, end.reason.code), (state, code));
        assert_eq!(self.on(Event::NothingLeft), [], "it ends once");
    }
}

#[test]
fn a_model_that_answers_at_first_is_registered_and_watched() {
    let mut play = Play::ready();
    assert_eq!(play.wait(), [Effect::Probe { endpoint: endpoint(1), live: true }]);
    assert_eq!(play.life.deadline(), None, "one probe at a time");
    assert_eq!(play.probed(1, Ok(())), []);
    assert_eq!(play.life.deadline(), Some(play.now + 10 * SECOND));
}

#[test]
fn probes_before_ready_slow_down_to_their_interval_and_not_beyond() {
    let mut play = Play::starting(policy());
    let _first = play.on(Event::Endpoint(Conclusion::Published(endpoint(1))));
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let _reports = play.probed(1, Err("no connection"));
        let asked = play.now;
        assert_eq!(play.wait(), [Effect::Probe { endpoint: endpoint(1), live: false }]);
        pauses.push(play.now - asked);
    }
    assert_eq!(pauses.first(), Some(&FIRST_RETRY));
    assert_eq!(pauses.last(), Some(&SECOND));
}

#[test]
fn a_start_that_takes_too_long_ends_with_what_was_missing() {
    let mut play = Play::starting(policy());
    let effects = play.wait();
    assert_eq!(effects, [Effect::Unregister, Effect::Terminate, Effect::Report]);
    assert_eq!(play.on(Event::ScriptEnded(ScriptEnd::Signal(15))), [Effect::Unregister, Effect::Kill]);
    play.ends(InstanceState::Failed, ReasonCode::NoEndpoint);

    let mut play = Play::starting(policy());
    let _first = play.on(Event::Endpoint(Conclusion::Published(endpoint(1))));
    let _reports = play.probed(1, Err("node7: no connection"));
    play.now += 61 * SECOND;
    let _terminated = play.on(Event::Tick);
    let end = play.life.end().unwrap();
    assert_eq!(end.reason.code, ReasonCode::ProbeFailed);
    assert_eq!(end.reason.text, "not ready within 60 s: node7: no connection");
}

#[test]
fn bad_content_ends_a_start_and_only_unregisters_later() {
    let mut play = Play::starting(policy());
    let effects = play.on(Event::Endpoint(Conclusion::Bad("no JSON".into())));
    assert_eq!(effects, [Effect::Unregister, Effect::Terminate, Effect::Report]);

    let mut play = Play::ready();
    let effects = play.on(Event::Endpoint(Conclusion::Bad("no JSON".into())));
    assert_eq!(effects, [Effect::Unregister, Effect::Report]);
    assert_eq!(play.life.state(), InstanceState::Unready);
    assert_eq!(play.life.reason().unwrap().code, ReasonCode::BadEndpoint);
    let effects = play.on(Event::Endpoint(Conclusion::Published(endpoint(2))));
    assert_eq!(effects, [Effect::Probe { endpoint: endpoint(2), live: false }, Effect::Report]);
    assert_eq!(play.probed(2, Ok(())), [Effect::Register { endpoint: endpoint(2) }, Effect::Report]);
}

#[test]
fn an_endpoint_that_moves_is_followed_and_an_old_answer_does_not_count() {
    let mut play = Play::ready();
    let _live_probe = play.wait();
    let effects = play.on(Event::Endpoint(Conclusion::Published(endpoint(2))));
    assert_eq!(effects, [Effect::Unregister, Effect::Report], "the probe of the old one is still out");
    assert_eq!(play.probed(1, Ok(())), [Effect::Probe { endpoint: endpoint(2), live: false }]);
    assert_eq!(play.probed(2, Ok(())), [Effect::Register { endpoint: endpoint(2) }, Effect::Report]);
}

#[test]
fn only_failures_in_a_row_make_it_unready() {
    let mut play = Play::ready();
    for outcome in [Err("late"), Err("late"), Ok(()), Err("late"), Err("late")] {
        let _probe = play.wait();
        assert_eq!(play.probed(1, outcome), []);
    }
    let _probe = play.wait();
    assert_eq!(play.probed(1, Err("late")), [Effect::Unregister, Effect::Report]);
    assert_eq!((play.life.state(), play.life.reason().unwrap().text.as_str()), (InstanceState::Unready, "late"));
    let _probe = play.wait();
    assert_eq!(play.probed(1, Ok(())), [Effect::Register { endpoint: endpoint(1) }, Effect::Report]);
    assert_eq!(play.life.reason(), None);
}

#[test]
fn warm_up_comes_once_and_before_the_first_registration() {
    let mut play = Play::starting(Policy { warms_up: true, ..policy() });
    let _probe = play.on(Event::Endpoint(Conclusion::Published(endpoint(1))));
    assert_eq!(play.probed(1, Ok(())), [Effect::WarmUp { endpoint: endpoint(1) }]);
    let failed = Event::WarmedUp { url: endpoint(1).url, outcome: Err("status 500".into()) };
    assert_eq!(play.on(failed), [Effect::Report]);
    let _probe = play.wait();
    assert_eq!(play.probed(1, Ok(())), [Effect::WarmUp { endpoint: endpoint(1) }]);
    let warm = Event::WarmedUp { url: endpoint(1).url, outcome: Ok(()) };
    assert_eq!(play.on(warm), [Effect::Register { endpoint: endpoint(1) }, Effect::Report]);
    let _unready = play.on(Event::Endpoint(Conclusion::Absent));
    let _probe = play.on(Event::Endpoint(Conclusion::Published(endpoint(1))));
    assert_eq!(play.probed(1, Ok(())), [Effect::Register { endpoint: endpoint(1) }, Effect::Report]);
}

#[test]
fn stopping_unregisters_waits_terminates_and_kills_in_this_order() {
    let mut play = Play::ready();
    assert_eq!(play.on(Event::StopWanted(removed())), [Effect::Unregister, Effect::Report]);
    assert_eq!(play.life.state(), InstanceState::Draining);
    let begun = play.now;
    assert_eq!(play.wait(), [Effect::Terminate]);
    assert_eq!(play.now - begun, 3 * SECOND);
    assert_eq!(play.wait(), [Effect::Kill]);
    assert_eq!(play.now - begun, 8 * SECOND);
    assert_eq!(play.on(Event::ScriptEnded(ScriptEnd::Signal(9))), [Effect::Unregister, Effect::Kill]);
    play.ends(InstanceState::Stopped, ReasonCode::Removed);
}

#[test]
fn draining_ends_early_only_after_a_while_without_callers() {
    let mut play = Play::ready();
    let _draining = play.on(Event::StopWanted(removed()));
    assert_eq!(play.life.drains_port(), None, "callers may not know yet");
    assert_eq!(play.on(Event::Connections(0)), []);
    let _noted = play.on(Event::Unregistered);
    assert_eq!(play.life.drains_port(), Some(1));
    for count in [0, 1, 0] {
        assert_eq!(play.on(Event::Connections(count)), []);
        play.now += QUIET - Duration::from_millis(50);
    }
    play.now += Duration::from_millis(50);
    assert_eq!(play.on(Event::Connections(0)), [Effect::Terminate]);
}

#[test]
fn what_was_not_started_needs_no_ceremony() {
    let mut play = Play::new(policy());
    assert_eq!(play.on(Event::StopWanted(removed())), [Effect::Unregister, Effect::Kill, Effect::Report]);
    play.ends(InstanceState::Stopped, ReasonCode::Removed);
    let mut play = Play::new(policy());
    let _ending = play.on(Event::RecordGone);
    assert_eq!(play.on(Event::Claimed), [], "too late");
    play.ends(InstanceState::Stopped, ReasonCode::Removed);
    let mut play = Play::new(policy());
    let _localize = play.on(Event::Claimed);
    let changed = Reason::new(ReasonCode::PayloadChanged, "weights");
    let _ending = play.on(Event::NotLocalized(changed));
    play.ends(InstanceState::Failed, ReasonCode::PayloadChanged);
}

#[test]
fn a_script_that_starts_too_late_for_its_end_is_killed_all_the_same() {
    let mut play = Play::new(policy());
    let _localize = play.on(Event::Claimed);
    let _start = play.on(Event::Localized);
    assert_eq!(play.on(Event::StopWanted(removed())), [Effect::Unregister, Effect::Kill, Effect::Report]);
    assert_eq!(play.on(Event::ScriptStarted), []);
    play.ends(InstanceState::Stopped, ReasonCode::Removed);
}

#[test]
fn a_record_that_goes_ends_a_start_and_not_a_ready_model() {
    let mut play = Play::starting(policy());
    assert_eq!(play.on(Event::RecordGone), [Effect::Unregister, Effect::Terminate, Effect::Report]);
    let mut play = Play::ready();
    assert_eq!(play.on(Event::RecordGone), []);
    assert_eq!(play.life.state(), InstanceState::Ready);
}

#[test]
fn the_first_reason_for_an_end_stays_but_memory_explains_a_kill() {
    let over = Event::OverMemory { used_mb: 312, limit_mb: 256 };
    let mut play = Play::ready();
    let _killed = play.on(Event::ScriptEnded(ScriptEnd::Signal(9)));
    let _known_better = play.on(over.clone());
    assert_eq!(play.life.reason().unwrap().text, "used 312 MB of 256 MB");
    play.ends(InstanceState::Failed, ReasonCode::OutOfMemory);

    let mut play = Play::ready();
    let _draining = play.on(Event::StopWanted(removed()));
    let _late = play.on(over);
    play.ends(InstanceState::Stopped, ReasonCode::Removed);

    let mut play = Play::ready();
    let _lost = play.on(Event::GuardLost);
    let _ended = play.on(Event::ScriptEnded(ScriptEnd::Signal(9)));
    assert_eq!(play.life.reason().unwrap().text, "its guard process was killed");
    play.ends(InstanceState::Failed, ReasonCode::Killed);
}

#[test]
fn a_terminated_runner_drains_what_is_still_wanted() {
    let mut play = Play::ready();
    assert_eq!(play.on(Event::Terminated), [Effect::Unregister, Effect::Report]);
    assert_eq!(play.on(Event::Terminated), [], "asked twice is not asked harder");
    assert_eq!(play.life.state(), InstanceState::Draining);
    let _terminate = play.wait();
    let _ended = play.on(Event::ScriptEnded(ScriptEnd::Code(0)));
    play.ends(InstanceState::Failed, ReasonCode::Killed);
}

/// Any events in any order: it never panics, never registers once an end is decided, and ends at most once.
#[test]
fn no_order_of_events_revives_an_instance_or_ends_it_twice() {
    let events = [
        Event::Claimed,
        Event::Localized,
        Event::ScriptStarted,
        Event::ScriptEnded(ScriptEnd::Code(1)),
        Event::GuardLost,
        Event::Endpoint(Conclusion::Published(endpoint(1))),
        Event::Endpoint(Conclusion::Absent),
        Event::Endpoint(Conclusion::Bad("bad".into())),
        Event::Probed { url: endpoint(1).url, outcome: Ok(()) },
        Event::Probed { url: endpoint(1).url, outcome: Err("no".into()) },
        Event::StopWanted(removed()),
        Event::RecordGone,
        Event::Terminated,
        Event::OverMemory { used_mb: 2, limit_mb: 1 },
        Event::Unregistered,
        Event::Connections(0),
        Event::NothingLeft,
        Event::Tick,
    ];
    // A small generator of our own keeps the sequences the same in every run.
    let mut random = 1u64;
    for _ in 0..5000 {
        let (mut play, mut finished) = (Play::new(policy()), 0);
        for _ in 0..40 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let event = events[usize::try_from((random >> 33) % events.len() as u64).unwrap()].clone();
            play.now += Duration::from_millis((random >> 20) % 3000);
            let decided = play.life.end().is_some();
            for effect in play.on(event.clone()) {
                finished += usize::from(effect == Effect::Finish);
                let registers = matches!(effect, Effect::Register { .. } | Effect::Localize | Effect::StartScript);
                assert!(!(decided && registers), "{effect:?} on {event:?} after the end was decided");
            }
        }
        assert!(finished <= 1);
    }
}
