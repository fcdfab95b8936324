//! CALL: one call of a model, as any client would make it. stdout is the answer's body as it came.

use crate::check;
use crate::context::{Context, note};
use crate::error::Error;
use bytes::Bytes;
use maas_cli::output::Out;
use maas_cli::{ErrorCode, Failure};
use maas_client::call::{self, Arguments, Call, Caller, Policy};
use maas_client::config::Roots;
use maas_client::model::ModelId;
use maas_client::resolver::{self, Resolver};
use maas_client::tree::SharedTree;
use serde_json::{Map, Value};
use std::io::{Read, Write};
use std::time::Duration;

/// Options of CALL.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  maas_deploy call -n dga host=yahoo.com
  maas_deploy call -n dga -v 1.0 --instance 1-3-7f3a --timeout 2 host=yahoo.com
  echo '{\"host\":\"cnn.com\"}' | maas_deploy call -n dga --data -

Exit codes: 4 no endpoint, 5 no answer in time, 6 refused, 7 a status of 400 or more, or no JSON object.")]
pub(crate) struct Args {
    /// The model
    #[arg(short = 'n', long)]
    name: String,

    /// Its version; without it the one that callers get by default
    #[arg(long, value_name = "VERSION")]
    model_version: Option<String>,

    /// This instance and no other
    #[arg(long, value_name = "ID")]
    instance: Option<String>,

    /// The function [default: apply]
    #[arg(long, value_name = "F")]
    function: Option<String>,

    /// Give up after S seconds
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    timeout: f64,

    /// A JSON document to send, from a file, or - for stdin
    #[arg(long, value_name = "FILE", conflicts_with = "arguments")]
    data: Option<String>,

    /// Arguments, sent as text
    #[arg(value_name = "K=V")]
    arguments: Vec<String>,
}

/// Largest document read from a file or stdin.
const MAX_DATA: u64 = 16 << 20;

/// Calls.
pub(crate) async fn run<W: Write>(context: &Context, args: Args, out: &mut Out<W>) -> Result<(), Error> {
    let name = check::name(&args.name)?;
    let version = args.model_version.as_deref().map(check::version).transpose()?;
    let deadline = Duration::try_from_secs_f64(args.timeout)
        .ok()
        .filter(|deadline| !deadline.is_zero() && deadline.as_secs() <= 86_400)
        .ok_or_else(|| Error::say(ErrorCode::Usage, format!("--timeout {}: seconds, more than 0", args.timeout)))?;
    let arguments = match &args.data {
        Some(source) => document(source)?,
        None => named(&args.arguments)?,
    };
    let cluster = context.connect().await?;
    let call = Call {
        version,
        instance: args.instance,
        function: args.function,
        arguments,
        deadline: Some(deadline),
        ..Call::new(name)
    };
    ask(cluster.tree.clone(), cluster.roots.clone(), &call, out).await
}

/// Makes one call of what is registered in this tree; prints the answer's body, and on stderr who gave it.
pub(crate) async fn ask<W: Write>(tree: SharedTree, roots: Roots, call: &Call, out: &mut Out<W>) -> Result<(), Error> {
    let resolver = Resolver::new(tree, roots, resolver::Policy::default());
    // Finding out what there is has its own time; --timeout is the model's.
    resolver.model(&call.name).await.map_err(|error| failure(&call::Error::from(error)))?;
    let caller = Caller::new(resolver, Policy::default())?;
    let started = tokio::time::Instant::now();
    match caller.call(call).await {
        Ok(answer) => {
            note(line(&answer.model, &answer.instance, &answer.url, Some(answer.status), answer.latency));
            body(&answer.body, out)
        }
        Err(error) => {
            if let (Some(at), Some(answered)) = (error.at(), error.body()) {
                let status = match &error {
                    call::Error::Status { status, .. } => Some(*status),
                    _ => None,
                };
                note(line(&at.model, &at.instance, &at.url, status, started.elapsed()));
                body(answered, out)?;
                let failure = failure(&error);
                // The body is the document on stdout.
                failure.print();
                return Err(Error::Exit(failure.exit()));
            }
            Err(failure(&error).into())
        }
    }
}

/// `dga 1.0 1-3-7f3a http://node7:36161 200 12 ms`
fn line(model: &ModelId, instance: &str, url: &str, status: Option<u16>, took: Duration) -> String {
    let status = status.map_or_else(|| "-".to_string(), |status| status.to_string());
    format!("{model} {instance} {url} {status} {} ms", took.as_millis())
}

fn body<W: Write>(body: &Bytes, out: &mut Out<W>) -> Result<(), Error> {
    out.bytes(body)?;
    Ok(())
}

/// Errors of a call by code; none of them is left to a default.
fn failure(error: &call::Error) -> Failure {
    let code = match error {
        call::Error::NoEndpoint(error) => match error {
            resolver::Error::NoModel { .. } | resolver::Error::NoneReady { .. } => ErrorCode::NoEndpoint,
            resolver::Error::NoVersion { .. } => ErrorCode::NoVersion,
            resolver::Error::NoInstance { .. } => ErrorCode::NoInstance,
            _ => ErrorCode::NoEndpoint,
        },
        call::Error::NoZookeeper(_) => ErrorCode::ZookeeperUnreachable,
        call::Error::Timeout { .. } => ErrorCode::TimedOut,
        call::Error::Refused { .. } => ErrorCode::EndpointUnreachable,
        call::Error::Status { .. } | call::Error::BadAnswer { .. } => ErrorCode::BadAnswer,
        call::Error::Unsendable { .. } => ErrorCode::BadArguments,
    };
    Failure::of(code, error)
}

/// `K=V` pairs as arguments, all of them text.
pub(crate) fn named(pairs: &[String]) -> Result<Arguments, Error> {
    let mut values = Map::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Error::say(ErrorCode::BadArguments, format!("argument {pair:?} is no K=V")));
        };
        values.insert(key.to_string(), Value::String(value.to_string()));
    }
    Ok(Arguments::Named(values))
}

fn document(source: &str) -> Result<Arguments, Error> {
    let unreadable = |error: std::io::Error| {
        Failure::new(ErrorCode::BadArguments, format!("--data {source} can't be read")).because(&error)
    };
    let mut bytes = Vec::new();
    let read = if source == "-" {
        std::io::stdin().lock().take(MAX_DATA + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(source).map_err(unreadable)?.take(MAX_DATA + 1).read_to_end(&mut bytes)
    };
    read.map_err(unreadable)?;
    if bytes.len() as u64 > MAX_DATA {
        return Err(Error::say(ErrorCode::BadArguments, format!("--data {source} is larger than {MAX_DATA} bytes")));
    }
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes) {
        return Err(Failure::new(ErrorCode::BadArguments, format!("--data {source} is no JSON"))
            .because(&error)
            .into());
    }
    Ok(Arguments::Document(Bytes::from(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn arguments_are_pairs_and_anything_else_is_refused() {
        let Arguments::Named(values) = named(&["host=a=b".into(), "empty=".into()]).unwrap() else { panic!() };
        assert_eq!((values["host"].as_str(), values["empty"].as_str()), (Some("a=b"), Some("")));
        assert_eq!(named(&["host".into()]).unwrap_err().into_failure().exit(), 3);
    }

    #[test]
    fn the_line_says_who_answered_what_and_how_fast() {
        let model = testing::model("dga", "1.0");
        let line = line(&model, "1-3-7f3a", "http://node7:36161", Some(200), Duration::from_millis(12));
        assert_eq!(line, "dga 1.0 1-3-7f3a http://node7:36161 200 12 ms");
    }
}
