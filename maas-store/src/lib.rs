//! maas-store.
