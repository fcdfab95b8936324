//! `/metrics` in Prometheus' text format. Never a label per instance.

use super::render;
use super::state::App;
use crate::events::Tally;
use crate::view::View;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use maas_client::api::Amounts;
use maas_client::reason::InstanceState;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let text = text_of(&app.view(), &app.log().tally());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

/// The text of one scrape. Pure.
pub(super) fn text_of(view: &View, tally: &Tally) -> String {
    let mut page = Page::default();
    page.family("maas_leader", "gauge", "1 while this master leads");
    page.sample("maas_leader", &[], f64::from(u8::from(view.leading().is_some())));
    page.family("maas_zookeeper_connected", "gauge", "1 while connected to ZooKeeper");
    page.sample("maas_zookeeper_connected", &[], f64::from(u8::from(view.connected)));
    page.family("maas_queue_waiting", "gauge", "requests that wait in the queue");
    page.sample("maas_queue_waiting", &[], view.queue.waiting as f64);

    page.family("maas_requests_total", "counter", "requests taken from the queue since this master started");
    let counts = &view.counts;
    let outcomes = [("accepted", counts.accepted), ("duplicate", counts.duplicate), ("refused", counts.refused)];
    for (outcome, count) in outcomes {
        page.sample("maas_requests_total", &[("outcome", outcome)], count as f64);
    }
    page.family("maas_rejected_total", "counter", "messages that could not be read and were set aside");
    page.sample("maas_rejected_total", &[], counts.rejected as f64);

    instances(&mut page, view);

    page.family("maas_instance_restarts_total", "counter", "instances that failed and were replaced, by why");
    for ((model, code), count) in &tally.failures {
        let labels =
            [("name", model.name.as_str()), ("version", model.version.as_str()), ("reason_code", code.as_str())];
        page.sample("maas_instance_restarts_total", &labels, *count as f64);
    }

    capacity(&mut page, view);

    page.family("maas_reconcile_seconds", "histogram", "time one pass over everything took");
    let mut cumulated = 0;
    for (bound, count) in tally.passes.buckets() {
        cumulated += count;
        page.sample("maas_reconcile_seconds_bucket", &[("le", bound)], cumulated as f64);
    }
    page.sample("maas_reconcile_seconds_sum", &[], tally.passes.sum);
    page.sample("maas_reconcile_seconds_count", &[], tally.passes.count as f64);
    page.text
}

fn instances(page: &mut Page, view: &View) {
    let mut by_state: BTreeMap<(&str, &str, InstanceState), u64> = BTreeMap::new();
    for instance in view.observed.instances.values() {
        let model = &instance.record.model;
        *by_state.entry((model.name.as_str(), model.version.as_str(), instance.state().0)).or_insert(0) += 1;
    }
    // A version that is wanted has its number also while no instance is there: an alert compares the two.
    for (model, _) in view.desired.versions.iter().filter(|(_, version)| version.desired.count > 0) {
        by_state.entry((model.name.as_str(), model.version.as_str(), InstanceState::Ready)).or_insert(0);
    }
    page.family("maas_instances", "gauge", "instances that have a record, by state");
    for ((name, version, state), count) in by_state {
        let labels = [("name", name), ("version", version), ("state", &state.to_string())];
        page.sample("maas_instances", &labels, count as f64);
    }
    page.family("maas_instances_wanted", "gauge", "instances that requests asked for");
    for (model, version) in &view.desired.versions {
        let labels = [("name", model.name.as_str()), ("version", model.version.as_str())];
        page.sample("maas_instances_wanted", &labels, f64::from(version.desired.count));
    }
}

fn capacity(page: &mut Page, view: &View) {
    page.family("maas_capacity_bytes", "gauge", "memory of each host: total, used by instances, free");
    for node in render::capacity_of(view).nodes {
        let kinds: [(&str, Amounts); 3] = [("free", node.free), ("total", node.total), ("used", node.used)];
        for (kind, amounts) in kinds {
            let bytes = amounts.memory_mb as f64 * f64::from(1 << 20);
            page.sample("maas_capacity_bytes", &[("host", &node.host), ("kind", kind)], bytes);
        }
    }
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String can't fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{}{label}=\"{text}\"", if index == 0 { '{' } else { ',' });
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
    }
}
