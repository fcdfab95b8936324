//! A request that is only thought through: what intake would decide and what the planner would then do. Pure.
//!
//! What would happen without the request too is left out of the answer.

use crate::clock::Now;
use crate::desired::{Desired, History, Version};
use crate::intake::{self, Arrival, Decision};
use crate::observed::{Observed, Payload};
use crate::plan::{Effect, Plan, Step, plan};
use crate::policy::Policy;
use crate::view::View;
use jiff::Timestamp;
use maas_cli::ErrorCode;
use maas_client::api::{PlanAnswer, PlanQuestion, PlanVerdict, PlannedStep};
use maas_client::model::ModelId;
use maas_client::reason::{Reason, ReasonCode};
use maas_client::request::{Action, Extra, ModelRequest, Resources};
use std::path::PathBuf;
use std::sync::Arc;

/// The id of a request that is not there: placed after all that are.
const NO_REQUEST: &str = "qn-plan-ffffffffffffffff";

/// The digest of a payload that is not fetched yet.
const NO_DIGEST: &str = "sha256:plan";

/// Why a question has no answer: the request itself would be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// From the list of error codes.
    pub code: ErrorCode,
    /// What, which value, what to do.
    pub text: String,
}

/// What the launcher says to so many more instances with these needs, where it finds places by itself.
pub type Forecast<'a> = &'a dyn Fn(&Resources, u32) -> Option<Reason>;

/// What would follow.
pub fn think_through(
    view: &View,
    question: &PlanQuestion,
    policy: &Policy,
    time: Timestamp,
    forecast: Forecast<'_>,
) -> Result<PlanAnswer, Refused> {
    let model = ModelId { name: question.name.clone(), version: question.version.clone() };
    let current = view.desired.versions.get(&model);
    let request = request_of(question, &model, current.map(Arc::as_ref));
    let arrival = Arrival { id: NO_REQUEST, time };
    let change = match intake::decide(&request, arrival, current.map(Arc::as_ref), policy) {
        Decision::Accept(change) => change,
        Decision::Refuse { code, reason } => return Err(Refused { code, text: reason }),
    };
    let history = current.map_or_else(History::default, |version| version.history.clone());
    let mut wanted = change.desired;
    wanted.digest.get_or_insert_with(|| NO_DIGEST.to_string());
    let payload = Payload::Present {
        directory: PathBuf::new(),
        digest: wanted.digest.clone().unwrap_or_default(),
        call: wanted.call.clone(),
        stop_bound_s: 0,
    };
    let needs = wanted.resources.clone();
    let version = Version {
        node_version: current.map_or(0, |version| version.node_version),
        spec: change.spec,
        spec_version: current.and_then(|version| version.spec_version),
        history: history.of_generation(wanted.generation),
        desired: wanted,
    };
    let mut desired: Desired = (*view.desired).clone();
    desired.versions.insert(model.clone(), Arc::new(version));

    let now = Now { at: view.at, time, jitter: 0.5 };
    let before = plan(&view.desired, &view.observed, policy, &now);
    // With its payload at hand: launches wait for it, room does not depend on it.
    let mut observed: Observed = (*view.observed).clone();
    observed.payloads.insert(model.clone(), payload);
    let after = plan(&desired, &observed, policy, &now);
    let is_fetched = matches!(view.observed.payloads.get(&model), Some(Payload::Present { .. }));
    let mut steps = added(&before, after.clone(), &model);
    let launches = steps
        .iter()
        .filter(|step| step.step == "launch" && step.name == model.name && step.version == model.version)
        .count();
    let foreseen =
        u32::try_from(launches).ok().filter(|launches| *launches > 0).and_then(|launches| forecast(&needs, launches));
    if !is_fetched && launches > 0 {
        steps.insert(0, shown(Step { model: model.clone(), effect: Effect::Fetch, reason: "fetched once".into() }));
    }
    let verdict = after.verdicts.get(&model);
    let fits = verdict.map_or(PlanVerdict::Now, |verdict| verdict.fits);
    let reason = verdict.filter(|_| fits != PlanVerdict::Now).and_then(|verdict| verdict.reason.clone());
    let (fits, reason) = match foreseen {
        Some(foreseen) if fits == PlanVerdict::Now => (verdict_of(&foreseen), Some(foreseen)),
        _ => (fits, reason),
    };
    Ok(PlanAnswer { verdict: fits, reason, steps })
}

fn verdict_of(foreseen: &Reason) -> PlanVerdict {
    if foreseen.code == ReasonCode::NeverFits { PlanVerdict::Never } else { PlanVerdict::Waits }
}

/// The request our own client would send.
fn request_of(question: &PlanQuestion, model: &ModelId, current: Option<&Version>) -> ModelRequest {
    let there = current.map(|version| &version.desired);
    let resources = question.resources.clone().or_else(|| there.map(|desired| desired.resources.clone()));
    let is_add = question.action == Action::Add;
    ModelRequest {
        model: model.clone(),
        action: question.action,
        num_instances: question.num_instances,
        resources: resources.unwrap_or_default(),
        // The payload's place does not change what would follow.
        path: is_add.then(|| there.map_or_else(|| "/plan".to_string(), |desired| desired.path.clone())),
        extra: Extra {
            by: Some("plan".to_string()),
            digest: there.and_then(|desired| desired.digest.clone()),
            ..Extra::default()
        },
    }
}

/// Steps of `after` that are not in `before`, each counted as often as it occurs. Recording what a payload says is not
/// worth a word: it was invented above.
fn added(before: &Plan, after: Plan, model: &ModelId) -> Vec<PlannedStep> {
    let mut there: Vec<&Step> = before.steps.iter().collect();
    let mut steps = Vec::new();
    for step in after.steps {
        let same = there.iter().position(|other| other.model == step.model && other.effect == step.effect);
        let is_noise = step.model == *model && matches!(step.effect, Effect::RecordPayload | Effect::Fetch);
        match same {
            Some(place) => drop(there.swap_remove(place)),
            None if is_noise => {}
            None => steps.push(shown(step)),
        }
    }
    steps
}

fn shown(step: Step) -> PlannedStep {
    // The request that is thought through has no id that would mean anything to anybody.
    let why = step.reason.replace(&format!("request {NO_REQUEST}"), "this request");
    let reason = match &step.effect {
        Effect::Launch { host, .. } if !host.is_empty() => format!("on {host}: {why}"),
        _ => why,
    };
    PlannedStep {
        step: step.effect.word().to_string(),
        name: step.model.name,
        version: step.model.version,
        instance: step.effect.instance().map(str::to_string),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{leading, time};
    use crate::observed::Node;
    use maas_client::api::Amounts;

    /// dga 1.0 holds 1,024 MB of a node's 2,048, scan 2.0 wants 512 more.
    fn view() -> View {
        let mut view = leading();
        let mut observed = (*view.observed).clone();
        let total = Amounts { memory_mb: 2_048, vcores: 4, gpus: 0 };
        observed.nodes = vec![Node { host: "node1".into(), total, label: String::new(), limits_vcores: false }];
        view.observed = Arc::new(observed);
        view
    }

    fn ask(action: Action, name: &str, version: &str, count: u32, memory_mb: u64) -> Result<PlanAnswer, Refused> {
        let question = PlanQuestion {
            action,
            name: name.parse().unwrap(),
            version: version.parse().unwrap(),
            num_instances: count,
            resources: (memory_mb > 0).then(|| Resources { memory_mb, ..Resources::default() }),
        };
        think_through(&view(), &question, &Policy::default(), time(), &|_, _| None)
    }

    fn words(answer: &PlanAnswer) -> Vec<&str> {
        answer.steps.iter().map(|step| step.step.as_str()).collect()
    }

    #[test]
    fn an_add_that_fits_is_launched_now() {
        let answer = ask(Action::Add, "new", "1.0", 1, 256).unwrap();
        assert_eq!((answer.verdict, words(&answer)), (PlanVerdict::Now, vec!["import", "launch"]));
        assert!(answer.reason.is_none() && answer.steps[1].reason.starts_with("on node1"), "{answer:?}");
    }

    #[test]
    fn an_add_without_room_waits_and_one_too_large_never_fits() {
        let answer = ask(Action::Add, "new", "1.0", 5, 256).unwrap();
        assert_eq!(answer.verdict, PlanVerdict::Waits);
        assert_eq!(answer.reason.unwrap().code, ReasonCode::WaitingCapacity);
        let answer = ask(Action::Add, "new", "1.0", 1, 4_096).unwrap();
        assert_eq!((answer.verdict, answer.reason.unwrap().code), (PlanVerdict::Never, ReasonCode::NeverFits));
    }

    #[test]
    fn where_the_launcher_finds_places_its_word_counts() {
        let mut view = view();
        let observed = Observed { finds_places: true, ..(*view.observed).clone() };
        view.observed = Arc::new(observed);
        let ask = |code: Option<ReasonCode>| {
            let question = PlanQuestion {
                action: Action::Add,
                name: "new".parse().unwrap(),
                version: "1.0".parse().unwrap(),
                num_instances: 3,
                resources: Some(Resources { memory_mb: 100_000, ..Resources::default() }),
            };
            let forecast = |needs: &Resources, count| {
                assert_eq!((needs.memory_mb, count), (100_000, 3));
                code.map(|code| Reason::new(code, "1 of 3 fits now"))
            };
            think_through(&view, &question, &Policy::default(), time(), &forecast).unwrap()
        };
        assert_eq!(ask(None).verdict, PlanVerdict::Now);
        assert_eq!(ask(Some(ReasonCode::NeverFits)).verdict, PlanVerdict::Never);
        let waits = ask(Some(ReasonCode::WaitingCapacity));
        assert_eq!((waits.verdict, waits.reason.unwrap().text.as_str()), (PlanVerdict::Waits, "1 of 3 fits now"));
    }

    #[test]
    fn what_would_happen_anyway_is_left_out_and_a_removal_names_its_victims() {
        let answer = ask(Action::Scale, "dga", "1.0", 2, 0).unwrap();
        assert!(answer.steps.is_empty(), "{answer:?}");
        let answer = ask(Action::Remove, "dga", "1.0", 1, 0).unwrap();
        assert_eq!(words(&answer), ["stop"]);
        assert_eq!(answer.steps[0].instance.as_deref(), Some("3-3-bbbb"));
        assert!(answer.steps[0].reason.contains("by this request"), "{answer:?}");
    }

    #[test]
    fn what_intake_refuses_is_refused() {
        let code = |answer: Result<PlanAnswer, Refused>| answer.unwrap_err().code;
        assert_eq!(code(ask(Action::Add, "dga", "1.0", 1, 1_024)), ErrorCode::ConflictResources);
        assert_eq!(code(ask(Action::Add, "new", "1.0", 0, 64)), ErrorCode::CountMax);
        assert_eq!(code(ask(Action::Remove, "none", "1.0", 1, 0)), ErrorCode::NoVersion);
    }
}
