//! The negotiation that opens a connection where the server wants to know who we are. A pure state machine: messages in, messages out.
//!
//! Order on the wire (seen on Hadoop 3.5.0): the client asks with NEGOTIATE; the server offers what it accepts, best first, the offer for tokens
//! with its DIGEST-MD5 challenge in it; the client answers INITIATE with that one offer, less the challenge, and its proof; the server
//! ends with SUCCESS and its own proof, which is checked here. Where the user's name is taken on trust nothing is negotiated: the connection says so with its first bytes.
//!
//! [`challenge`] reads what a server says, [`digest`] has the proofs, [`seal`] wraps what follows under integrity or privacy. GSSAPI (Kerberos) is not here.

mod challenge;
mod digest;
mod seal;

use std::fmt;

pub(crate) use seal::{Opener, Sealer};

use self::challenge::Challenge;
use self::digest::Digest;
use crate::proto::common::RpcSaslProto;
use crate::proto::common::rpc_sasl_proto::{SaslAuth, SaslState};
use crate::types::Token;

const METHOD_TOKEN: &str = "TOKEN";
const MECHANISM_DIGEST: &str = "DIGEST-MD5";

/// What protects a connection that is authenticated by token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// Only its beginning is authenticated (`authentication`; SASL's `auth`).
    Authentication,
    /// What follows can't be changed unnoticed (`integrity`; `auth-int`).
    Integrity,
    /// What follows can't be read, either (`privacy`; `auth-conf`).
    Privacy,
}

impl Protection {
    /// SASL's own word.
    pub(crate) fn qop(self) -> &'static str {
        match self {
            Self::Authentication => "auth",
            Self::Integrity => "auth-int",
            Self::Privacy => "auth-conf",
        }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authentication => "authentication",
            Self::Integrity => "integrity",
            Self::Privacy => "privacy",
        })
    }
}

/// Why a negotiation fails on our side, or why a sealed frame can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// The server takes no token by DIGEST-MD5.
    #[error("the server offers {offered} and we have a token for DIGEST-MD5")]
    NothingInCommon {
        /// Methods and mechanisms, best first.
        offered: String,
    },
    /// The server asks for no token where one was to prove who we are.
    #[error("the server takes anybody's word and asks for no token; use simple authentication")]
    TokenUnused,
    /// A message out of turn.
    #[error("{got} came where {expected} was due")]
    OutOfTurn {
        /// What came.
        got: String,
        /// What was due.
        expected: &'static str,
    },
    /// The challenge can't be read, or asks for what is not supported.
    #[error("challenge: {0}")]
    Challenge(String),
    /// No protection that we accept.
    #[error("the server offers the protection {offered} and we accept {accepted} (hadoop.rpc.protection)")]
    Protection {
        /// SASL's words, as the server lists them.
        offered: String,
        /// Ours.
        accepted: String,
    },
    /// The server could not prove that it knows the token's password.
    #[error("the server could not prove that it knows the token")]
    ServerProof,
    /// A sealed frame was changed, came twice or out of order.
    #[error("sealed frame: {0}")]
    Seal(&'static str),
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send this and wait for the answer.
    Send(RpcSaslProto),
    /// The negotiation is over.
    Done(Security),
}

/// What follows the negotiation: frames as they are, or sealed ones.
#[derive(Debug)]
pub(crate) enum Security {
    /// As they are.
    Plain,
    /// Each direction sealed with its own keys.
    Sealed(Sealer, Opener),
}

#[derive(Debug)]
enum State {
    Start,
    Asked,
    Proved(Digest),
    Over,
}

/// The client's side.
#[derive(Debug)]
pub(crate) struct Negotiation<'a> {
    token: &'a Token,
    accepted: &'a [Protection],
    nonce: String,
    state: State,
}

impl<'a> Negotiation<'a> {
    /// A negotiation. `nonce` must be unguessable text without quotes.
    pub(crate) fn new(token: &'a Token, accepted: &'a [Protection], nonce: String) -> Self {
        Self { token, accepted, nonce, state: State::Start }
    }

    /// The message that opens it.
    pub(crate) fn start(&mut self) -> RpcSaslProto {
        self.state = State::Asked;
        message(SaslState::Negotiate)
    }

    /// What follows the server's message.
    pub(crate) fn advance(&mut self, received: RpcSaslProto) -> Result<Step, SaslError> {
        let state = received.state();
        match std::mem::replace(&mut self.state, State::Over) {
            State::Asked => match state {
                SaslState::Success => Err(SaslError::TokenUnused),
                SaslState::Negotiate => {
                    let (initiate, digest) = prove(&received.auths, self.token, self.accepted, &self.nonce)?;
                    self.state = State::Proved(digest);
                    Ok(Step::Send(initiate))
                }
                other => Err(out_of_turn(other, "an offer")),
            },
            State::Proved(digest) => match state {
                // A server that sends its proof before SUCCESS expects an empty answer to it.
                SaslState::Challenge => {
                    digest.check(received.token.as_deref().unwrap_or_default())?;
                    self.state = State::Proved(digest);
                    Ok(Step::Send(RpcSaslProto { token: Some(Vec::new()), ..message(SaslState::Response) }))
                }
                SaslState::Success => {
                    digest.check(received.token.as_deref().unwrap_or_default())?;
                    Ok(Step::Done(digest.security()))
                }
                other => Err(out_of_turn(other, "the server's proof")),
            },
            State::Start | State::Over => Err(out_of_turn(state, "nothing")),
        }
    }
}

fn message(state: SaslState) -> RpcSaslProto {
    RpcSaslProto { version: None, state: state.into(), token: None, auths: Vec::new() }
}

fn out_of_turn(got: SaslState, expected: &'static str) -> SaslError {
    SaslError::OutOfTurn { got: got.as_str_name().to_owned(), expected }
}

fn nothing_in_common(offers: &[SaslAuth]) -> SaslError {
    let offered: Vec<_> = offers
        .iter()
        .take(8)
        .map(|offer| format!("{} {}", offer.method, offer.mechanism).trim_end().to_owned())
        .collect();
    SaslError::NothingInCommon { offered: if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") } }
}

/// The answer to an offer: the chosen one exactly as it came, but without its challenge, and the proof.
fn prove(
    offers: &[SaslAuth],
    token: &Token,
    accepted: &[Protection],
    nonce: &str,
) -> Result<(RpcSaslProto, Digest), SaslError> {
    let Some(offer) = offers.iter().find(|offer| offer.method == METHOD_TOKEN && offer.mechanism == MECHANISM_DIGEST)
    else {
        return Err(nothing_in_common(offers));
    };
    let mut chosen = offer.clone();
    let challenge = chosen.challenge.take().unwrap_or_default();
    let challenge = Challenge::parse(&challenge)?;
    let uri = format!("{}/{}", chosen.protocol(), chosen.server_id());
    let digest = Digest::new(challenge, token, &uri, accepted, nonce)?;
    let proof = digest.response().into_bytes();
    Ok((RpcSaslProto { token: Some(proof), auths: vec![chosen], ..message(SaslState::Initiate) }, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(method: &str, mechanism: &str) -> SaslAuth {
        SaslAuth { method: method.into(), mechanism: mechanism.into(), ..Default::default() }
    }

    fn token() -> Token {
        Token::new(&b"id"[..], &b"password"[..], "NMToken", "")
    }

    #[test]
    fn what_is_missing_is_said_when_nothing_fits() {
        let token = token();
        let mut negotiation = Negotiation::new(&token, &[Protection::Authentication], "n".into());
        negotiation.start();
        let offers = RpcSaslProto {
            auths: vec![offer("KERBEROS", "GSSAPI"), offer("TOKEN", "SCRAM-SHA-256")],
            ..message(SaslState::Negotiate)
        };
        let error = negotiation.advance(offers).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server offers KERBEROS GSSAPI, TOKEN SCRAM-SHA-256 and we have a token for DIGEST-MD5"
        );
    }

    #[test]
    fn a_success_without_proof_is_refused() {
        let token = token();
        let mut negotiation = Negotiation::new(&token, &[Protection::Authentication], "n".into());
        negotiation.start();
        let challenge = b"realm=\"default\",nonce=\"abc\",qop=\"auth\",charset=utf-8,algorithm=md5-sess".to_vec();
        let offers = RpcSaslProto {
            auths: vec![SaslAuth { challenge: Some(challenge), ..offer("TOKEN", "DIGEST-MD5") }],
            ..message(SaslState::Negotiate)
        };
        assert!(matches!(negotiation.advance(offers), Ok(Step::Send(_))));
        assert_eq!(negotiation.advance(message(SaslState::Success)).unwrap_err(), SaslError::ServerProof);
        assert!(negotiation.advance(message(SaslState::Success)).is_err(), "a failed negotiation stays failed");
    }

    #[test]
    fn a_token_is_not_silently_left_unused() {
        let token = token();
        let mut negotiation = Negotiation::new(&token, &[Protection::Authentication], "n".into());
        negotiation.start();
        assert_eq!(negotiation.advance(message(SaslState::Success)).unwrap_err(), SaslError::TokenUnused);
    }
}
