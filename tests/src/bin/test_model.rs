//! A model for tests that starts in no time: answers every GET and POST with who it is, and misbehaves when told to.
//!
//! `--exit CODE` ends at once with a word on standard error · `--die-after MS` · `--grow MB` takes that much memory ·
//! `--noise BYTES` of standard output before serving · `--slow-endpoint` writes `endpoint.dat` byte by byte ·
//! `--endpoint TEXT` writes that instead ({port} is replaced) · `--quiet` writes none · `--deaf` serves nothing ·
//! `--delay MS` before each answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Default)]
struct Options {
    exit: Option<u8>,
    die_after: Option<u64>,
    grow_mb: usize,
    noise: usize,
    slow_endpoint: bool,
    endpoint: Option<String>,
    quiet: bool,
    deaf: bool,
    delay_ms: u64,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "test_model: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, Box<dyn std::error::Error>> {
    let mut options = Options::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--exit" => options.exit = Some(value()?.parse()?),
            "--die-after" => options.die_after = Some(value()?.parse()?),
            "--grow" => options.grow_mb = value()?.parse()?,
            "--noise" => options.noise = value()?.parse()?,
            "--slow-endpoint" => options.slow_endpoint = true,
            "--endpoint" => options.endpoint = Some(value()?),
            "--quiet" => options.quiet = true,
            "--deaf" => options.deaf = true,
            "--delay" => options.delay_ms = value()?.parse()?,
            _ => return Err(format!("no option {arg}").into()),
        }
    }
    Ok(options)
}

fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let options = options()?;
    if let Some(code) = options.exit {
        writeln!(std::io::stderr(), "test_model: cannot load weights.bin")?;
        return Ok(ExitCode::from(code));
    }
    let mut left = options.noise;
    let line = [b'x'; 1023];
    while left > 0 {
        std::io::stdout().write_all(&line)?;
        std::io::stdout().write_all(b"\n")?;
        left = left.saturating_sub(1024);
    }
    let listener = TcpListener::bind("0.0.0.0:0")?;
    let port = listener.local_addr()?.port();
    if !options.quiet {
        write_endpoint(&options, port)?;
    }
    if options.grow_mb > 0 {
        std::thread::spawn(move || grow(options.grow_mb));
    }
    if let Some(after) = options.die_after {
        std::thread::spawn(move || {
            pause(after);
            let _ = writeln!(std::io::stderr(), "test_model: lost its mind");
            // The process itself is killed by what it does here: a model that crashes has no time for good-byes.
            std::process::abort();
        });
    }
    for stream in listener.incoming() {
        let (stream, delay) = (stream?, options.delay_ms);
        if !options.deaf {
            std::thread::spawn(move || serve(&stream, delay));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_endpoint(options: &Options, port: u16) -> std::io::Result<()> {
    let text = match &options.endpoint {
        Some(text) => text.replace("{port}", &port.to_string()),
        None => format!(r#"{{"url":"http://localhost:{port}","functions":{{"apply":"apply"}}}}"#),
    };
    if options.slow_endpoint {
        let mut file = std::fs::File::create("endpoint.dat")?;
        for byte in text.as_bytes() {
            file.write_all(&[*byte])?;
            pause(40);
        }
        return Ok(());
    }
    std::fs::write("endpoint.new", text)?;
    std::fs::rename("endpoint.new", "endpoint.dat")
}

#[expect(clippy::disallowed_methods, reason = "a program with threads and no runtime; slowness is what it is for")]
fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn grow(megabytes: usize) {
    let mut kept = Vec::new();
    for _ in 0..megabytes {
        kept.push(vec![1u8; 1 << 20]);
        pause(5);
    }
    loop {
        pause(1000);
        kept.truncate(megabytes);
    }
}

fn serve(stream: &TcpStream, delay_ms: u64) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        pause(delay_ms);
        let target = request.split_whitespace().nth(1).unwrap_or("/");
        let answer = answer(target, &String::from_utf8_lossy(&body));
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", answer.len());
        (&mut &*stream).write_all((head + &answer).as_bytes()).ok()?;
    }
}

fn answer(target: &str, body: &str) -> String {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let legit = ["host=yahoo.com", "host=amazon.com"].iter().any(|known| target.contains(known));
    serde_json::json!({
        "is_malicious": if legit { "legit" } else { "malicious" },
        "instance": variable("MAAS_INSTANCE_ID"),
        "version": variable("MAAS_MODEL_VERSION"),
        "target": target,
        "body": body,
    })
    .to_string()
}
