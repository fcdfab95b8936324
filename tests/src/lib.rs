//! The harness that starts real servers and our programs for the scenarios in `tests/`.
