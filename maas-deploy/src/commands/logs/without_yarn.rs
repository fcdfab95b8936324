//! What stands in for the logs of ended applications where this program is built without YARN: it says how to have them.

use super::{Wanted, Which};
use crate::error::Error;
use maas_cli::ErrorCode;
use maas_cli::output::Out;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

const HOW: &str = "`yarn logs -applicationId ID` has them, or a maas_deploy built with cargo build --release -p maas-deploy --features yarn";

/// Refuses.
#[expect(clippy::unused_async, reason = "the real one asks the cluster")]
pub(super) async fn print<W: Write>(wanted: Wanted, _out: &mut Out<W>) -> Result<(), Error> {
    Err(match wanted.which {
        Which::Named(id) | Which::Left(id) => {
            let message = format!("this maas_deploy can't read the logs of {id}: it was built without YARN; {HOW}");
            Error::say(ErrorCode::StoreNotBuilt, message)
        }
        Which::Newest { zookeeper, .. } => {
            let message = format!(
                "no master leads at {zookeeper}; start one with maas_service. For the logs of an application that has ended: {HOW}"
            );
            Error::say(ErrorCode::NoMaster, message)
        }
    })
}

/// Whether there is a YARN cluster that models may have run on, so that it is worth a word.
pub(super) fn is_configured() -> bool {
    has_yarn_site(|name| std::env::var_os(name))
}

fn has_yarn_site(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let named = ["HADOOP_CONF_DIR", "YARN_CONF_DIR"].into_iter().filter_map(&variable).map(PathBuf::from);
    let of_home = variable("HADOOP_HOME").map(|home| PathBuf::from(home).join("etc/hadoop"));
    let mut all = named.chain(of_home).chain([PathBuf::from("/etc/hadoop/conf")]);
    all.any(|directory| directory.join("yarn-site.xml").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_configured_where_a_yarn_site_lies() {
        let directory = tempfile::tempdir().unwrap();
        let variable = |name: &str| (name == "YARN_CONF_DIR").then(|| directory.path().as_os_str().to_owned());
        assert!(!has_yarn_site(variable));
        std::fs::write(directory.path().join("yarn-site.xml"), "").unwrap();
        assert!(has_yarn_site(variable));
    }
}
