//! Whether the application that runs leads, which is when its models can be asked for; and words for whoever waits.

use crate::cli::Cli;
use crate::error::Error;
use crate::service::announce::note;
use crate::service::entry;
use maas_client::state::Leader;
use maas_client::tree::TreeExt;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often it is said what is waited for.
pub(super) const SAY_EVERY: Duration = Duration::from_secs(30);
/// A master that runs leads within a moment, unless another one does.
const LEADS_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOKS: Duration = Duration::from_millis(100);

/// Waits for work, and says now and then for whom.
pub(super) async fn saying<T>(whom: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = sleep(SAY_EVERY) => note(&format!("still waiting for {whom}")),
        }
    }
}

/// Waits until this application leads. That another one does, or that ZooKeeper does not say, is told and no failure: it runs; `still_runs` fails when it
/// does not any more.
pub(super) async fn until_it_leads(
    cli: &Cli,
    application: &str,
    still_runs: impl AsyncFn() -> Result<(), Error>,
) -> Result<(), Error> {
    let unseen = |error: &dyn std::fmt::Display| note(&format!("whether {application} leads can't be seen: {error}"));
    let (tree, roots, _) = match entry::connect_for_command(cli).await {
        Ok(connected) => connected,
        Err(error) => {
            unseen(&error);
            return Ok(());
        }
    };
    let begun = Instant::now();
    let outcome = loop {
        match tree.get_json::<Leader>(&roots.leader()).await {
            Ok(Some((Ok(leader), _))) => match leader.application {
                Some(leads) if leads == application => break Ok(()),
                other => {
                    let other = other.unwrap_or_else(|| format!("the master on {}", leader.host));
                    note(&format!("{other} leads, {application} stands by"));
                    break Ok(());
                }
            },
            Ok(_) => {}
            Err(error) => {
                unseen(&error);
                break Ok(());
            }
        }
        if let Err(over) = still_runs().await {
            break Err(over);
        }
        if begun.elapsed() > LEADS_WITHIN {
            note(&format!("{application} runs and does not lead yet; its log says why"));
            break Ok(());
        }
        sleep(LOOKS).await;
    };
    tree.close().await;
    outcome
}
