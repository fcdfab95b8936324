//! Compiles the definitions in `proto/` into Rust, without `protoc`.
//!
//! The descriptors are written beside the code: the tests decode and encode recorded bytes by them.

use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = [
        "rpc.proto",
        "application_client.proto",
        "application_master.proto",
        "container_management.proto",
        "token_identifiers.proto",
    ];
    let descriptors = protox::compile(files, ["proto"])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    prost_build::Config::new().bytes([".hadoop.common.TokenProto"]).compile_fds(descriptors)?;
    Ok(())
}
