//! Who asks the search server, where its url does not say so: from a file or the environment, because everybody on a machine sees the arguments of its programs.

use std::path::Path;

use maas_cli::{ErrorCode, Failure};

use crate::address::Address;

/// `USER:PASSWORD`, where no file is given.
const VARIABLE: &str = "MAAS_SEARCH_CREDENTIALS";

/// A user and a password.
pub(super) struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// Those of the file, else of the environment, if there are any.
    pub(super) fn find(file: Option<&Path>) -> Result<Option<Self>, Failure> {
        let (text, place) = match file {
            Some(path) => {
                let shown = path.display().to_string();
                let read = std::fs::read_to_string(path);
                let cant = |error| Failure::new(ErrorCode::BadConfig, format!("{shown} can't be read")).because(&error);
                (read.map_err(cant)?, shown)
            }
            None => match std::env::var(VARIABLE) {
                Ok(text) if !text.is_empty() => (text, format!("${VARIABLE}")),
                _ => return Ok(None),
            },
        };
        let read = Self::read(&text)
            .ok_or_else(|| Failure::new(ErrorCode::BadConfig, format!("{place} is not one line USER:PASSWORD")))?;
        Ok(Some(read))
    }

    fn read(text: &str) -> Option<Self> {
        let (user, password) = text.trim_end_matches(['\r', '\n']).split_once(':')?;
        let is_line = !user.is_empty() && !password.contains(['\r', '\n']);
        is_line.then(|| Self { user: user.to_owned(), password: password.to_owned() })
    }

    /// The address for this user, unless it names one itself.
    pub(super) fn give(&self, address: &Address) -> Address {
        address.with_user(&self.user, &self.password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_password_are_one_line() {
        let read = |text| Credentials::read(text).map(|read| (read.user, read.password));
        assert_eq!(read("alice:a:b \n"), Some(("alice".into(), "a:b ".into())));
        assert_eq!(read("alice"), None);
        assert_eq!(read(":secret"), None);
        assert_eq!(read("alice:secret\nbob:other\n"), None);
    }
}
