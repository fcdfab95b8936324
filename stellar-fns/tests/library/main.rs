//! The library through its public interface; the recorded cases have their own test, `conformance`.

mod command;
mod enrichment;
mod hostile;
mod language;
mod terminal;
