//! What stands in the place of [`gssapi`](super::gssapi) where the crate is built without the feature `kerberos`: no negotiation begins, and each says why.

use super::{Protection, SaslError};

/// A negotiation that there never is.
#[derive(Debug)]
pub(super) enum Gssapi {}

/// A seal that there never is.
#[derive(Debug)]
pub(crate) enum Wrapper {}

pub(super) fn principal() -> Result<String, SaslError> {
    Err(SaslError::WithoutKerberos)
}

impl Gssapi {
    pub(super) fn begin(_principal: &str) -> Result<(Self, Vec<u8>), SaslError> {
        Err(SaslError::WithoutKerberos)
    }

    pub(super) fn step(&mut self, _received: &[u8], _accepted: &[Protection]) -> Result<Vec<u8>, SaslError> {
        match *self {}
    }

    pub(super) fn agreed(self) -> Result<(Protection, Wrapper, Wrapper), SaslError> {
        match self {}
    }
}

impl Wrapper {
    pub(super) fn seal(&mut self, _data: &[u8]) -> Result<Vec<u8>, SaslError> {
        match *self {}
    }

    pub(super) fn open(&mut self, _sealed: &[u8]) -> Result<Vec<u8>, SaslError> {
        match *self {}
    }
}
