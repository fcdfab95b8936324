//! Domain names: whether a text is one, and where its public suffix begins.
//!
//! The rules are those of Guava's `InternetDomainName`: labels of at most 63 letters, digits, `-` and `_` that neither begin nor end with the last two, and a
//! last label that doesn't begin with a digit.

use crate::value::Text;

/// A domain name and where its suffix begins: the public suffix, or what follows the last dot. A dot at its end, which stands for the root, is left out.
pub(crate) struct Domain<'a> {
    name: &'a str,
    suffix: usize,
    public: bool,
}

impl<'a> Domain<'a> {
    /// The domain name in `name`; none if it is no domain name.
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let name = name.strip_suffix('.').unwrap_or(name);
        if !is_domain_name(name) {
            return None;
        }
        let known = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let mut lower = Text::new(name);
            lower.make_ascii_lowercase();
            known_suffix(&lower)
        } else {
            known_suffix(name)
        };
        let suffix = known.map_or_else(|| name.rfind('.').map_or(0, |dot| dot + 1), |length| name.len() - length);
        Some(Self { name, suffix, public: known.is_some() })
    }

    /// `co.uk`, in small letters; none where the list knows no suffix of it.
    pub(crate) fn public_suffix(&self) -> Option<Text> {
        self.public.then(|| self.from(self.suffix))
    }

    /// What stands before the suffix, without the dot.
    pub(crate) fn before_suffix(&self) -> &'a str {
        &self.name[..self.suffix.saturating_sub(1)]
    }

    /// The suffix with the label before it. A public suffix is written in small letters where a label stands before it; the label is as it was given.
    pub(crate) fn registered(&self) -> Text {
        if self.suffix == 0 {
            return Text::new(self.name);
        }
        self.from(self.before_suffix().rfind('.').map_or(0, |dot| dot + 1))
    }

    /// The name from here to its end.
    fn from(&self, start: usize) -> Text {
        let mut text = Text::new(&self.name[start..]);
        if self.public {
            text[self.suffix - start..].make_ascii_lowercase();
        }
        text
    }
}

/// The length of the suffix that the list knows.
fn known_suffix(name: &str) -> Option<usize> {
    psl::suffix(name.as_bytes()).filter(psl::Suffix::is_known).map(|suffix| suffix.as_bytes().len())
}

fn is_domain_name(name: &str) -> bool {
    if name.len() > 253 {
        return false;
    }
    let mut labels = 0;
    let mut last = "";
    for label in name.split('.') {
        labels += 1;
        last = label;
        let bytes = label.as_bytes();
        let (Some(first), Some(end)) = (bytes.first(), bytes.last()) else { return false };
        let inside = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'-' | b'_');
        if bytes.len() > 63 || matches!(first, b'-' | b'_') || matches!(end, b'-' | b'_') || !bytes.iter().all(inside) {
            return false;
        }
    }
    labels <= 127 && !last.starts_with(|char: char| char.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_comes_from_the_list_in_small_letters_and_the_case_of_labels_is_kept() {
        let domain = Domain::parse("WWW.Example.CO.UK").unwrap();
        assert_eq!(domain.public_suffix().as_deref(), Some("co.uk"));
        assert_eq!((domain.before_suffix(), &*domain.registered()), ("WWW.Example", "Example.co.uk"));
        assert_eq!(Domain::parse("foo.blogspot.com").unwrap().public_suffix().as_deref(), Some("blogspot.com"));
        for whole in ["foo", "COM", "x.NoSuchTld"] {
            assert_eq!(Domain::parse(whole).unwrap().registered(), whole);
        }
    }

    #[test]
    fn addresses_and_oddities_are_no_domain_names() {
        for name in ["10.0.0.1", "", ".", "a.com..", "a..b", "-a.com", "a b.com", "a/b", &"x".repeat(64)] {
            assert!(Domain::parse(name).is_none(), "{name}");
        }
    }
}
