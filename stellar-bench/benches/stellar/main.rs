//! `stellar`: expressions warm and compiled beside cel and rhai, calls of models beside a bare client, and a million events.

mod calls;
mod events;
mod expressions;
mod line;
mod other;

fn main() {
    expressions::measure();
    calls::measure();
    events::measure();
}
