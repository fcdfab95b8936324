//! The master against the memory tree and the fake launcher, in paused time: crashes, elections, lost answers, bad input.

mod crashes;
mod faults;
mod intake;
mod leaders;
mod lifecycle;
mod random;
mod world;
