//! The negotiations of the vectors, played through the state machine: the same proofs, the same keys, the same sealed frames.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::{Vector, named, vectors};
use crate::proto::common::{RpcRequestHeaderProto, RpcResponseHeaderProto, RpcSaslProto};
use crate::rpc::Protection;
use crate::rpc::frame::take;
use crate::rpc::sasl::{Credential, Negotiation, Opener, SaslError, Sealer, Security, Step};
use crate::types::Token;

fn sasl(vector: &Vector) -> RpcSaslProto {
    let mut bytes = Bytes::copy_from_slice(&vector.bytes).slice(4..);
    match vector.direction.as_str() {
        "client" => drop(take::<RpcRequestHeaderProto>(&mut bytes, "header").expect("a header")),
        _ => drop(take::<RpcResponseHeaderProto>(&mut bytes, "header").expect("a header")),
    }
    take(&mut bytes, "message").expect("a SASL message")
}

/// Plays a recorded negotiation. `cipher_first` is the list of ciphers that the recording client chose from.
pub(super) fn play(vectors: &[Vector], prefix: &str, only_cipher: Option<&str>) -> Security {
    let success = named(vectors, &format!("{prefix}-sasl-success"));
    let digest = success.digest.as_ref().expect("the inputs are recorded");
    let part = |key: &str| digest[key].as_str().expect("a text");
    let decode = |key: &str| STANDARD.decode(part(key)).expect("base64");
    let token = Token::new(decode("username"), decode("password"), Token::AM_RM, "");
    let all = [Protection::Authentication, Protection::Integrity, Protection::Privacy];
    let mut negotiation = Negotiation::new(Credential::Token { token, nonce: part("cnonce").to_owned() }, &all);

    let start = negotiation.start();
    assert_eq!(start, sasl(named(vectors, &format!("{prefix}-sasl-negotiate"))), "{prefix}: the opening");
    let mut offer = sasl(named(vectors, &format!("{prefix}-sasl-offer")));
    if let Some(cipher) = only_cipher {
        // The recording client preferred this one; we are made to by leaving it alone in the offer.
        let challenge = offer.auths[0].challenge.as_mut().expect("a challenge");
        *challenge = String::from_utf8_lossy(challenge).replace("3des,rc4,des,rc4-56,rc4-40", cipher).into_bytes();
    }
    let Step::Send(initiate) = negotiation.advance(offer).expect("a proof") else { panic!("{prefix}: no proof") };
    assert_eq!(initiate, sasl(named(vectors, &format!("{prefix}-sasl-initiate"))), "{prefix}: the proof");
    let proof = String::from_utf8(initiate.token().to_vec()).expect("text");
    assert!(proof.contains(&format!("response={}", part("response"))), "{prefix}: {proof}");
    let success = sasl(success);
    assert_eq!(success.token(), format!("rspauth={}", part("rspauth")).as_bytes());
    let Step::Done(security) = negotiation.advance(success).expect("the server's proof") else {
        panic!("{prefix}: not over")
    };
    security
}

#[test]
fn the_proofs_for_both_services_are_the_recorded_ones() {
    let Some(vectors) = vectors("sasl.json") else { return };
    for prefix in ["am", "nm"] {
        assert!(matches!(play(&vectors, prefix, None), Security::Plain));
    }
}

#[test]
fn frames_are_sealed_to_the_recorded_bytes_and_opened_to_the_recorded_frames() {
    let Some(vectors) = vectors("sasl-wrap.json") else { return };
    for (prefix, cipher) in [("auth-int", None), ("rc4", Some("rc4")), ("3des", Some("3des"))] {
        let Security::Sealed(mut sealer, mut opener) = play(&vectors, prefix, cipher) else {
            panic!("{prefix}: nothing is sealed")
        };
        for call in ["context", "registerApplicationMaster", "allocate"] {
            seals(&vectors, &format!("{prefix}-{call}"), &mut sealer);
        }
        for (wrapped, inner) in [("wrapped", "registerApplicationMaster-response"), ("wrapped-2", "allocate-response")]
        {
            opens(&vectors, &format!("{prefix}-{wrapped}"), &format!("{prefix}-{inner}"), &mut opener);
        }
    }
}

fn seals(vectors: &[Vector], name: &str, sealer: &mut Sealer) {
    let recorded = sasl(named(vectors, &format!("{name}-wrapped")));
    assert_eq!(sealer.seal(&named(vectors, name).bytes).expect("sealed"), recorded.token(), "{name}");
}

fn opens(vectors: &[Vector], wrapped: &str, inner: &str, opener: &mut Opener) {
    let opened =
        opener.open(sasl(named(vectors, wrapped)).token()).unwrap_or_else(|error| panic!("{wrapped}: {error}"));
    assert_eq!(opened, named(vectors, inner).bytes, "{wrapped}");
}

#[test]
fn a_proof_of_another_negotiation_is_refused() {
    let Some(vectors) = vectors("sasl.json") else { return };
    let offer = sasl(named(&vectors, "am-sasl-offer"));
    let token = Token::new("id", "pw", Token::AM_RM, "");
    let credential = Credential::Token { token, nonce: "n".to_owned() };
    let mut negotiation = Negotiation::new(credential, &[Protection::Authentication]);
    negotiation.start();
    assert!(negotiation.advance(offer).is_ok());
    let error = negotiation.advance(sasl(named(&vectors, "am-sasl-success"))).unwrap_err();
    assert_eq!(error, SaslError::ServerProof);
}
