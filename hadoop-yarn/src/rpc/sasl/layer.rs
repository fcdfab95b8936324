//! What protects a connection that Kerberos opened (RFC 4752, section 3.1): the server offers, we choose. Pure.

use super::{Protection, SaslError};

/// The longest sealed message that we say we take. Hadoop's servers say so too, and seal longer answers all the same.
const LONGEST: [u8; 3] = [1, 0, 0];

/// The protection of the connection, and the message that says so: the server's message names what it offers, as bits.
pub(super) fn choose(offer: &[u8], accepted: &[Protection]) -> Result<(Protection, [u8; 4]), SaslError> {
    let &[offered, ..] = offer else { return Err(SaslError::Challenge("no offer of a protection".to_owned())) };
    let bit = |protection: Protection| match protection {
        Protection::Authentication => 1,
        Protection::Integrity => 2,
        Protection::Privacy => 4,
    };
    let words = |protections: &mut dyn Iterator<Item = Protection>| {
        protections.map(Protection::qop).collect::<Vec<_>>().join(", ")
    };
    let all = [Protection::Authentication, Protection::Integrity, Protection::Privacy];
    let chosen = accepted.iter().copied().find(|&protection| offered & bit(protection) != 0).ok_or_else(|| {
        SaslError::Protection {
            offered: words(&mut all.into_iter().filter(|&protection| offered & bit(protection) != 0)),
            accepted: words(&mut accepted.iter().copied()),
        }
    })?;
    let [a, b, c] = if chosen == Protection::Authentication { [0; 3] } else { LONGEST };
    Ok((chosen, [bit(chosen), a, b, c]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_best_liked_protection_that_is_offered_is_taken() {
        use Protection::{Authentication, Integrity, Privacy};
        assert_eq!(choose(&[7, 1, 0, 0], &[Authentication, Privacy]).unwrap(), (Authentication, [1, 0, 0, 0]));
        assert_eq!(choose(&[6, 1, 0, 0], &[Authentication, Privacy]).unwrap(), (Privacy, [4, 1, 0, 0]));
        assert_eq!(choose(&[2, 1, 0, 0], &[Integrity]).unwrap(), (Integrity, [2, 1, 0, 0]));
        let error = choose(&[1, 0, 0, 0], &[Privacy]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server offers the protection auth and we accept auth-conf (hadoop.rpc.protection)"
        );
        assert!(choose(&[], &[Privacy]).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_offers_are_no_panic(offer in prop::collection::vec(any::<u8>(), 0..8)) {
            let _ = choose(&offer, &[Protection::Privacy]);
        }
    }
}
