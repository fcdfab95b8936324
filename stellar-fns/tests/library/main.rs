//! The library through its public interface; the recorded cases have their own test, `conformance`.

mod hostile;
mod language;
