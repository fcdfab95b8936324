//! Sealing of frames after a negotiation under integrity or privacy (RFC 2831, sections 2.3 and 2.4). Pure.
//!
//! A sealed text ends with 10 bytes of HMAC-MD5 over the sequence number and the data, then `00 01`, then the sequence number; under privacy data,
//! padding and HMAC are encrypted. Both ciphers go on from frame to frame, so frames must be sealed in the order in which they are sent.

use des::cipher::{Block, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use des::{TdesEde2, cipher::Key};
use hmac::{Hmac, Mac as _};
use md5::{Digest as _, Md5};

use super::SaslError;

const MAC: usize = 10;
const BLOCK: usize = 8;
/// HMAC, version and sequence number.
const TRAILER: usize = MAC + 2 + 4;
const VERSION: [u8; 2] = [0, 1];

/// A cipher for privacy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cipher {
    /// DES three times with two keys, in CBC.
    TripleDes,
    /// RC4 with 128 bits.
    Rc4,
}

impl Cipher {
    /// The first of ours that is offered. Java prefers them in this order, too.
    pub(super) fn choose(offered: &[String]) -> Option<Self> {
        [Self::TripleDes, Self::Rc4].into_iter().find(|cipher| offered.iter().any(|name| name == cipher.name()))
    }

    /// The protocol's name for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TripleDes => "3des",
            Self::Rc4 => "rc4",
        }
    }
}

/// The keys of a negotiation, for both directions.
pub(super) struct Keys<'a> {
    secret: &'a [u8; 16],
    cipher: Option<Cipher>,
}

impl<'a> Keys<'a> {
    /// Keys from a negotiation's secret; without a cipher for integrity alone.
    pub(super) fn new(secret: &'a [u8; 16], cipher: Option<Cipher>) -> Self {
        Self { secret, cipher }
    }

    fn derive(&self, purpose: &str) -> [u8; 16] {
        let mut hash = Md5::new();
        hash.update(self.secret);
        hash.update(purpose);
        hash.finalize().into()
    }

    fn half(&self, direction: &str) -> Half {
        let signing = self.derive(&format!("Digest session key to {direction} signing key magic constant"));
        let engine = match self.cipher {
            None => Engine::None,
            Some(cipher) => {
                Engine::new(cipher, self.derive(&format!("Digest H(A1) to {direction} sealing key magic constant")))
            }
        };
        Half { signing, engine, sequence: 0 }
    }

    /// The client's two halves.
    pub(super) fn into_both(self) -> (Sealer, Opener) {
        (Sealer(self.half("client-to-server")), Opener(self.half("server-to-client")))
    }

    /// The server's two halves.
    #[cfg(test)]
    fn into_both_of_a_server(self) -> (Sealer, Opener) {
        (Sealer(self.half("server-to-client")), Opener(self.half("client-to-server")))
    }
}

struct Half {
    signing: [u8; 16],
    engine: Engine,
    sequence: u32,
}

impl Half {
    fn mac(&self, data: &[u8]) -> Hmac<Md5> {
        let mut mac = Hmac::<Md5>::new_from_slice(&self.signing).expect("HMAC takes keys of any length");
        mac.update(&self.sequence.to_be_bytes());
        mac.update(data);
        mac
    }
}

/// Seals what is sent.
pub(crate) struct Sealer(Half);

/// Opens what is received.
pub(crate) struct Opener(Half);

impl Sealer {
    /// The sealed form of `data`.
    pub(super) fn seal(&mut self, data: &[u8]) -> Vec<u8> {
        let mac = self.0.mac(data).finalize().into_bytes();
        let mut sealed = Vec::with_capacity(data.len() + BLOCK + TRAILER);
        sealed.extend_from_slice(data);
        self.0.engine.pad(&mut sealed);
        sealed.extend_from_slice(&mac[..MAC]);
        self.0.engine.encrypt(&mut sealed);
        sealed.extend_from_slice(&VERSION);
        sealed.extend_from_slice(&self.0.sequence.to_be_bytes());
        self.0.sequence = self.0.sequence.wrapping_add(1);
        sealed
    }
}

impl Opener {
    /// What was sealed, if nobody has changed it and it is the next in order.
    pub(super) fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SaslError> {
        let (text, trailer) = sealed.split_last_chunk::<6>().ok_or(SaslError::Seal("too short"))?;
        if trailer[..2] != VERSION {
            return Err(SaslError::Seal("of another version"));
        }
        if trailer[2..] != self.0.sequence.to_be_bytes() {
            return Err(SaslError::Seal("out of order"));
        }
        let mut text = text.to_vec();
        self.0.engine.decrypt(&mut text)?;
        let at = text.len().checked_sub(MAC).ok_or(SaslError::Seal("too short"))?;
        let mac = text.split_off(at);
        self.0.engine.unpad(&mut text)?;
        self.0.mac(&text).verify_truncated_left(&mac).map_err(|_| SaslError::Seal("changed on the way"))?;
        self.0.sequence = self.0.sequence.wrapping_add(1);
        Ok(text)
    }
}

// Keys stay out of logs.
impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("sequence", &self.0.sequence).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("sequence", &self.0.sequence).finish_non_exhaustive()
    }
}

enum Engine {
    None,
    Rc4(Box<Rc4>),
    TripleDes { cipher: Box<TdesEde2>, chain: [u8; BLOCK] },
}

impl Engine {
    fn new(cipher: Cipher, key: [u8; 16]) -> Self {
        match cipher {
            Cipher::Rc4 => Self::Rc4(Box::new(Rc4::new(&key))),
            Cipher::TripleDes => {
                let [a, b, ..] = key.as_chunks::<7>().0 else { unreachable!("16 bytes hold two times 7") };
                let mut both = Key::<TdesEde2>::default();
                both[..8].copy_from_slice(&spread(a));
                both[8..].copy_from_slice(&spread(b));
                let mut chain = [0; BLOCK];
                chain.copy_from_slice(&key[8..]);
                Self::TripleDes { cipher: Box::new(TdesEde2::new(&both)), chain }
            }
        }
    }

    /// Data and HMAC together must fill whole blocks; the padding stands between them.
    fn pad(&self, data: &mut Vec<u8>) {
        if let Self::TripleDes { .. } = self {
            let padding = BLOCK - (data.len() + MAC) % BLOCK;
            data.resize(data.len() + padding, padding as u8);
        }
    }

    fn unpad(&self, data: &mut Vec<u8>) -> Result<(), SaslError> {
        if let Self::TripleDes { .. } = self {
            let padding = usize::from(*data.last().ok_or(SaslError::Seal("too short"))?);
            if padding == 0 || padding > BLOCK || padding > data.len() {
                return Err(SaslError::Seal("changed on the way"));
            }
            data.truncate(data.len() - padding);
        }
        Ok(())
    }

    fn encrypt(&mut self, data: &mut [u8]) {
        match self {
            Self::None => {}
            Self::Rc4(stream) => stream.apply(data),
            Self::TripleDes { cipher, chain } => {
                for part in data.as_chunks_mut::<BLOCK>().0 {
                    let mut block = Block::<TdesEde2>::from(std::array::from_fn(|at| part[at] ^ chain[at]));
                    cipher.encrypt_block(&mut block);
                    part.copy_from_slice(&block);
                    *chain = *part;
                }
            }
        }
    }

    fn decrypt(&mut self, data: &mut [u8]) -> Result<(), SaslError> {
        match self {
            Self::None => {}
            Self::Rc4(stream) => stream.apply(data),
            Self::TripleDes { cipher, chain } => {
                let (blocks, rest) = data.as_chunks_mut::<BLOCK>();
                if !rest.is_empty() {
                    return Err(SaslError::Seal("no whole blocks"));
                }
                for part in blocks {
                    let before = std::mem::replace(chain, *part);
                    let mut block = Block::<TdesEde2>::from(*part);
                    cipher.decrypt_block(&mut block);
                    *part = std::array::from_fn(|at| block[at] ^ before[at]);
                }
            }
        }
        Ok(())
    }
}

/// A DES key of 56 bits as 8 bytes of 7 bits each; the lowest bit of each is parity, which nothing reads.
fn spread(key: &[u8; 7]) -> [u8; 8] {
    let bits = key.iter().fold(0u64, |bits, &byte| bits << 8 | u64::from(byte));
    std::array::from_fn(|at| ((bits >> (49 - 7 * at)) as u8) << 1)
}

/// The stream cipher RC4, one key stream for a whole direction.
struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl Rc4 {
    fn new(key: &[u8]) -> Self {
        let mut state: [u8; 256] = std::array::from_fn(|at| at as u8);
        let mut j = 0u8;
        for at in 0..256 {
            j = j.wrapping_add(state[at]).wrapping_add(key[at % key.len()]);
            state.swap(at, usize::from(j));
        }
        Self { state, i: 0, j: 0 }
    }

    fn apply(&mut self, data: &mut [u8]) {
        for byte in data {
            self.i = self.i.wrapping_add(1);
            let at = self.state[usize::from(self.i)];
            self.j = self.j.wrapping_add(at);
            let other = self.state[usize::from(self.j)];
            self.state.swap(usize::from(self.i), usize::from(self.j));
            *byte ^= self.state[usize::from(at.wrapping_add(other))];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CIPHERS: [Option<Cipher>; 3] = [None, Some(Cipher::Rc4), Some(Cipher::TripleDes)];

    #[test]
    fn rc4_is_the_known_one() {
        let mut text = *b"Plaintext";
        Rc4::new(b"Key").apply(&mut text);
        assert_eq!(text, [0xbb, 0xf3, 0x16, 0xe8, 0xd9, 0x40, 0xaf, 0x0a, 0xd3]);
    }

    #[test]
    fn five_bytes_under_integrity_become_twenty_one() {
        let (mut sealer, _) = Keys::new(&[7; 16], None).into_both();
        assert_eq!(sealer.seal(b"hello").len(), 21);
    }

    #[test]
    fn a_change_a_repetition_and_a_gap_are_noticed() {
        for cipher in CIPHERS {
            let sealed = Keys::new(&[7; 16], cipher).into_both().0.seal(b"some frame");
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                let mut opener = Keys::new(&[7; 16], cipher).into_both_of_a_server().1;
                assert!(opener.open(&changed).is_err(), "byte {at} under {cipher:?}");
            }
            let mut opener = Keys::new(&[7; 16], cipher).into_both_of_a_server().1;
            opener.open(&sealed).unwrap();
            assert_eq!(opener.open(&sealed), Err(SaslError::Seal("out of order")));
        }
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened_frame_after_frame(frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 0..5), secret in any::<[u8; 16]>()) {
            for cipher in CIPHERS {
                let (mut sealer, _) = Keys::new(&secret, cipher).into_both();
                let (_, mut opener) = Keys::new(&secret, cipher).into_both_of_a_server();
                for frame in &frames {
                    prop_assert_eq!(&opener.open(&sealer.seal(frame)).unwrap(), frame);
                }
            }
        }

        #[test]
        fn arbitrary_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), ordered in any::<bool>()) {
            for cipher in CIPHERS {
                let mut bytes = bytes.clone();
                if ordered {
                    // Past the first checks: a right version and number.
                    bytes.extend_from_slice(&[0, 1, 0, 0, 0, 0]);
                }
                let mut opener = Keys::new(&[7; 16], cipher).into_both().1;
                prop_assert!(opener.open(&bytes).is_err());
            }
        }
    }
}
