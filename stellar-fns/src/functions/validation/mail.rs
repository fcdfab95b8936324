//! E-mail addresses by the rules of commons-validator.

use super::place::{is_domain, is_ipv4, is_ipv6};

/// Words with dots between, an at sign, a domain name or an address in brackets.
pub(super) fn is_email(text: &str) -> bool {
    let text = text.trim_matches(|char: char| char.is_ascii_whitespace());
    let Some((user, place)) = text.rsplit_once('@') else { return false };
    let place_is = match place.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => is_ipv4(address) || address.strip_prefix("IPv6:").is_some_and(is_ipv6) || is_ipv6(address),
        None => !place.ends_with('.') && is_domain(place),
    };
    place_is && user.len() <= 64 && is_user(user)
}

/// Words are quoted, or of characters that mean nothing in a header; a backslash takes the meaning from any.
fn is_user(user: &str) -> bool {
    let mut chars = user.chars().peekable();
    loop {
        let mut length = 0;
        if chars.next_if_eq(&'"').is_some() {
            loop {
                match chars.next() {
                    None => return false,
                    Some('\\') => {
                        chars.next();
                    }
                    Some('"') => break,
                    Some(_) => {}
                }
            }
            length = 1;
        } else {
            while let Some(char) = chars.next_if(|char| *char != '.') {
                let special = char.is_whitespace() || char.is_control() || "()<>@,;:\"[]".contains(char);
                if special || (char == '\\' && chars.next().is_none()) {
                    return false;
                }
                length += 1;
            }
        }
        match chars.next() {
            _ if length == 0 => return false,
            None => return true,
            Some('.') => {}
            Some(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_places_are_checked() {
        for mail in ["a@b.com", "a.b'c@b.co.uk", "\"a b\"@b.com", "a\\ b@b.com", "a@[127.0.0.1]", " a@b.com "] {
            assert!(is_email(mail), "{mail}");
        }
        for mail in [
            "",
            "a",
            "a@",
            "@b.com",
            "a..b@b.com",
            ".a@b.com",
            "a b@b.com",
            "a@b",
            "a@b.com.",
            "a@b@c.com",
            "a@127.0.0.1",
        ] {
            assert!(!is_email(mail), "{mail}");
        }
    }
}
