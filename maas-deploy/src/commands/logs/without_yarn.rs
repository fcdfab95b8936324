//! What stands in for the logs of ended applications where this program is built without YARN: it says how to have them.

use super::{Wanted, Which};
use crate::error::Error;
use maas_cli::ErrorCode;
use maas_cli::output::Out;
use std::io::Write;

const HOW: &str = "`yarn logs -applicationId ID` has them, or a maas_deploy built with cargo build --release -p maas-deploy --features yarn";

/// Refuses.
#[expect(clippy::unused_async, reason = "the real one asks the cluster")]
pub(super) async fn print<W: Write>(wanted: Wanted, _out: &mut Out<W>) -> Result<(), Error> {
    Err(match wanted.which {
        Which::Named(id) | Which::Left(id) => {
            let message = format!("this maas_deploy can't read the logs of {id}: it was built without YARN; {HOW}");
            Error::say(ErrorCode::StoreNotBuilt, message)
        }
        Which::Newest { zookeeper } => {
            let message = format!(
                "no master leads at {zookeeper}; start one with maas_service. For the logs of an application that has ended: {HOW}"
            );
            Error::say(ErrorCode::NoMaster, message)
        }
    })
}
