//! The whole system on real servers. Each module is one kind of scenario; the harness is this member's library.

mod clients;
