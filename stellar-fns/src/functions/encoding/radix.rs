//! Base 32 and base 64 the way commons-codec reads them: foreign characters are passed over, `=` ends the text, bits left over are dropped.

/// An alphabet of 2^bits characters.
pub(super) struct Radix {
    alphabet: &'static [u8],
    bits: u32,
    /// How many characters a full group has.
    group: usize,
    /// Base 64 also reads the characters that are safe in URLs.
    url_safe: bool,
    /// A character behind the alphabet that commons-codec reads as one digit more, which spills into the digit before.
    spills: Option<u8>,
}

pub(super) const BASE32: Radix =
    Radix { alphabet: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", bits: 5, group: 8, url_safe: false, spills: None };
pub(super) const BASE32HEX: Radix =
    Radix { alphabet: b"0123456789ABCDEFGHIJKLMNOPQRSTUV", bits: 5, group: 8, url_safe: false, spills: Some(b'W') };
pub(super) const BASE64: Radix = Radix {
    alphabet: b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    bits: 6,
    group: 4,
    url_safe: true,
    spills: None,
};

impl Radix {
    fn digit(&self, byte: u8) -> Option<u32> {
        let byte = match byte {
            b'-' if self.url_safe => b'+',
            b'_' if self.url_safe => b'/',
            byte => byte,
        };
        let digit = self.alphabet.iter().position(|known| *known == byte);
        let digit = digit.or((Some(byte) == self.spills).then_some(self.alphabet.len()));
        digit.and_then(|digit| u32::try_from(digit).ok())
    }

    /// Whether there is nothing but digits, `=` and white space.
    pub(super) fn is_written(&self, text: &str) -> bool {
        text.bytes().all(|byte| matches!(byte, b'=' | b' ' | b'\n' | b'\r' | b'\t') || self.digit(byte).is_some())
    }

    pub(super) fn encode(&self, bytes: &[u8]) -> String {
        let mut out = String::with_capacity(bytes.len() * 8 / self.bits as usize + self.group);
        let (mut buffer, mut held) = (0_u32, 0);
        let push = |out: &mut String, digit: u32| {
            out.push(char::from(self.alphabet[digit as usize & (self.alphabet.len() - 1)]))
        };
        for byte in bytes {
            buffer = (buffer << 8) | u32::from(*byte);
            held += 8;
            while held >= self.bits {
                held -= self.bits;
                push(&mut out, buffer >> held);
            }
        }
        if held > 0 {
            push(&mut out, buffer << (self.bits - held));
        }
        while !out.len().is_multiple_of(self.group) {
            out.push('=');
        }
        out
    }

    pub(super) fn decode(&self, text: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() * self.bits as usize / 8);
        let (mut buffer, mut held) = (0_u32, 0);
        for byte in text.bytes().take_while(|byte| *byte != b'=') {
            let Some(digit) = self.digit(byte) else { continue };
            buffer = (buffer << self.bits).wrapping_add(digit);
            held += self.bits;
            if held >= 8 {
                held -= 8;
                out.push((buffer >> held & 0xff) as u8);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        for radix in [BASE32, BASE32HEX, BASE64] {
            for text in ["", "f", "fo", "foo", "foob", "fooba", "foobar"] {
                assert_eq!(radix.decode(&radix.encode(text.as_bytes())), text.as_bytes());
            }
        }
        assert_eq!(BASE32.encode(b"foob"), "MZXW6YQ=");
        assert_eq!(BASE64.encode(b"fo"), "Zm8=");
    }

    #[test]
    fn foreign_characters_are_passed_over() {
        assert_eq!(BASE64.decode("Zm!9\nv"), b"foo");
    }
}
