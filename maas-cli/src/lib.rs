//! maas-cli.
