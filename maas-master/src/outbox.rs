//! Events on their way out: numbered in the order of happening within a term, then handed to whoever persists them.

use crate::events::event_id;
use jiff::Timestamp;
use maas_client::event::Event;
use maas_client::model::ModelId;
use maas_client::reason::Reason;
use tokio::sync::mpsc;

/// An event of this kind about nothing in particular yet.
pub fn event(kind: &str, time: Timestamp) -> Event {
    Event {
        id: String::new(),
        time,
        kind: kind.to_string(),
        name: None,
        version: None,
        instance: None,
        host: None,
        reason_code: None,
        reason: String::new(),
        exit_code: None,
        request: None,
        by: None,
    }
}

/// What is added to an event, step by step.
pub trait EventExt: Sized {
    /// The version it concerns.
    fn of(self, model: &ModelId) -> Self;
    /// The instance it concerns, and where that is.
    fn at(self, instance: &str, host: &str) -> Self;
    /// Why, with its code.
    fn why(self, reason: Option<&Reason>) -> Self;
    /// Why, for a person only.
    fn because(self, text: impl Into<String>) -> Self;
    /// The request that caused it.
    fn by_request(self, id: &str, by: Option<&str>) -> Self;
}

impl EventExt for Event {
    fn of(mut self, model: &ModelId) -> Self {
        self.name = Some(model.name.clone());
        self.version = Some(model.version.clone());
        self
    }
    fn at(mut self, instance: &str, host: &str) -> Self {
        self.instance = Some(instance.to_string());
        self.host = (!host.is_empty()).then(|| host.to_string());
        self
    }
    fn why(mut self, reason: Option<&Reason>) -> Self {
        if let Some(reason) = reason {
            self.reason_code = Some(reason.code);
            self.reason = reason.text.clone();
        }
        self
    }
    fn because(mut self, text: impl Into<String>) -> Self {
        self.reason = text.into();
        self
    }
    fn by_request(mut self, id: &str, by: Option<&str>) -> Self {
        self.request = Some(id.to_string());
        self.by = by.map(str::to_string);
        self
    }
}

/// Numbers the events of one term.
#[derive(Debug)]
pub struct Events {
    epoch: i32,
    next: u64,
    sender: mpsc::UnboundedSender<Event>,
}

impl Events {
    /// The events of the term with this epoch.
    pub fn of_term(epoch: i32, sender: mpsc::UnboundedSender<Event>) -> Events {
        Events { epoch, next: 1, sender }
    }

    /// Sends one; without a reader it is only logged.
    pub fn emit(&mut self, mut event: Event) {
        event.id = event_id(self.epoch, self.next);
        self.next += 1;
        tracing::info!(
            kind = event.kind,
            model = event.name.as_ref().map(tracing::field::display),
            version = event.version.as_ref().map(tracing::field::display),
            instance = event.instance,
            reason = event.reason,
            "event"
        );
        // Nobody reads events in some tests, and while the process ends.
        let _ = self.sender.send(event);
    }
}
