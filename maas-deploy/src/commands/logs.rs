//! LOGS: what instances wrote, through the master's HTTP: all live instances and the newest failed one, or the one named.

use crate::check;
use crate::context::{Context, note};
use crate::error::{Error, require, require_among};
use crate::http::{Api, Target, TextStream};
use crate::report::newest_failed;
use bytes::Bytes;
use maas_cli::ErrorCode;
use maas_cli::output::Out;
use maas_client::api::{InstanceView, ModelView};
use maas_client::model::{ModelName, ModelVersion};
use maas_client::picture::Picture;
use maas_client::reason::InstanceState;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use tokio::sync::mpsc;

/// Options of LOGS.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy logs -n dga -v 1.0 --tail 50
  maas_deploy logs -n dga --stream stderr --follow
  maas_deploy logs -n dga --instance 1-3-7f3a")]
pub(crate) struct Args {
    /// The model
    #[arg(short = 'n', long)]
    name: String,

    /// Its version; without it all versions
    #[arg(long, value_name = "VERSION")]
    model_version: Option<String>,

    /// Only this instance, its whole id or its end; it may have ended
    #[arg(long, value_name = "ID")]
    instance: Option<String>,

    /// Which stream
    #[arg(long, value_enum, default_value_t = Stream::Both)]
    stream: Stream,

    /// Only the last N lines of each stream
    #[arg(long, value_name = "N")]
    tail: Option<u64>,

    /// Go on as more is written
    #[arg(long)]
    follow: bool,
}

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Stream {
    Stdout,
    Stderr,
    Both,
}

impl Stream {
    fn names(self) -> &'static [&'static str] {
        match self {
            Stream::Stdout => &["stdout"],
            Stream::Stderr => &["stderr"],
            Stream::Both => &["stdout", "stderr"],
        }
    }
}

/// Longest line that is kept together, bytes.
const LONGEST_LINE: usize = 1 << 20;

/// Prints the logs.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let name = check::name(&args.name)?;
    let version = args.model_version.as_deref().map(check::version).transpose()?;
    let (api, known) = match context.named_master()? {
        Some(api) => {
            let known = ids_from_master(&api, &name, version.as_ref()).await?;
            (api, known)
        }
        None => {
            let cluster = context.connect().await?;
            let picture = Picture::read(&cluster.tree, &cluster.roots, None).await?;
            require(&picture, &name, version.as_ref())?;
            (context.master(Some(&cluster)).await?, ids_from_picture(&picture, &name, version.as_ref()))
        }
    };
    let ids = match &args.instance {
        Some(id) => vec![known.named(id)?],
        None => known.usual,
    };
    if ids.is_empty() {
        note(format!("no instance of {name} has logs"));
        return Ok(());
    }
    let mut open = Vec::new();
    for id in &ids {
        for stream in args.stream.names() {
            let mut target = Target::api(&["instances", id, "logs"]).with("stream", stream);
            if let Some(tail) = args.tail {
                target = target.with("tail", tail.to_string());
            }
            if args.follow {
                target = target.with("follow", "true");
            }
            match api.stream(target).await {
                Ok(text) => open.push((Lines::new(shape(context.json(), &ids, id, stream)), text)),
                // One of several whose logs are gone does not keep the others.
                Err(error) if ids.len() > 1 => note(format!("{id} {stream}: {}", error.into_failure())),
                Err(error) => return Err(error),
            }
        }
    }
    if args.follow { interleaved(open, out).await } else { one_after_another(open, out).await }
}

/// How lines of one of these instances are printed.
fn shape(json: bool, ids: &[String], id: &str, stream: &'static str) -> Shape {
    match ids.len() {
        _ if json => Shape::Json { instance: id.to_string(), stream },
        0 | 1 => Shape::Plain,
        _ => Shape::Prefixed(format!("{id} | ")),
    }
}

/// Instances of a model that may have logs.
struct Known {
    /// Live ones and the newest failed one.
    usual: Vec<String>,
    /// All that are remembered.
    all: BTreeSet<String>,
}

impl Known {
    /// The one a person means by an id or its end. One that is not remembered may still have logs.
    fn named(&self, id: &str) -> Result<String, Error> {
        if self.all.contains(id) {
            return Ok(id.to_string());
        }
        let matching: Vec<&String> = self.all.iter().filter(|known| known.ends_with(&format!("-{id}"))).collect();
        match matching.as_slice() {
            [one] => Ok(one.to_string()),
            [] if self.all.is_empty() => Ok(id.to_string()),
            [] => {
                let all: Vec<&str> = self.all.iter().map(String::as_str).collect();
                let message = format!("no instance {id}; there are {}", all.join(", "));
                Err(Error::say(ErrorCode::NoInstance, message))
            }
            several => {
                let several: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                Err(Error::say(ErrorCode::Usage, format!("{id} may be {}; give the whole id", several.join(" or "))))
            }
        }
    }
}

fn ids_from_picture(picture: &Picture, name: &ModelName, version: Option<&ModelVersion>) -> Known {
    let mut known = Known { usual: Vec::new(), all: BTreeSet::new() };
    for of in picture.of(name).filter(|of| version.is_none_or(|version| *version == of.model.version)) {
        let live = of.instances.iter().filter(|instance| instance.claim.is_some());
        known.usual.extend(live.map(|instance| instance.id.clone()));
        known.usual.extend(newest_failed(of).map(|ended| ended.id.clone()));
        known.all.extend(of.instances.iter().map(|instance| instance.id.clone()));
        known.all.extend(of.status.iter().flat_map(|status| status.ended.iter().map(|ended| ended.id.clone())));
    }
    known
}

async fn ids_from_master(api: &Api, name: &ModelName, version: Option<&ModelVersion>) -> Result<Known, Error> {
    let models: Vec<ModelView> = api.get(Target::api(&["models"])).await?;
    require_among(models.iter().map(|model| (&model.name, &model.version)), name, version)?;
    let asked = |model: &ModelView| model.name == *name && version.is_none_or(|version| model.version == *version);
    let instances: Vec<InstanceView> = models.into_iter().filter(asked).flat_map(|model| model.instances).collect();
    Ok(ids_from_views(&instances))
}

/// As a master lists them: what has ended of a version comes oldest first.
fn ids_from_views(instances: &[InstanceView]) -> Known {
    // What others registered has no runner of ours, and no logs.
    let runs = |of: &&InstanceView| !of.state.is_ended() && (of.pid.is_some() || of.container.is_some());
    let mut usual: Vec<String> = instances.iter().filter(runs).map(|instance| instance.id.clone()).collect();
    let failed = instances.iter().filter(|instance| instance.state == InstanceState::Failed);
    let newest: BTreeMap<&ModelVersion, &str> = failed.map(|failed| (&failed.version, failed.id.as_str())).collect();
    usual.extend(newest.into_values().map(str::to_string));
    Known { usual, all: instances.iter().map(|instance| instance.id.clone()).collect() }
}

async fn one_after_another<W: Write>(open: Vec<(Lines, TextStream)>, out: &mut Out<W>) -> Result<(), Error> {
    for (mut lines, mut stream) in open {
        while let Some(piece) = stream.next().await? {
            out.bytes(&lines.take(&piece))?;
            if out.is_closed() {
                return Ok(());
            }
        }
        out.bytes(&lines.rest())?;
    }
    Ok(())
}

async fn interleaved<W: Write>(open: Vec<(Lines, TextStream)>, out: &mut Out<W>) -> Result<(), Error> {
    let (send, mut receive) = mpsc::channel::<Result<Vec<u8>, Error>>(64);
    for (mut lines, mut stream) in open {
        let send = send.clone();
        tokio::spawn(async move {
            loop {
                let (piece, is_last) = match stream.next().await {
                    Ok(Some(piece)) => (Ok(lines.take(&piece)), false),
                    Ok(None) => (Ok(lines.rest()), true),
                    Err(error) => (Err(error), true),
                };
                // A receiver that is gone wants nothing more.
                if send.send(piece).await.is_err() || is_last {
                    return;
                }
            }
        });
    }
    drop(send);
    while let Some(piece) = receive.recv().await {
        match piece {
            Ok(bytes) => out.bytes(&bytes)?,
            Err(error) => note(error.into_failure().to_string()),
        }
        if out.is_closed() {
            return Ok(());
        }
    }
    Ok(())
}

/// How lines are printed.
enum Shape {
    /// As they come.
    Plain,
    /// Each behind this.
    Prefixed(String),
    /// Each as a document.
    Json { instance: String, stream: &'static str },
}

/// One line as JSON.
#[derive(Debug, Serialize)]
struct Document<'a> {
    instance: &'a str,
    stream: &'a str,
    line: &'a str,
}

/// Cuts pieces into whole lines and shapes them.
struct Lines {
    shape: Shape,
    partial: Vec<u8>,
}

impl Lines {
    fn new(shape: Shape) -> Lines {
        Lines { shape, partial: Vec::new() }
    }

    /// The whole lines there are with this piece.
    fn take(&mut self, piece: &Bytes) -> Vec<u8> {
        if matches!(self.shape, Shape::Plain) {
            return piece.to_vec();
        }
        self.partial.extend_from_slice(piece);
        let end = match self.partial.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if self.partial.len() > LONGEST_LINE => self.partial.len(),
            None => return Vec::new(),
        };
        let whole: Vec<u8> = self.partial.drain(..end).collect();
        self.shaped(&whole)
    }

    /// The last line, when it has no end.
    fn rest(&mut self) -> Vec<u8> {
        let rest = std::mem::take(&mut self.partial);
        if rest.is_empty() { rest } else { self.shaped(&rest) }
    }

    fn shaped(&self, whole: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(whole.len() + 64);
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            match &self.shape {
                Shape::Plain => text.extend_from_slice(line),
                Shape::Prefixed(prefix) => {
                    text.extend_from_slice(prefix.as_bytes());
                    text.extend_from_slice(line);
                }
                Shape::Json { instance, stream } => {
                    let line = String::from_utf8_lossy(line);
                    let document = Document { instance, stream, line: line.trim_end_matches('\r') };
                    // Three strings: writing them as JSON can't fail.
                    text.extend(serde_json::to_vec(&document).unwrap_or_default());
                }
            }
            text.push(b'\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use maas_client::picture::Parts;

    #[test]
    fn lines_of_several_instances_are_whole_and_prefixed() {
        let mut lines = Lines::new(Shape::Prefixed("7f3a | ".into()));
        assert!(lines.take(&Bytes::from_static(b"hal")).is_empty());
        assert_eq!(lines.take(&Bytes::from_static(b"f\nnext\nlast")), b"7f3a | half\n7f3a | next\n");
        assert_eq!(lines.rest(), b"7f3a | last\n");
        assert!(lines.rest().is_empty());
        assert_eq!(Lines::new(Shape::Plain).take(&Bytes::from_static(b"as it is")), b"as it is");
    }

    #[test]
    fn as_json_each_line_is_a_document() {
        let mut lines = Lines::new(shape(true, &["7f3a".into()], "7f3a", "stderr"));
        let text = lines.take(&Bytes::from_static(b"said \"no\"\r\n\xff\nla"));
        let expected = "{\"instance\":\"7f3a\",\"stream\":\"stderr\",\"line\":\"said \\\"no\\\"\"}\n\
                        {\"instance\":\"7f3a\",\"stream\":\"stderr\",\"line\":\"\u{fffd}\"}\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
        assert_eq!(lines.rest(), b"{\"instance\":\"7f3a\",\"stream\":\"stderr\",\"line\":\"la\"}\n");
    }

    #[test]
    fn a_master_is_asked_for_what_runs_and_for_the_newest_failed_of_each_version() {
        let view = |id: &str, version: &str, state: InstanceState, pid: Option<u32>| {
            let mut view =
                Picture::assemble(Parts { endpoints: vec![testing::endpoint("dga", version, id)], ..Parts::default() });
            let (_, of) = view.versions.pop_first().unwrap();
            InstanceView { state, pid, ..of.to_view(false).instances.remove(0) }
        };
        let known = ids_from_views(&[
            view("1-4-dddd", "1.0", InstanceState::Ready, Some(7)),
            view("stranger", "1.0", InstanceState::Ready, None),
            view("1-1-aaaa", "1.0", InstanceState::Failed, None),
            view("1-2-bbbb", "1.0", InstanceState::Failed, None),
            view("1-3-cccc", "1.0", InstanceState::Stopped, None),
            view("1-5-eeee", "2.0", InstanceState::Failed, None),
            view("1-6-ffff", "2.0", InstanceState::Stopped, None),
        ]);
        assert_eq!(known.usual, ["1-4-dddd", "1-2-bbbb", "1-5-eeee"]);
        assert_eq!(known.all.len(), 7);
    }

    #[test]
    fn an_instance_is_named_by_its_id_or_its_end() {
        let all: BTreeSet<String> = ["1-1-aaaa", "1-2-bbbb", "2-7-bbbb"].map(String::from).into();
        let known = Known { usual: Vec::new(), all };
        assert_eq!(known.named("aaaa").unwrap(), "1-1-aaaa");
        assert_eq!(known.named("1-2-bbbb").unwrap(), "1-2-bbbb");
        assert_eq!(known.named("bbbb").unwrap_err().into_failure().exit(), 2);
        assert_eq!(known.named("cccc").unwrap_err().into_failure().exit(), 4);
    }
}
