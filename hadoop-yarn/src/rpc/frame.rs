//! Frames: a 4-byte big-endian length, then that many bytes; inside, protobuf messages each with its own varint length.
//!
//! Pure: bytes in, bytes out. What the messages mean is [`super::header`]'s business. Lengths from outside are checked before memory is
//! taken for them: a frame over the limit is refused when its length is read, and a buffer grows only as bytes arrive.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use prost::Message;

/// Why bytes are no frame, or a frame holds no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The length is over the limit.
    #[error("a frame of {length} bytes is longer than the limit of {limit}")]
    TooLong {
        /// What the frame's first four bytes say.
        length: usize,
        /// What we take at most.
        limit: usize,
    },
    /// The length is negative. Servers before version 9, and those that refuse our version, answer so.
    #[error("the server speaks another RPC version than 9: {message}")]
    OtherVersion {
        /// What could be read of the server's own words.
        message: String,
    },
    /// The first bytes are those of an HTTP answer.
    #[error("the port answers HTTP and not Hadoop's RPC; it may be the port of the web pages")]
    Http,
    /// A message inside the frame can't be decoded.
    #[error("a frame holds no {what}: {why}")]
    Message {
        /// The message that was expected.
        what: &'static str,
        /// What the decoder found.
        why: String,
    },
}

/// How much is read at once, at least.
const CHUNK: usize = 8 * 1024;

/// Cuts a stream of bytes into frames.
#[derive(Debug)]
pub(crate) struct Decoder {
    limit: usize,
    buffer: BytesMut,
}

impl Decoder {
    /// A decoder of frames that are at most `limit` bytes long.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, buffer: BytesMut::new() }
    }

    /// Where the next bytes of the stream are to be put.
    pub(crate) fn space(&mut self) -> &mut BytesMut {
        self.buffer.reserve(CHUNK);
        &mut self.buffer
    }

    /// Adds bytes of the stream.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame without its length, or `None` when more bytes are needed.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(prefix) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        if prefix == b"HTTP" {
            return Err(FrameError::Http);
        }
        let Ok(length) = usize::try_from(i32::from_be_bytes(*prefix)) else {
            return Err(FrameError::OtherVersion { message: words_of_an_old_answer(&self.buffer) });
        };
        if length > self.limit {
            return Err(FrameError::TooLong { length, limit: self.limit });
        }
        if self.buffer.len() - 4 < length {
            return Ok(None);
        }
        self.buffer.advance(4);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

/// The class and message of an answer in the format before version 9: two ints, then each text behind its length.
fn words_of_an_old_answer(bytes: &[u8]) -> String {
    let printable: String = bytes
        .iter()
        .skip(8)
        .map(|&byte| char::from(byte))
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .take(300)
        .collect();
    if printable.is_empty() { "no reason given".to_owned() } else { printable }
}

/// Builds one frame of delimited messages.
#[derive(Debug)]
pub(crate) struct Builder(BytesMut);

impl Builder {
    /// A frame that holds nothing yet.
    pub(crate) fn new() -> Self {
        let mut bytes = BytesMut::with_capacity(256);
        bytes.put_u32(0);
        Self(bytes)
    }

    /// Adds a message behind its varint length.
    pub(crate) fn message(mut self, message: &impl Message) -> Self {
        let length = message.encoded_len();
        self.0.reserve(prost::length_delimiter_len(length) + length);
        message.encode_length_delimited(&mut self.0).expect("room was made for the message");
        self
    }

    /// Adds bytes that are a delimited message already.
    pub(crate) fn raw(mut self, delimited: &[u8]) -> Self {
        self.0.extend_from_slice(delimited);
        self
    }

    /// The frame, its length in front.
    pub(crate) fn finish(mut self) -> Bytes {
        let length =
            u32::try_from(self.0.len() - 4).expect("a frame is far below 4 GiB: requests are checked against a limit");
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0.freeze()
    }
}

/// Takes one delimited message off the front of `bytes`. `what` names it in the error.
pub(crate) fn take<M: Message + Default>(bytes: &mut Bytes, what: &'static str) -> Result<M, FrameError> {
    M::decode_length_delimited(bytes).map_err(|error| FrameError::Message { what, why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_comes_out_only_when_it_is_whole() {
        let mut decoder = Decoder::new(100);
        decoder.feed(&[0, 0, 0, 3, b'a', b'b']);
        assert_eq!(decoder.next(), Ok(None));
        decoder.feed(b"c\0\0\0\0\0");
        assert_eq!(decoder.next(), Ok(Some(Bytes::from_static(b"abc"))));
        assert_eq!(decoder.next(), Ok(Some(Bytes::new())));
        assert_eq!(decoder.next(), Ok(None));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_any_memory_is_taken() {
        let mut decoder = Decoder::new(100);
        decoder.feed(&[0x7f, 0xff, 0xff, 0xff]);
        assert_eq!(decoder.next(), Err(FrameError::TooLong { length: 0x7fff_ffff, limit: 100 }));
        assert!(decoder.buffer.capacity() < 1000);
    }

    #[test]
    fn a_web_server_is_recognised() {
        let mut decoder = Decoder::new(100);
        decoder.feed(b"HTTP/1.1 404 Not Found\r\n");
        assert_eq!(decoder.next(), Err(FrameError::Http));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_take_no_more_memory_than_they_are(bytes in proptest::collection::vec(any::<u8>(), 0..4096), limit in 0usize..5000, step in 1usize..700) {
            let mut decoder = Decoder::new(limit);
            let mut given = 0;
            'all: for part in bytes.chunks(step) {
                decoder.feed(part);
                given += part.len();
                loop {
                    match decoder.next() {
                        Ok(Some(frame)) => prop_assert!(frame.len() <= limit),
                        Ok(None) => break,
                        Err(_) => break 'all,
                    }
                }
                prop_assert!(decoder.buffer.capacity() <= 2 * given + 64);
            }
        }

        #[test]
        fn what_was_framed_is_read_back(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..8)) {
            let mut decoder = Decoder::new(1000);
            for part in &parts {
                decoder.feed(&Builder::new().raw(part).finish());
            }
            for part in &parts {
                let frame = decoder.next().unwrap().unwrap();
                prop_assert_eq!(frame.as_ref(), part.as_slice());
            }
            prop_assert_eq!(decoder.next(), Ok(None));
        }
    }
}
