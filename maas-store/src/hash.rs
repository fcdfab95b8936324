//! SHA-256 while copying, in one pass over the bytes.

use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// What went through a copy.
pub(crate) struct Copied {
    /// How many bytes.
    pub(crate) size: u64,
    /// Their SHA-256, hex.
    pub(crate) sha256: String,
}

/// A failed copy: the two sides need different words.
pub(crate) enum CopyError {
    /// The source.
    Read(io::Error),
    /// The target.
    Write(io::Error),
}

const BUFFER: usize = 128 << 10;

/// Copies at most `limit` bytes and one more, telling `seen` how many each time; hashes on the way.
pub(crate) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    limit: u64,
    seen: &mut dyn FnMut(u64),
) -> Result<Copied, CopyError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut size: u64 = 0;
    // One byte over the limit is enough to know that the file is longer than it was said to be.
    while size <= limit {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        hasher.update(&buffer[..count]);
        to.write_all(&buffer[..count]).map_err(CopyError::Write)?;
        size += count as u64;
        seen(count as u64);
    }
    Ok(Copied { size, sha256: hex(&hasher.finalize()) })
}

/// SHA-256 of bytes, hex.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a text is 64 lower-case hex digits.
pub(crate) fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
