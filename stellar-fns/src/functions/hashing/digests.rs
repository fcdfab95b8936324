//! Message digests by their Java names.

use sha2::Digest as _;

use crate::error::{Fault, shown};

/// The names as Java lists them.
pub(super) const NAMES: [&str; 9] =
    ["MD2", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "SHA-512/224", "SHA-512/256"];

/// The digest of bytes as lower-case hexadecimal text; zeros of the same length without bytes.
pub(super) fn digest(algorithm: &str, bytes: Option<&[u8]>) -> Result<String, Fault> {
    let input = bytes.unwrap_or_default();
    let digest: Vec<u8> = match algorithm.to_ascii_uppercase().as_str() {
        "MD2" => md2::Md2::digest(input).to_vec(),
        "MD5" => md5::Md5::digest(input).to_vec(),
        "SHA" | "SHA1" | "SHA-1" => sha1::Sha1::digest(input).to_vec(),
        "SHA-224" => sha2::Sha224::digest(input).to_vec(),
        "SHA-256" => sha2::Sha256::digest(input).to_vec(),
        "SHA-384" => sha2::Sha384::digest(input).to_vec(),
        "SHA-512" => sha2::Sha512::digest(input).to_vec(),
        "SHA-512/224" => sha2::Sha512_224::digest(input).to_vec(),
        "SHA-512/256" => sha2::Sha512_256::digest(input).to_vec(),
        _ => {
            return Err(Fault::argument(format!(
                "no algorithm {}; there are {}, TLSH",
                shown(algorithm),
                NAMES.join(", ")
            )));
        }
    };
    Ok(match bytes {
        Some(_) => digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        None => "00".repeat(digest.len()),
    })
}
