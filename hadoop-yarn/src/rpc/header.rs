//! What stands in frames: the preamble, the connection context, calls, pings, SASL messages, and the servers' answers.
//!
//! Pure. The ids below are reserved by the protocol; ordinary calls count up from 0. A request carries its id as a zigzag number, an answer
//! as an unsigned one, where the reserved ids arrive as 2^32 + id. Seen on the wire with Hadoop 3.5.0.

use bytes::Bytes;

use super::exception::Exception;
use super::frame::{self, Builder, FrameError};
use crate::proto::common::{
    IpcConnectionContextProto, OperationProto, RequestHeaderProto, RpcKindProto, RpcRequestHeaderProto,
    RpcResponseHeaderProto, RpcSaslProto, RpcStatusProto, UserInformationProto,
};

/// The id of a connection context.
const CONTEXT: i32 = -3;
/// The id of a ping. Servers don't answer it.
const PING: i32 = -4;
/// The id of SASL messages, also of sealed frames.
pub(crate) const SASL: i32 = -33;

/// A client's name for itself in every request: 16 random bytes.
pub(crate) type ClientId = [u8; 16];

/// A protocol's name and version, as requests and contexts name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Protocol {
    /// The Java interface.
    pub(crate) name: &'static str,
    /// Its version.
    pub(crate) version: u64,
}

/// Who a connection says it is, where the server has no better way to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserInformation {
    /// The user in whose name calls are made.
    pub(crate) effective: String,
    /// The user who is authenticated, when it acts for another.
    pub(crate) real: Option<String>,
}

/// What a connection begins with: magic, version, service class, and whether SASL follows.
pub(crate) fn preamble(with_sasl: bool) -> [u8; 7] {
    let [h, r, p, c] = *b"hrpc";
    [h, r, p, c, 9, 0, if with_sasl { 0xdf } else { 0 }]
}

fn request_header(id: i32, client: &[u8], retry: i32) -> RpcRequestHeaderProto {
    RpcRequestHeaderProto {
        rpc_kind: Some(RpcKindProto::RpcProtocolBuffer.into()),
        rpc_op: Some(OperationProto::RpcFinalPacket.into()),
        call_id: id,
        client_id: client.to_vec(),
        retry_count: Some(retry),
    }
}

/// The connection context. With a token the server knows who we are; a user beside it would have to be the token's owner.
pub(crate) fn context(client: &ClientId, protocol: Protocol, user: Option<&UserInformation>) -> Bytes {
    let user_info = user.map(|user| UserInformationProto {
        effective_user: Some(user.effective.clone()),
        real_user: user.real.clone(),
    });
    let context = IpcConnectionContextProto { user_info, protocol: Some(protocol.name.to_owned()) };
    Builder::new().message(&request_header(CONTEXT, client, -1)).message(&context).finish()
}

/// A ping.
pub(crate) fn ping(client: &ClientId) -> Bytes {
    Builder::new().message(&request_header(PING, client, -1)).finish()
}

/// A SASL message.
pub(crate) fn sasl(message: &RpcSaslProto) -> Bytes {
    Builder::new().message(&request_header(SASL, &[], -1)).message(message).finish()
}

/// A call: `request` is the method's message, delimited. `retry` is 0 at first and one more with every repetition.
pub(crate) fn call(id: i32, client: &ClientId, retry: i32, protocol: Protocol, method: &str, request: &[u8]) -> Bytes {
    let header = RequestHeaderProto {
        method_name: method.to_owned(),
        declaring_class_protocol_name: protocol.name.to_owned(),
        client_protocol_version: protocol.version,
    };
    Builder::new().message(&request_header(id, client, retry)).message(&header).raw(request).finish()
}

/// A server's answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// The method's message, delimited, for the call of that id.
    Success {
        /// The call's id.
        id: i32,
        /// What follows the header.
        body: Bytes,
    },
    /// The call failed, the connection is fine.
    Error {
        /// The call's id.
        id: i32,
        /// What the server says.
        exception: Exception,
    },
    /// The server gives the connection up.
    Fatal(Exception),
    /// A SASL message, also a sealed frame.
    Sasl(RpcSaslProto),
}

/// Reads what a frame from a server holds.
pub(crate) fn answer(mut frame: Bytes) -> Result<Answer, FrameError> {
    let header: RpcResponseHeaderProto = frame::take(&mut frame, "response header")?;
    let id = header.call_id.cast_signed();
    let exception = |fatal| {
        let class = header.exception_class_name.as_deref().unwrap_or("");
        Exception::from_wire(class, header.error_msg.as_deref().unwrap_or(""), fatal)
    };
    Ok(match RpcStatusProto::try_from(header.status) {
        Ok(RpcStatusProto::Success) if id == SASL => Answer::Sasl(frame::take(&mut frame, "SASL message")?),
        Ok(RpcStatusProto::Success) => Answer::Success { id, body: frame },
        Ok(RpcStatusProto::Error) => Answer::Error { id, exception: exception(false) },
        Ok(RpcStatusProto::Fatal) | Err(_) => Answer::Fatal(exception(true)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_are_an_answer_or_an_error_but_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            let _ = answer(Bytes::from(bytes));
        }

        /// Bytes that begin like a real answer get further into the decoder.
        #[test]
        fn a_damaged_answer_is_no_panic(at in 0usize..64, byte in any::<u8>(), cut in 0usize..64) {
            let header = RpcResponseHeaderProto { call_id: SASL.cast_unsigned(), client_id: Some(vec![7; 16]), ..Default::default() };
            let message = RpcSaslProto { token: Some(vec![1; 20]), ..Default::default() };
            let mut bytes = Builder::new().message(&header).message(&message).finish().slice(4..).to_vec();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(cut.max(1));
            let _ = answer(Bytes::from(bytes));
        }
    }
}
