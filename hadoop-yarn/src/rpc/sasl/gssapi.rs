//! The system's GSSAPI, as the mechanism of that name wants it (RFC 4752): a context towards the server's principal with the credentials that `kinit`
//! or a keytab left in the environment, then one sealed message about what protects the connection.
//!
//! Calls may go to a key distribution centre and wait for it: they are made where waiting hurts nobody.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libgssapi::context::{ClientCtx, CtxFlags, SecurityContext as _};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_NT_KRB5_PRINCIPAL, OidSet};

use super::{Protection, SaslError, layer};

/// A context may be used by one thread at a time, and a connection's two halves share it.
type Shared = Arc<Mutex<ClientCtx>>;

/// One negotiation.
pub(super) struct Gssapi {
    context: Shared,
    protection: Option<Protection>,
}

/// Seals and opens what follows it.
pub(crate) struct Wrapper {
    context: Shared,
    privacy: bool,
}

fn lock(context: &Shared) -> MutexGuard<'_, ClientCtx> {
    // The library leaves a context usable or failed, never half changed.
    context.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(what: &str, error: libgssapi::error::Error) -> SaslError {
    let words = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    SaslError::Kerberos(format!("{what}: {words}"))
}

/// The principal of the ticket that the process has.
pub(super) fn principal() -> Result<String, SaslError> {
    let name = || -> Result<String, libgssapi::error::Error> {
        let kerberos = OidSet::singleton(GSS_MECH_KRB5)?;
        Ok(Cred::acquire(None, None, CredUsage::Initiate, Some(&kerberos))?.name()?.to_string())
    };
    name().map_err(|error| failed("no ticket; run kinit, or set KRB5CCNAME", error))
}

impl Gssapi {
    /// A context towards a principal, and the first message.
    pub(super) fn begin(principal: &str) -> Result<(Self, Vec<u8>), SaslError> {
        let name = Name::new(principal.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL))
            .map_err(|error| failed(&format!("{principal} is no principal"), error))?;
        let flags = CtxFlags::GSS_C_MUTUAL_FLAG
            | CtxFlags::GSS_C_REPLAY_FLAG
            | CtxFlags::GSS_C_SEQUENCE_FLAG
            | CtxFlags::GSS_C_CONF_FLAG
            | CtxFlags::GSS_C_INTEG_FLAG;
        let mut context = ClientCtx::new(None, name, flags, Some(GSS_MECH_KRB5));
        let first = context
            .step(None, None)
            .map_err(|error| failed(&format!("no ticket for {principal}; run kinit, or set KRB5CCNAME"), error))?;
        let first = first.map(|token| token.to_vec()).unwrap_or_default();
        Ok((Self { context: Arc::new(Mutex::new(context)), protection: None }, first))
    }

    /// The answer to a message of the server's.
    pub(super) fn step(&mut self, received: &[u8], accepted: &[Protection]) -> Result<Vec<u8>, SaslError> {
        let mut context = lock(&self.context);
        if !context.is_complete() {
            let answer = context
                .step(Some(received), None)
                .map_err(|error| failed("the server's proof is not accepted", error))?;
            return Ok(answer.map(|token| token.to_vec()).unwrap_or_default());
        }
        if self.protection.is_some() {
            return Err(SaslError::OutOfTurn { got: "CHALLENGE".to_owned(), expected: "SUCCESS" });
        }
        let offer = context.unwrap(received).map_err(|error| failed("the server's offer can't be opened", error))?;
        let (protection, answer) = layer::choose(&offer, accepted)?;
        let answer = context.wrap(false, &answer).map_err(|error| failed("our choice can't be sealed", error))?;
        self.protection = Some(protection);
        Ok(answer.to_vec())
    }

    /// What protects the connection: only known once it was agreed on.
    pub(super) fn agreed(self) -> Result<(Protection, Wrapper, Wrapper), SaslError> {
        let protection = self.protection.ok_or(SaslError::ServerProof)?;
        let wrapper = || Wrapper { context: Arc::clone(&self.context), privacy: protection == Protection::Privacy };
        Ok((protection, wrapper(), wrapper()))
    }
}

impl Wrapper {
    /// The sealed form of `data`.
    pub(super) fn seal(&mut self, data: &[u8]) -> Result<Vec<u8>, SaslError> {
        let sealed = lock(&self.context).wrap(self.privacy, data);
        Ok(sealed.map_err(|error| failed("a frame can't be sealed", error))?.to_vec())
    }

    /// What was sealed.
    pub(super) fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SaslError> {
        let opened = lock(&self.context).unwrap(sealed);
        Ok(opened.map_err(|error| failed("a sealed frame can't be opened", error))?.to_vec())
    }
}

// Keys stay out of logs.
impl fmt::Debug for Gssapi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gssapi").field("protection", &self.protection).finish_non_exhaustive()
    }
}

impl fmt::Debug for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapper").field("privacy", &self.privacy).finish_non_exhaustive()
    }
}
