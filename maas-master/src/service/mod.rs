//! The commands: a master in the foreground or detached, `status`, `stop`.

mod announce;
mod detach;
mod entry;
mod fetch;
mod launcher;
mod run;
mod signals;
mod standby;
mod state_dir;
mod status;
mod stop;

pub use entry::entry;
