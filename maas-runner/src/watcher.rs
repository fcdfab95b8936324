//! Looks at `endpoint.dat` again and again, from a thread of its own: a name in it may have to be resolved, and that may
//! take long.

use crate::endpoint::{self, Conclusion, Follower, MAX_BYTES};
use crate::sockets;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// Pauses between looks: a start is to be noticed at once, a change later on soon.
const FIRST: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(10));
const LATER: Duration = Duration::from_millis(100);

/// Watches until it is dropped.
pub(crate) struct Watcher {
    _until_dropped: Sender<()>,
}

impl Watcher {
    /// Tells `tell` each time the file means something else; from a thread.
    pub(crate) fn start(
        work: &Path,
        advertise: String,
        tell: impl Fn(Conclusion) + Send + 'static,
    ) -> io::Result<Watcher> {
        let (sender, dropped) = channel::<()>();
        let path: PathBuf = work.join(endpoint::FILE);
        std::thread::Builder::new().name("endpoint".to_string()).spawn(move || {
            let mut follower = Follower::default();
            let known = OwnHosts::default();
            let start = Instant::now();
            loop {
                let content = read(&path);
                let changed = follower.look(content, Instant::now(), |bytes| {
                    endpoint::parse(bytes, &advertise, &|host| known.is_own(host))
                });
                if let Some(conclusion) = changed {
                    tell(conclusion);
                }
                let pause = if start.elapsed() < FIRST.1 { FIRST.0 } else { LATER };
                if dropped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Watcher { _until_dropped: sender })
    }
}

/// The last host that was looked up, so that a bad file does not ask the name server ten times a second.
#[derive(Default)]
struct OwnHosts(std::cell::RefCell<Option<(String, bool, Instant)>>);

impl OwnHosts {
    fn is_own(&self, host: &str) -> bool {
        if let Some((known, own, when)) = self.0.borrow().as_ref()
            && known == host
            && (*own || when.elapsed() < Duration::from_secs(2))
        {
            return *own;
        }
        let own = sockets::is_own_host(host);
        *self.0.borrow_mut() = Some((host.to_string(), own, Instant::now()));
        own
    }
}

/// The file's bytes, at most one more than are allowed; `None` when there is no file. Never blocks on a pipe put there.
fn read(path: &Path) -> Option<Vec<u8>> {
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        // There, and not to be read: as if it were empty.
        Err(_) => return Some(Vec::new()),
    };
    let mut bytes = Vec::new();
    if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        let _what_could_be_read = file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
    }
    Some(bytes)
}
