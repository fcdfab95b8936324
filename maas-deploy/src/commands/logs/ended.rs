//! Logs of an application of YARN that has ended: the [`cluster`] is asked, [`decide`] says which application is shown, and
//! what is read from its [`files`] is [`collected`]'s and [`mod@pour`]'s. One that the ResourceManager has forgotten is
//! looked for in HDFS.

mod cluster;
mod collected;
mod decide;
mod files;
mod pour;
#[cfg(test)]
mod tests;

use super::lines::{Lines, shape};
use super::{Wanted, Which};
use crate::context::note;
use crate::error::Error;
use cluster::Cluster;
use collected::in_one_line;
use hadoop_yarn::config::Configuration;
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure};
use pour::{Source, Tally, pour};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long it is waited for logs that are being collected.
const COLLECTING: Duration = Duration::from_secs(10);
/// After this long after an application's end nothing more is collected: the ResourceManager itself gives up then
/// (`yarn.log-aggregation-status.time-out.ms`), and one that was restarted no longer knows what had been collected.
const SETTLED: Duration = Duration::from_secs(600);

/// Whether there is a YARN cluster that models may have run on.
pub(super) fn is_configured() -> bool {
    Configuration::names_a_cluster()
}

/// Prints the logs.
pub(super) async fn print<W: Write>(wanted: Wanted, out: &mut Out<W>) -> Result<(), Error> {
    let cluster = Cluster::configured()?;
    let collected = match &wanted.which {
        Which::Named(id) | Which::Left(id) => cluster.named(&wanted, id).await?,
        Which::Newest { zookeeper, .. } if wanted.follow => {
            return Err(nothing_follows(&format!("no master leads at {zookeeper}")));
        }
        Which::Newest { zookeeper, place } => cluster.newest(&wanted, zookeeper, place).await?,
    };
    collected.remarks.iter().for_each(note);
    let chosen = collected.chosen(&wanted)?;
    let ids: Vec<String> = chosen.iter().map(|instance| instance.identity.instance.clone()).collect();
    let mut shapes = Vec::new();
    let mut streams = Vec::new();
    for instance in &chosen {
        for stream in wanted.streams {
            shapes.push(shape(wanted.json, &ids, &instance.identity.instance, stream));
            streams.push(Source { parts: instance.parts_of(stream) });
        }
    }
    let is_alone = ids.len() == 1;
    let mut tally = Tally::of(&streams);
    let (send, mut receive) = mpsc::channel(8);
    let (files, tail) = (Arc::clone(&cluster.files), wanted.tail);
    let work = tokio::task::spawn_blocking(move || {
        // A receiver that is gone wants nothing more.
        pour(&*files, &collected, &streams, tail, |at, piece| send.blocking_send((at, piece)).is_ok());
    });
    let mut open: Option<(usize, Lines)> = None;
    let mut shapes = shapes.into_iter().enumerate();
    while let Some((at, piece)) = cluster.unless_silent(receive.recv()).await? {
        if open.as_ref().is_none_or(|(of, _)| *of != at) {
            if let Some((_, mut lines)) = open.take() {
                out.bytes(&lines.rest())?;
            }
            open = shapes.find(|(of, _)| *of == at).map(|(of, shape)| (of, Lines::new(shape)));
        }
        match piece {
            Ok(bytes) => {
                if let Some((_, lines)) = &mut open {
                    out.bytes(&lines.take(&bytes))?;
                }
            }
            Err(failure) if is_alone => return Err(failure.into()),
            // One of several that can't be read does not keep the others.
            Err(failure) => {
                note(in_one_line(&failure));
                tally.take(failure);
            }
        }
        if out.is_closed() {
            return Ok(());
        }
    }
    if let Some((_, mut lines)) = open {
        out.bytes(&lines.rest())?;
    }
    work.await.map_err(|error| Failure::new(ErrorCode::Defect, "work on files ended early").because(&error))?;
    Ok(tally.outcome()?)
}

fn nothing_follows(why: &str) -> Error {
    let message = format!("--follow: {why}, and nothing follows in collected logs; leave it out");
    Error::say(ErrorCode::Usage, message)
}
