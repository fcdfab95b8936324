//! The whole system on real servers. Each module is one kind of scenario; the harness is this member's library.
//!
//! `scripts/test.sh system` runs all but those marked as ignored, `scripts/test.sh soak` those.

mod acl;
mod bad_input;
mod calls;
mod clients;
mod crash_points;
mod doctor;
mod endpoints;
mod faults;
mod leaders;
mod outages;
mod random_kills;
mod surroundings;
mod troubled_models;
mod try_out;
mod walk_through;
