//! maas-master.
