//! maas-runner.
