//! Every path over snapshots made by hand.

mod answers;
mod logs;
mod site;
