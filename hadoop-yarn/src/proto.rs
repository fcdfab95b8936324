//! The messages of `proto/`, as prost makes them. They stay inside this crate: [`crate::types`] has what users see.

#![expect(
    unreachable_pub,
    clippy::enum_variant_names,
    reason = "generated code is public, with the names of the protocol"
)]

/// RPC headers, SASL, tokens.
pub mod common {
    include!(concat!(env!("OUT_DIR"), "/hadoop.common.rs"));
}

/// Records and methods of YARN.
pub mod yarn {
    include!(concat!(env!("OUT_DIR"), "/hadoop.yarn.rs"));
}
