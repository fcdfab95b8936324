//! The course of a negotiation, as seen on Hadoop 3.5.0.
//!
//! The client asks with NEGOTIATE; the server offers what it accepts, best first, the offer for tokens with its DIGEST-MD5 challenge in it; the client
//! answers INITIATE with one offer, less the challenge, and its first message. With a token that is its proof, and the server ends with SUCCESS and its
//! own proof, which is checked here. With Kerberos CHALLENGE and RESPONSE follow until both have proved themselves and agreed on a protection. Where the
//! user's name is taken on trust nothing is negotiated: the connection says so with its first bytes.

use std::net::{IpAddr, ToSocketAddrs as _};

use super::challenge::Challenge;
use super::digest::Digest;
use super::gssapi::{Gssapi, Wrapper};
use super::kerberos::{Peer, ServicePrincipal};
use super::{Protection, SaslError, seal};
use crate::proto::common::RpcSaslProto;
use crate::proto::common::rpc_sasl_proto::{SaslAuth, SaslState};
use crate::types::Token;

const TOKEN: Method = Method { method: "TOKEN", mechanism: "DIGEST-MD5", ours: "a token for DIGEST-MD5" };
const KERBEROS: Method = Method { method: "KERBEROS", mechanism: "GSSAPI", ours: "Kerberos" };

/// A way to prove who we are, in the protocol's words.
struct Method {
    method: &'static str,
    mechanism: &'static str,
    /// For a message.
    ours: &'static str,
}

/// What we prove ourselves with.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// A token. `nonce` must be unguessable text without quotes.
    Token {
        /// The token.
        token: Token,
        /// Ours alone, for this negotiation.
        nonce: String,
    },
    /// The tickets that the system's library finds.
    Kerberos {
        /// Who may answer.
        server: ServicePrincipal,
        /// Whom the connection leads to.
        peer: Peer,
    },
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
    /// Each direction sealed for itself.
    Sealed(Sealer, Opener),
}

/// Seals what is sent.
#[derive(Debug)]
pub(crate) enum Sealer {
    /// With keys from a token's password.
    Digest(seal::Sealer),
    /// With the system's library.
    Gssapi(Wrapper),
}

/// Opens what is received.
#[derive(Debug)]
pub(crate) enum Opener {
    /// With keys from a token's password.
    Digest(seal::Opener),
    /// With the system's library.
    Gssapi(Wrapper),
}

impl Sealer {
    /// The sealed form of `data`. Frames must be sent in the order in which they are sealed.
    pub(crate) fn seal(&mut self, data: &[u8]) -> Result<Vec<u8>, SaslError> {
        match self {
            Self::Digest(sealer) => Ok(sealer.seal(data)),
            Self::Gssapi(wrapper) => wrapper.seal(data),
        }
    }
}

impl Opener {
    /// What was sealed, if nobody has changed it.
    pub(crate) fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SaslError> {
        match self {
            Self::Digest(opener) => opener.open(sealed),
            Self::Gssapi(wrapper) => wrapper.open(sealed),
        }
    }
}

#[derive(Debug)]
enum State {
    Start,
    Asked,
    Proved(Digest),
    InTalk(Gssapi),
    Over,
}

/// The client's side.
#[derive(Debug)]
pub(crate) struct Negotiation {
    credential: Credential,
    accepted: Vec<Protection>,
    state: State,
}

impl Negotiation {
    /// A negotiation that ends with one of the accepted protections, best liked first.
    pub(crate) fn new(credential: Credential, accepted: &[Protection]) -> Self {
        Self { credential, accepted: accepted.to_vec(), state: State::Start }
    }

    /// Whether [`advance`](Self::advance) may wait for a key distribution centre or a name server.
    pub(crate) fn may_block(&self) -> bool {
        matches!(self.credential, Credential::Kerberos { .. })
    }

    /// The message that opens it.
    pub(crate) fn start(&mut self) -> RpcSaslProto {
        self.state = State::Asked;
        message(SaslState::Negotiate)
    }

    /// What follows the server's message.
    pub(crate) fn advance(&mut self, received: RpcSaslProto) -> Result<Step, SaslError> {
        let state = received.state();
        let token = received.token.as_deref().unwrap_or_default();
        match std::mem::replace(&mut self.state, State::Over) {
            State::Asked => match state {
                SaslState::Success => Err(SaslError::ProofUnused),
                SaslState::Negotiate => {
                    let (initiate, next) = self.initiate(&received.auths)?;
                    self.state = next;
                    Ok(Step::Send(initiate))
                }
                other => Err(out_of_turn(other, "an offer")),
            },
            State::Proved(digest) => match state {
                // A server that sends its proof before SUCCESS expects an empty answer to it.
                SaslState::Challenge => {
                    digest.check(token)?;
                    self.state = State::Proved(digest);
                    Ok(respond(Vec::new()))
                }
                SaslState::Success => {
                    digest.check(token)?;
                    Ok(Step::Done(digest.security()))
                }
                other => Err(out_of_turn(other, "the server's proof")),
            },
            State::InTalk(mut talk) => match state {
                SaslState::Challenge => {
                    let answer = talk.step(token, &self.accepted)?;
                    self.state = State::InTalk(talk);
                    Ok(respond(answer))
                }
                SaslState::Success => match talk.agreed()? {
                    (Protection::Authentication, ..) => Ok(Step::Done(Security::Plain)),
                    (_, sealer, opener) => {
                        Ok(Step::Done(Security::Sealed(Sealer::Gssapi(sealer), Opener::Gssapi(opener))))
                    }
                },
                other => Err(out_of_turn(other, "the server's next message")),
            },
            State::Start | State::Over => Err(out_of_turn(state, "nothing")),
        }
    }

    /// The answer to an offer: the chosen one exactly as it came, but without its challenge, and our first message.
    fn initiate(&self, offers: &[SaslAuth]) -> Result<(RpcSaslProto, State), SaslError> {
        let (first, chosen, state) = match &self.credential {
            Credential::Token { token, nonce } => {
                let mut chosen = TOKEN.choose(offers)?;
                let challenge = Challenge::parse(&chosen.challenge.take().unwrap_or_default())?;
                let uri = format!("{}/{}", chosen.protocol(), chosen.server_id());
                let digest = Digest::new(challenge, token, &uri, &self.accepted, nonce)?;
                (digest.response().into_bytes(), chosen, State::Proved(digest))
            }
            Credential::Kerberos { server, peer } => {
                let mut chosen = KERBEROS.choose(offers)?;
                chosen.challenge = None;
                let principal = server.accept(chosen.protocol(), chosen.server_id(), peer, addresses)?;
                let (talk, first) = Gssapi::begin(&principal)?;
                (first, chosen, State::InTalk(talk))
            }
        };
        Ok((RpcSaslProto { token: Some(first), auths: vec![chosen], ..message(SaslState::Initiate) }, state))
    }
}

impl Method {
    /// The server's offer of it.
    fn choose(&self, offers: &[SaslAuth]) -> Result<SaslAuth, SaslError> {
        let found = offers.iter().find(|offer| offer.method == self.method && offer.mechanism == self.mechanism);
        found.cloned().ok_or_else(|| nothing_in_common(offers, self.ours))
    }
}

/// Where a host is, by the system's resolver.
fn addresses(host: &str) -> Vec<IpAddr> {
    (host, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
}

fn message(state: SaslState) -> RpcSaslProto {
    RpcSaslProto { version: None, state: state.into(), token: None, auths: Vec::new() }
}

fn respond(token: Vec<u8>) -> Step {
    Step::Send(RpcSaslProto { token: Some(token), ..message(SaslState::Response) })
}

fn out_of_turn(got: SaslState, expected: &'static str) -> SaslError {
    SaslError::OutOfTurn { got: got.as_str_name().to_owned(), expected }
}

fn nothing_in_common(offers: &[SaslAuth], ours: &'static str) -> SaslError {
    let offered: Vec<_> = offers
        .iter()
        .take(8)
        .map(|offer| format!("{} {}", offer.method, offer.mechanism).trim_end().to_owned())
        .collect();
    let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
    SaslError::NothingInCommon { offered, ours }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(method: &str, mechanism: &str) -> SaslAuth {
        SaslAuth { method: method.into(), mechanism: mechanism.into(), ..Default::default() }
    }

    fn by_token() -> Negotiation {
        let token = Token::new(&b"id"[..], &b"password"[..], "NMToken", "");
        Negotiation::new(Credential::Token { token, nonce: "n".into() }, &[Protection::Authentication])
    }

    fn by_kerberos() -> Negotiation {
        let server = ServicePrincipal {
            key: "yarn.resourcemanager.principal".into(),
            name: Some("rm/_HOST@EXAMPLE.COM".into()),
            pattern: None,
        };
        let peer = Peer { host: "node7".into(), address: [127, 0, 0, 1].into() };
        Negotiation::new(Credential::Kerberos { server, peer }, &[Protection::Authentication])
    }

    #[test]
    fn what_is_missing_is_said_when_nothing_fits() {
        let mut negotiation = by_token();
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
        let mut negotiation = by_token();
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
    fn a_proof_is_not_silently_left_unused() {
        let mut negotiation = by_token();
        negotiation.start();
        assert_eq!(negotiation.advance(message(SaslState::Success)).unwrap_err(), SaslError::ProofUnused);
    }

    #[test]
    fn with_kerberos_a_server_of_another_name_is_sent_nothing() {
        let mut negotiation = by_kerberos();
        negotiation.start();
        let other =
            SaslAuth { protocol: Some("rm".into()), server_id: Some("node8".into()), ..offer("KERBEROS", "GSSAPI") };
        let offers = RpcSaslProto { auths: vec![other], ..message(SaslState::Negotiate) };
        let error = negotiation.advance(offers).unwrap_err();
        assert!(matches!(error, SaslError::Principal { .. }), "{error}");
    }

    #[test]
    fn with_kerberos_a_server_that_takes_tokens_alone_is_told_apart() {
        let mut negotiation = by_kerberos();
        negotiation.start();
        let offers = RpcSaslProto { auths: vec![offer("TOKEN", "DIGEST-MD5")], ..message(SaslState::Negotiate) };
        let error = negotiation.advance(offers).unwrap_err();
        assert_eq!(error.to_string(), "the server offers TOKEN DIGEST-MD5 and we have Kerberos");
    }

    #[test]
    #[cfg(not(feature = "kerberos"))]
    fn without_the_feature_it_is_said_what_is_missing() {
        let mut negotiation = by_kerberos();
        negotiation.start();
        let ours =
            SaslAuth { protocol: Some("rm".into()), server_id: Some("node7".into()), ..offer("KERBEROS", "GSSAPI") };
        let offers = RpcSaslProto { auths: vec![ours], ..message(SaslState::Negotiate) };
        assert_eq!(negotiation.advance(offers).unwrap_err(), SaslError::WithoutKerberos);
    }
}
