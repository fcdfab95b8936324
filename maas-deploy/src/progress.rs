//! What each instance is doing while one waits: a line that renews itself on a terminal, else a line for each change.

use crate::context::note;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use maas_client::model::ModelId;
use maas_client::picture::{InstancePicture, VersionPicture};
use maas_client::reason::InstanceState;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

/// Where progress goes.
pub(crate) enum Progress {
    /// Nowhere.
    Silent,
    /// One line that renews itself.
    Terminal(ProgressBar),
    /// A line for each change, since the last of each instance.
    Lines(BTreeMap<String, (InstanceState, String)>),
}

impl Progress {
    /// For stderr as it is: a terminal or not.
    pub(crate) fn for_stderr() -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress::Lines(BTreeMap::new());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress::Terminal(bar)
    }

    /// Something that is no instance's state.
    pub(crate) fn say(&mut self, text: &str) {
        match self {
            Progress::Silent => {}
            Progress::Terminal(bar) => bar.println(text),
            Progress::Lines(_) => note(text),
        }
    }

    /// The version as it is now.
    pub(crate) fn show(&mut self, model: &ModelId, version: Option<&VersionPicture>) {
        match self {
            Progress::Silent => {}
            Progress::Terminal(bar) => bar.set_message(summary(model, version)),
            Progress::Lines(seen) => {
                for line in changes(seen, model, version) {
                    note(line);
                }
            }
        }
    }

    /// The wait is over.
    pub(crate) fn finish(&self) {
        if let Progress::Terminal(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// `dga 1.0: 1 of 2 ready · 7f3a Starting`
fn summary(model: &ModelId, version: Option<&VersionPicture>) -> String {
    let Some(version) = version else { return format!("{model}: nothing left") };
    let mut text = format!("{model}: {} of {} ready", version.ready(), version.wanted());
    let others = version.instances.iter().filter(|instance| instance.state() != InstanceState::Ready);
    for instance in others.take(6) {
        text.push_str(&format!(" · {}", describe(instance)));
    }
    if version.instances.is_empty()
        && let Some(reason) = version.reason()
    {
        text.push_str(&format!(" · {reason}"));
    }
    text
}

fn describe(instance: &InstancePicture) -> String {
    let why = instance.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let host = instance.host();
    let place = if host.is_empty() { String::new() } else { format!(" on {host}") };
    format!("{} {}{place}{why}", instance.id, instance.state())
}

/// A line for each instance that is not as it was seen last, and for the version's own reason.
fn changes(
    seen: &mut BTreeMap<String, (InstanceState, String)>,
    model: &ModelId,
    version: Option<&VersionPicture>,
) -> Vec<String> {
    let mut lines = Vec::new();
    let Some(version) = version else { return lines };
    let is_first_look = seen.is_empty();
    for instance in &version.instances {
        let reason = instance.reason().map(|reason| reason.text.clone()).unwrap_or_default();
        let now = (instance.state(), reason);
        let earlier = seen.get(&instance.id);
        if earlier == Some(&now) {
            continue;
        }
        // What was ready before the wait is no news, nor is a runner that has gone and left only the intent.
        let was_ready = is_first_look && instance.state() == InstanceState::Ready;
        let has_gone = instance.claim.is_none() && earlier.is_some_and(|earlier| earlier.0 > InstanceState::Allocated);
        if !was_ready && !has_gone {
            lines.push(format!("{model}: {}", describe(instance)));
        }
        seen.insert(instance.id.clone(), now);
    }
    if let Some(reason) = version.reason() {
        let now = (InstanceState::Requested, reason.text.clone());
        if seen.get("").is_none_or(|earlier| earlier.1 != now.1) {
            lines.push(format!("{model}: {} ({reason})", version.state()));
            seen.insert(String::new(), now);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn each_change_of_an_instance_is_one_line() {
        let mut seen = BTreeMap::new();
        let mut version = testing::version("dga", "1.0", 1);
        version.instances = vec![testing::instance("1-1-aaaa")];
        let model = version.model.clone();
        assert_eq!(changes(&mut seen, &model, Some(&version)), ["dga 1.0: 1-1-aaaa Requested on node7"]);
        assert!(changes(&mut seen, &model, Some(&version)).is_empty());
        assert_eq!(summary(&model, Some(&version)), "dga 1.0: 0 of 1 ready · 1-1-aaaa Requested on node7");
    }
}
