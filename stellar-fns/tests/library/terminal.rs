//! The shell at a terminal, which `script` of util-linux provides.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// The shell with its history below `home`; none where this machine has no `script`.
    #[expect(clippy::print_stderr, reason = "says what is not tested")]
    fn open(home: &Path, editor: &str) -> Option<Self> {
        let mut command = Command::new("script");
        command.args([
            "--quiet",
            "--flush",
            "--return",
            "--command",
            "exec \"$STELLAR\" --var name=casey",
            "/dev/null",
        ]);
        command.env("STELLAR", env!("CARGO_BIN_EXE_stellar")).env("HOME", home).env("EDITOR", editor);
        command
            .env_remove("MAAS_ZK")
            .env_remove("XDG_STATE_HOME")
            .env_remove("VISUAL")
            .env("TERM", "xterm")
            .env("NO_COLOR", "1");
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "script (util-linux) can't be run: {error}");
                eprintln!("script (util-linux) can't be run: {error}; the shell at a terminal is not tested");
                return None;
            }
        };
        let keys = child.stdin.take().expect("stdin is piped");
        let mut output = child.stdout.take().expect("stdout is piped");
        let (sender, screen) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(read) = output.read(&mut bytes) {
                if read == 0 || sender.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Self { child, keys, screen, seen: String::new() })
    }

    fn type_keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).expect("keys reach the terminal");
    }

    /// Waits until this is shown behind what was waited for before.
    fn until(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(index) = self.seen.find(text) {
                self.seen.drain(..index + text.len());
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("{text:?} was not shown; shown: {:?}", self.seen),
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PROMPT: &str = "[Stellar]>>> ";

#[test]
fn a_user_types_completes_interrupts_and_leaves() {
    let home = tempfile::tempdir().expect("a directory");
    let Some(mut terminal) = Terminal::open(home.path(), "true") else { return };
    terminal.until(PROMPT);
    terminal.type_keys("url_to_h\t'http://a.example/')\r");
    terminal.until("\na.example\r\n");
    terminal.until(PROMPT);
    terminal.type_keys("x := [1,\r2]\r");
    terminal.until("\n[1,2]\r\n");
    terminal.until(PROMPT);
    terminal.type_keys("SHELL_EDIT(na\t)\r");
    terminal.until("\ncasey\r\n");
    terminal.until(PROMPT);
    terminal.type_keys("never typed to its end\x03");
    terminal.until(PROMPT);
    terminal.type_keys("%vars\r");
    terminal.until("name = 'casey'\r\n");
    terminal.until("x = [1, 2]  via `[1, 2]`\r\n");
    terminal.until(PROMPT);
    terminal.type_keys("\x04");
    assert!(terminal.child.wait().expect("the shell ends").success());
    let history =
        std::fs::read_to_string(home.path().join(".local/state/maas/stellar_history")).expect("there is a history");
    assert!(history.contains("URL_TO_HOST(") && !history.contains("never typed"), "{history}");
}

#[test]
fn a_shell_works_where_its_history_cannot_be_written() {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::write(home.path().join(".local"), "a file where a directory should be").expect("a file");
    let Some(mut terminal) = Terminal::open(home.path(), "true") else { return };
    terminal.until(PROMPT);
    terminal.type_keys("1 + 1\r");
    terminal.until("\n2\r\n");
    terminal.until(PROMPT);
    terminal.type_keys("quit\r");
    assert!(terminal.child.wait().expect("the shell ends").success());
}

#[test]
fn ctrl_c_ends_the_waiting_for_an_evaluation_and_not_the_shell() {
    let home = tempfile::tempdir().expect("a directory");
    let editor = home.path().join("editor");
    std::fs::write(&editor, "#!/bin/sh\ntrap '' INT\necho waits for ever\nexec sleep 60\n").expect("a file");
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o700)).expect("it can be run");
    let Some(mut terminal) = Terminal::open(home.path(), editor.to_str().expect("the path is text")) else { return };
    terminal.until(PROMPT);
    terminal.type_keys("x := SHELL_EDIT()\r");
    terminal.until("\nwaits for ever\r\n");
    terminal.type_keys("\x03");
    terminal.until("interrupted\r\n");
    terminal.until(PROMPT);
    terminal.type_keys("x\r");
    terminal.until("\nnull\r\n");
    terminal.until(PROMPT);
    terminal.type_keys("\x04");
    terminal.child.wait().expect("the shell ends");
}
