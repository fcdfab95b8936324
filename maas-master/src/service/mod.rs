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
#[cfg(not(feature = "yarn"))]
mod without_yarn;
#[cfg(feature = "yarn")]
mod yarn;

pub use entry::entry;
pub(crate) use fetch::get as fetch;
#[cfg(not(feature = "yarn"))]
use without_yarn as yarn;
