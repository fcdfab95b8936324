//! Tests of the crate from outside: the store's contract, and the checks of model directories.

mod bundle;
mod contract;
mod fixture;
