//! Exit codes, the same in every program. Scripts rely on them: they are only ever added to.

/// Done.
pub const DONE: u8 = 0;
/// A defect of ours.
pub const DEFECT: u8 = 1;
/// Wrong usage: options, missing configuration.
pub const USAGE: u8 = 2;
/// The input was understood and refused.
pub const REFUSED: u8 = 3;
/// What was asked for is not there.
pub const NOT_FOUND: u8 = 4;
/// Gave up waiting.
pub const TIMED_OUT: u8 = 5;
/// A server can't be reached, or refused for want of space.
pub const UNREACHABLE: u8 = 6;
/// The model failed.
pub const MODEL_FAILED: u8 = 7;
/// Conflict with what is there.
pub const CONFLICT: u8 = 8;
/// Not permitted.
pub const NOT_PERMITTED: u8 = 9;
/// Interrupted by the user.
pub const INTERRUPTED: u8 = 130;

/// What each exit code means, for help texts.
pub const MEANINGS: &[(u8, &str)] = &[
    (DONE, "done"),
    (DEFECT, "a defect of ours"),
    (USAGE, "usage"),
    (REFUSED, "input refused"),
    (NOT_FOUND, "not found"),
    (TIMED_OUT, "gave up waiting"),
    (UNREACHABLE, "a server can't be reached, or refused for want of space"),
    (MODEL_FAILED, "the model failed"),
    (CONFLICT, "conflict"),
    (NOT_PERMITTED, "not permitted"),
    (INTERRUPTED, "interrupted"),
];
