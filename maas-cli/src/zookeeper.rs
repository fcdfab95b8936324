//! Where ZooKeeper is: the option, `$MAAS_ZK`, the user's client.toml, the machine's; the first found is taken.
//!
//! Only finds the address. What it is good for shows when something connects to it.

use crate::code::ErrorCode;
use crate::errors::Failure;
use serde::Deserialize;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Variable with ZooKeeper's connect string.
pub const ADDRESS_VARIABLE: &str = "MAAS_ZK";
/// Variable with the configuration node's path.
pub const ROOT_VARIABLE: &str = "MAAS_ZK_ROOT";
/// The machine's file.
pub const SYSTEM_FILE: &str = "/etc/maas/client.toml";
/// The user's file, below their home.
pub const USER_FILE: &str = ".config/maas/client.toml";
/// Where the configuration node is when nobody says otherwise.
pub const DEFAULT_ROOT: &str = "/metron/maas/config";

/// A connect string and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `HOST:PORT,…`, maybe with a chroot.
    pub connect: String,
    /// Who says so, for messages.
    pub source: String,
}

/// The world this module looks at, given so that tests need not change the process.
struct World<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    home: Option<PathBuf>,
    system_file: PathBuf,
}

/// The address from the option, the environment or the files.
pub fn address(option: Option<&str>) -> Result<Address, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    find(option, &World { variable: &variable, home, system_file: PathBuf::from(SYSTEM_FILE) })
}

/// The configuration node's path from the option, the environment or the default.
pub fn root(option: Option<&str>) -> Result<String, Failure> {
    let (root, source) = match (option, std::env::var(ROOT_VARIABLE).ok().filter(|root| !root.is_empty())) {
        (Some(root), _) => (root.to_string(), "-zr"),
        (None, Some(root)) => (root, "$MAAS_ZK_ROOT"),
        (None, None) => return Ok(DEFAULT_ROOT.to_string()),
    };
    let parts_ok = root.len() > 1 && root[1..].split('/').all(|part| !matches!(part, "" | "." | ".."));
    if root.starts_with('/') && parts_ok && !root.contains('\0') {
        return Ok(root);
    }
    Err(Failure::new(ErrorCode::Usage, format!("{source} {root:?} is no absolute path of a node")))
}

#[derive(Deserialize)]
struct ClientFile {
    zk: Option<String>,
}

fn find(option: Option<&str>, world: &World<'_>) -> Result<Address, Failure> {
    if let Some(connect) = option {
        return checked(connect, "-zq");
    }
    if let Some(connect) = (world.variable)(ADDRESS_VARIABLE).filter(|value| !value.trim().is_empty()) {
        return checked(&connect, "$MAAS_ZK");
    }
    let files = world.home.iter().map(|home| home.join(USER_FILE)).chain([world.system_file.clone()]);
    for file in files {
        if let Some(connect) = zk_of(&file)? {
            return checked(&connect, &file.display().to_string());
        }
    }
    Err(Failure::new(
        ErrorCode::NoZookeeper,
        format!(
            "ZooKeeper's address is not known; give -zq HOST:PORT, or set ${ADDRESS_VARIABLE}, or write zk = \"HOST:PORT\" in ~/{USER_FILE} or {}",
            world.system_file.display()
        ),
    ))
}

fn zk_of(file: &Path) -> Result<Option<String>, Failure> {
    let shown = file.display();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => {
            let message = format!("{shown} can't be read; mend it, or give -zq");
            return Err(Failure::new(ErrorCode::BadConfig, message).because(&error));
        }
    };
    let parsed: ClientFile = toml::from_str(&text).map_err(|error| {
        Failure::new(ErrorCode::BadConfig, format!("{shown} is no TOML with zk = \"HOST:PORT\"; mend it, or give -zq"))
            .with_cause(error.message())
    })?;
    Ok(parsed.zk)
}

fn checked(connect: &str, source: &str) -> Result<Address, Failure> {
    let connect = connect.trim();
    let (servers, chroot) = match connect.find('/') {
        Some(slash) => connect.split_at(slash),
        None => (connect, ""),
    };
    let bad_server = servers.split(',').find(|server| {
        let port = server.rsplit_once(':').filter(|_| !server.ends_with(']')).map(|(_, port)| port);
        server.is_empty()
            || server.starts_with(':')
            || server.contains(|c: char| c.is_whitespace() || c.is_control())
            || port.is_some_and(|port| port.parse::<u16>().is_err())
    });
    if let Some(server) = bad_server {
        let message = format!("{source} {connect:?}: {server:?} is no HOST:PORT; several are separated by commas");
        return Err(Failure::new(ErrorCode::Usage, message));
    }
    let chroot_ok = chroot.is_empty()
        || chroot == "/"
        || chroot[1..].split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains(char::is_whitespace));
    if !chroot_ok {
        return Err(Failure::new(ErrorCode::Usage, format!("{source} {connect:?}: {chroot:?} is no chroot")));
    }
    let connect = connect.strip_suffix('/').unwrap_or(connect);
    Ok(Address { connect: connect.to_string(), source: source.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(option: Option<&str>, variable: Option<&str>, home: &Path, system: &Path) -> Result<Address, Failure> {
        let variable = |_: &str| variable.map(str::to_string);
        let system_file = system.join("client.toml");
        find(option, &World { variable: &variable, home: Some(home.to_path_buf()), system_file })
    }

    #[test]
    fn the_first_of_option_variable_user_file_and_system_file_counts() {
        let home = tempfile::tempdir().unwrap();
        let system = tempfile::tempdir().unwrap();
        let none = look(None, None, home.path(), system.path()).unwrap_err();
        assert_eq!(none.exit(), crate::exit::USAGE);
        for named in ["-zq", "$MAAS_ZK", "~/.config/maas/client.toml", "client.toml"] {
            assert!(none.message().contains(named), "{none}");
        }
        std::fs::write(system.path().join("client.toml"), "zk = \"sys:1/chroot\"\nother = 1\n").unwrap();
        assert_eq!(look(None, None, home.path(), system.path()).unwrap().connect, "sys:1/chroot");
        let user = home.path().join(USER_FILE);
        std::fs::create_dir_all(user.parent().unwrap()).unwrap();
        std::fs::write(&user, "zk = \"user:1\"").unwrap();
        assert_eq!(look(None, None, home.path(), system.path()).unwrap().connect, "user:1");
        assert_eq!(look(None, Some("var:1"), home.path(), system.path()).unwrap().connect, "var:1");
        let first = look(Some("opt:1/"), Some("var:1"), home.path(), system.path()).unwrap();
        assert_eq!((first.connect.as_str(), first.source.as_str()), ("opt:1", "-zq"));
        std::fs::write(&user, "zk = ").unwrap();
        assert_eq!(look(None, None, home.path(), system.path()).unwrap_err().code(), ErrorCode::BadConfig);
    }

    #[test]
    fn a_connect_string_is_checked() {
        for good in ["h", "h:2181", "a:1,b:2/x/y", "[::1]:2181", "10.0.0.1:2181", "[::1]"] {
            assert!(checked(good, "-zq").is_ok(), "{good}");
        }
        for bad in ["", "h:x", "a:1,,b:2", "a b:1", ":2181", "h:1/../x", "h:1//x", "h:99999"] {
            assert!(checked(bad, "-zq").is_err(), "{bad}");
        }
    }
}
