//! Model directories for tests: scripts around a small server of the Python standard library.

use maas_store::manifest::{FILES_DIR, FileEntry, MANIFEST_FILE, Manifest};
use maas_store::settings;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Serves `/apply` (and anything else) on a free port, writes `endpoint.dat`, and obeys SIGTERM. `HOST` is what it
/// listens on, `FILE` where the endpoint goes.
pub(crate) const SERVER: &str = r#"
import http.server, json, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"path": self.path, "env": dict(os.environ), "cwd": os.getcwd()}).encode()
        status = 503 if os.path.exists("sick") else 200
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments): pass
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = http.server.ThreadingHTTPServer((os.environ.get("LISTEN", "127.0.0.1"), 0), Handler)
with open("endpoint.tmp", "w") as file:
    json.dump({"url": "http://localhost:%d" % server.server_port}, file)
os.rename("endpoint.tmp", "endpoint.dat")
server.serve_forever()
"#;

/// A script that becomes the server.
pub(crate) const EXEC_SERVER: &str = "#!/bin/sh\nexec python3 server.py\n";

/// A model directory being made.
pub(crate) struct Model {
    files: Vec<(String, Vec<u8>, bool)>,
}

impl Model {
    /// One whose script is `script`.
    pub(crate) fn new(script: &str) -> Model {
        Model { files: Vec::new() }.file("start.sh", script).file("server.py", SERVER)
    }

    /// One that serves.
    pub(crate) fn server() -> Model {
        Model::new(EXEC_SERVER)
    }

    /// With another file; scripts are executable.
    pub(crate) fn file(mut self, path: &str, content: &str) -> Model {
        self.files.push((path.to_string(), content.as_bytes().to_vec(), path.ends_with(".sh")));
        self
    }

    /// With these settings.
    pub(crate) fn settings(self, json: &str) -> Model {
        self.file("maas.json", json)
    }

    /// Writes the payload, as a launcher localizes it, and gives its manifest.
    pub(crate) fn localize(&self, payload: &Path) -> Manifest {
        let files = payload.join(FILES_DIR);
        fs::create_dir_all(&files).unwrap();
        let mut entries = Vec::new();
        for (path, content, executable) in &self.files {
            let target = files.join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(&target, content).unwrap();
            if *executable {
                fs::set_permissions(&target, fs::Permissions::from_mode(0o755)).unwrap();
            }
            entries.push(FileEntry {
                path: path.clone(),
                size: content.len() as u64,
                sha256: sha256(&target),
                executable: *executable,
            });
        }
        let manifest = Manifest::new(entries, settings::from_dir(&files).unwrap()).unwrap();
        fs::write(payload.join(MANIFEST_FILE), manifest.encode()).unwrap();
        manifest
    }
}

fn sha256(path: &PathBuf) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().to_string()
}
