//! Shell completions, made from the clap command itself.

use crate::output::Out;
use clap::Command;
use clap_complete::Shell;
use std::io;

/// Writes the completions of `command` for `shell` to stdout.
pub fn print(shell: Shell, command: &mut Command) -> io::Result<()> {
    Out::stdout().bytes(&text(shell, command))
}

/// The completions as bytes.
pub fn text(shell: Shell, command: &mut Command) -> Vec<u8> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_string();
    let mut text = Vec::new();
    clap_complete::generate(shell, command, name, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_name_the_program_and_its_options() {
        let mut command = Command::new("maas_x").arg(clap::Arg::new("zookeeper").long("zookeeper"));
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = String::from_utf8(text(shell, &mut command)).unwrap();
            assert!(text.contains("maas_x") && text.contains("zookeeper"), "{shell}");
        }
    }
}
