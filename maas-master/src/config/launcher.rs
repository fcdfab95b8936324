//! Which launcher a master uses when nobody says, and the sentence that tells the user so. Pure but for one look at files.

use crate::cli::On;
use std::path::{Path, PathBuf};

/// Which launcher, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Which.
    pub on: On,
    /// The first line on stderr: which one, why, and how to have the other.
    pub line: String,
}

/// yarn when a `yarn-site.xml` is configured, else local; `--on` decides when given.
pub fn choose_launcher(given: Option<On>, variable: impl Fn(&str) -> Option<String>) -> Choice {
    if let Some(on) = given {
        let line = match on {
            On::Local => "models run on this machine (--on local); --on yarn runs them on a YARN cluster",
            On::Yarn => "models run on YARN (--on yarn); --on local runs them on this machine",
            On::Ec2 => "models run on EC2 (--on ec2); --on local runs them on this machine",
        };
        return Choice { on, line: line.to_string() };
    }
    let directories = ["HADOOP_CONF_DIR", "YARN_CONF_DIR"].into_iter().filter_map(|name| Some((name, variable(name)?)));
    let configured = directories
        .map(|(name, directory)| (format!("${name}"), PathBuf::from(directory)))
        .chain([("the default".to_string(), PathBuf::from("/etc/hadoop/conf"))])
        .find(|(_, directory)| directory.is_absolute() && has_yarn_site(directory));
    match configured {
        Some((source, directory)) => Choice {
            on: On::Yarn,
            line: format!(
                "models run on YARN, because {} ({source}) holds a yarn-site.xml; --on local runs them on this machine",
                directory.display()
            ),
        },
        None => Choice {
            on: On::Local,
            line: "models run on this machine (--on local), because no yarn-site.xml is configured; --on yarn with HADOOP_CONF_DIR set runs them on a YARN cluster".to_string(),
        },
    }
}

fn has_yarn_site(directory: &Path) -> bool {
    directory.join("yarn-site.xml").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yarn_site_makes_yarn_the_default_and_a_flag_decides() {
        let directory = tempfile::tempdir().unwrap();
        let shown = directory.path().to_str().unwrap().to_string();
        let variable = |name: &str| (name == "YARN_CONF_DIR").then(|| shown.clone());
        assert_eq!(choose_launcher(None, variable).on, On::Local);
        std::fs::write(directory.path().join("yarn-site.xml"), "").unwrap();
        let choice = choose_launcher(None, variable);
        assert_eq!(choice.on, On::Yarn);
        assert!(choice.line.contains("$YARN_CONF_DIR") && choice.line.contains("--on local"));
        assert_eq!(choose_launcher(Some(On::Local), variable).on, On::Local);
    }
}
