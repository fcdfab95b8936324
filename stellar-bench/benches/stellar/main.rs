//! `stellar`: expressions warm and compiled beside cel and rhai, calls of models beside a bare client, and a million events.
//!
//! `cargo bench … -- expressions` measures one part; the others are `calls` and `events`.

mod calls;
mod events;
mod expressions;
mod line;
mod other;

/// What the programs use too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let parts: [(&str, fn()); 3] =
        [("expressions", expressions::measure), ("calls", calls::measure), ("events", events::measure)];
    for (name, measure) in parts {
        if asked.is_empty() || asked.iter().any(|part| part == name) {
            measure();
        }
    }
}
