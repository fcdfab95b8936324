//! How a negotiation can fail.

/// Why a negotiation fails on our side, or why a sealed frame can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// The server takes nothing that we have.
    #[error("the server offers {offered} and we have {ours}")]
    NothingInCommon {
        /// Methods and mechanisms, best first.
        offered: String,
        /// What we could have proved ourselves with.
        ours: &'static str,
    },
    /// The server asks for no proof where a token or Kerberos was to say who we are.
    #[error("the server takes anybody's word and asks for no proof; use simple authentication")]
    ProofUnused,
    /// The server calls itself something else than the configuration says.
    #[error("the server calls itself {offered} and {key} is {expected}")]
    Principal {
        /// Its own name.
        offered: String,
        /// The configured one.
        expected: String,
        /// Where it is configured.
        key: String,
    },
    /// The configuration does not say what the server is called.
    #[error("{key} is not set; with Kerberos it names the server, such as rm/_HOST@EXAMPLE.COM")]
    NoPrincipal {
        /// The key.
        key: String,
    },
    /// The system's library refuses.
    #[error("Kerberos: {0}")]
    Kerberos(String),
    /// This program can't speak Kerberos.
    #[error(
        "this program was built without Kerberos; build it with hadoop-yarn's feature kerberos, or call with a token"
    )]
    WithoutKerberos,
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
