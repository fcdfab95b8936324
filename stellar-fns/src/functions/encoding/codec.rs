//! The encodings by name.

use crate::error::{Fault, shown};
use crate::function::Arguments;

use super::radix::{BASE32, BASE32HEX, BASE64};

/// An encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Base32,
    Base32Hex,
    Base64,
    Binary,
    Hex,
}

impl Codec {
    pub(super) const ALL: [Self; 5] = [Self::Base32, Self::Base32Hex, Self::Base64, Self::Binary, Self::Hex];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Base32 => "BASE32",
            Self::Base32Hex => "BASE32HEX",
            Self::Base64 => "BASE64",
            Self::Binary => "BINARY",
            Self::Hex => "HEX",
        }
    }

    /// The encoding that the second argument names.
    pub(super) fn named(arguments: &Arguments<'_>) -> Result<Self, Fault> {
        let name = arguments.text(1)?;
        let found = Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            Fault::argument(format!("no encoding {}; there are {}", shown(name), Self::ALL.map(Self::name).join(", ")))
        })
    }

    /// Whether the text has only characters of this encoding.
    pub(super) fn is_written(self, text: &str) -> bool {
        match self {
            Self::Base32 => BASE32.is_written(text),
            Self::Base32Hex => BASE32HEX.is_written(text),
            Self::Base64 => BASE64.is_written(text),
            Self::Binary => text.bytes().all(|byte| matches!(byte, b'0' | b'1')),
            Self::Hex => text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        }
    }

    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Base32 => BASE32.encode(bytes),
            Self::Base32Hex => BASE32HEX.encode(bytes),
            Self::Base64 => BASE64.encode(bytes),
            // From the last byte to the first, each from its highest bit.
            Self::Binary => bytes.iter().rev().map(|byte| format!("{byte:08b}")).collect(),
            Self::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// The bytes; none where hexadecimal or binary text can't be read. The other encodings pass over foreign characters.
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base32 => Some(BASE32.decode(text)),
            Self::Base32Hex => Some(BASE32HEX.decode(text)),
            Self::Base64 => Some(BASE64.decode(text)),
            Self::Binary if self.is_written(text) => {
                let byte = |bits: &[u8]| bits.iter().fold(0_u8, |byte, bit| (byte << 1) | (bit - b'0'));
                Some(text.as_bytes().rchunks_exact(8).map(byte).collect())
            }
            Self::Hex if self.is_written(text) => {
                let digit =
                    |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
                Some(text.as_bytes().chunks_exact(2).map(|pair| (digit(pair[0]) << 4) | digit(pair[1])).collect())
            }
            Self::Binary | Self::Hex => None,
        }
    }
}
