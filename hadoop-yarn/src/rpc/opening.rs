//! What a connection begins with: who we are, over [`super::sasl`] unless names are taken on trust.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client::Authentication;
use super::error::Error;
use super::frame::Decoder;
use super::header::{self, Answer};
use super::options::Options;
use super::sasl::{Credential, Negotiation, Peer, SaslError, Security, Step};
use crate::proto::common::RpcSaslProto;

/// A server needs few words to negotiate; what is longer is no negotiation.
const LONGEST_GREETING: usize = 64 * 1024;

/// The preamble and, unless the user's name is taken on trust, the negotiation.
pub(super) async fn negotiate(
    stream: &mut TcpStream,
    address: &str,
    authentication: &Authentication,
    options: &Options,
) -> Result<Security, Error> {
    let broken = |source| Error::Connect { address: address.to_owned(), source: Arc::new(source) };
    let sasl = |source| Error::Sasl { address: address.to_owned(), source };
    let credential = match authentication {
        Authentication::Simple { .. } => {
            stream.write_all(&header::preamble(false)).await.map_err(broken)?;
            return Ok(Security::Plain);
        }
        Authentication::Token(token) => Credential::Token { token: token.clone(), nonce: super::client::nonce() },
        Authentication::Kerberos { server } => {
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
            let peer = Peer { host: host.to_owned(), address: stream.peer_addr().map_err(broken)?.ip() };
            Credential::Kerberos { server: server.clone(), peer }
        }
    };
    let mut negotiation = Negotiation::new(credential, &options.protection);
    let mut opening = header::preamble(true).to_vec();
    opening.extend_from_slice(&header::sasl(&negotiation.start()));
    stream.write_all(&opening).await.map_err(broken)?;
    let mut decoder = Decoder::new(LONGEST_GREETING);
    loop {
        let answer = match next_frame(stream, &mut decoder, address).await? {
            Ok(answer) => answer,
            Err(source) => return Err(broken(source)),
        };
        let step;
        (negotiation, step) = advance(negotiation, answer).await.map_err(broken)?;
        match step.map_err(sasl)? {
            Step::Send(message) => stream.write_all(&header::sasl(&message)).await.map_err(broken)?,
            Step::Done(security) => return Ok(security),
        }
    }
}

/// What follows a message. Where that may wait for a key distribution centre, it does so beside the runtime's own threads.
async fn advance(
    mut negotiation: Negotiation,
    answer: RpcSaslProto,
) -> io::Result<(Negotiation, Result<Step, SaslError>)> {
    let may_block = negotiation.may_block();
    let work = move || {
        let step = negotiation.advance(answer);
        (negotiation, step)
    };
    if may_block { tokio::task::spawn_blocking(work).await.map_err(io::Error::other) } else { Ok(work()) }
}

/// The next SASL message; the inner error is the socket's.
async fn next_frame(
    stream: &mut TcpStream,
    decoder: &mut Decoder,
    address: &str,
) -> Result<io::Result<RpcSaslProto>, Error> {
    let protocol = |source| Error::Protocol { address: address.to_owned(), source };
    loop {
        if let Some(frame) = decoder.next().map_err(protocol)? {
            return match header::answer(frame).map_err(protocol)? {
                Answer::Sasl(message) => Ok(Ok(message)),
                Answer::Fatal(exception) | Answer::Error { exception, .. } => {
                    Err(Error::Remote { address: address.to_owned(), exception })
                }
                Answer::Success { .. } => {
                    Ok(Err(io::Error::new(io::ErrorKind::InvalidData, "an answer came before any call")))
                }
            };
        }
        match stream.read_buf(decoder.space()).await {
            Ok(0) => return Ok(Err(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(source) => return Ok(Err(source)),
        }
    }
}
