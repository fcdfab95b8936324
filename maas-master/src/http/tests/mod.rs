//! Every path over snapshots made by hand.

mod answers;
mod fixture;
mod logs;
