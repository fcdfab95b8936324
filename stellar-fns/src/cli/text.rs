//! Text from files and streams that a person names: devices and pipes without an end must not fill the memory.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;

use maas_cli::{ErrorCode, Failure};
use serde_json::{Map as JsonMap, Value as Json};

/// Bytes that a whole text, or a line of one, may have.
const MOST: u64 = 64 << 20;

/// A file to be read; a directory is none, whatever the system says of opening one.
pub(super) fn open(file: &Path) -> io::Result<File> {
    let opened = File::open(file)?;
    if opened.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(opened)
}

/// The failure of a file that can't be read: the same for all that are named on a command line.
pub(super) fn unreadable(file: &Path, error: &io::Error) -> Failure {
    let file = file.display();
    match error.kind() {
        io::ErrorKind::NotFound => Failure::new(ErrorCode::NoFile, format!("there is no file {file}")),
        io::ErrorKind::IsADirectory => Failure::new(ErrorCode::Unreadable, format!("{file} is a directory")),
        _ => Failure::new(ErrorCode::Unreadable, format!("{file} can't be read")).because(error),
    }
}

/// The whole text of a file.
pub(super) fn of_file(file: &Path) -> Result<String, Failure> {
    open(file).and_then(of).map_err(|error| unreadable(file, &error))
}

/// The whole text of a stream, without a byte order mark.
pub(super) fn of(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    if from.take(MOST + 1).read_to_string(&mut text)? as u64 > MOST {
        return Err(too_large());
    }
    text.drain(..text.len() - without_mark(&text).len());
    Ok(text)
}

/// A text without the byte order mark that it may begin with.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The members of a JSON object; else what the text is.
pub(super) fn object(text: &str) -> Result<JsonMap<String, Json>, String> {
    match serde_json::from_str(text) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(Json::Array(_)) => Err("it is a list".to_owned()),
        Ok(_) => Err("it is a single value".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The next line without its end, or what there is instead of text; none at the end.
pub(super) fn next_line(from: &mut impl BufRead) -> io::Result<Option<Result<String, std::str::Utf8Error>>> {
    let mut line = Vec::new();
    let read = from.by_ref().take(MOST + 1).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if read as u64 > MOST {
        return Err(too_large());
    }
    while line.pop_if(|byte| matches!(byte, b'\n' | b'\r')).is_some() {}
    Ok(Some(String::from_utf8(line).map_err(|error| error.utf8_error())))
}

fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {} MiB", MOST >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_refused() {
        assert_eq!(of(io::repeat(b'x')).unwrap_err().to_string(), "it has more than 64 MiB");
        assert!(next_line(&mut io::BufReader::new(io::repeat(b'x'))).is_err());
    }

    #[test]
    fn files_that_can_not_be_read_are_told_alike() {
        let missing = of_file("/nowhere/x".as_ref()).unwrap_err();
        assert_eq!((missing.exit(), missing.message()), (4, "there is no file /nowhere/x"));
        let directory = of_file("/".as_ref()).unwrap_err();
        assert_eq!((directory.exit(), directory.message()), (3, "/ is a directory"));
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(of("\u{feff}a\u{feff}".as_bytes()).unwrap(), "a\u{feff}");
    }

    #[test]
    fn what_is_no_object_is_named() {
        assert!(object("{\"a\": 1}").is_ok());
        assert_eq!(object("[1]").unwrap_err(), "it is a list");
        assert_eq!(object("1").unwrap_err(), "it is a single value");
    }

    #[test]
    fn lines_end_in_any_way_and_bytes_that_are_no_text_are_told() {
        let mut input = &b"a\r\n\n\xff\nb"[..];
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).unwrap() {
            lines.push(line.ok());
        }
        assert_eq!(lines, [Some("a".to_owned()), Some(String::new()), None, Some("b".to_owned())]);
    }
}
