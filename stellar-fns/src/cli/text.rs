//! Text from files and streams that a person names: devices and pipes without an end must not fill the memory.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;

/// Bytes that a whole text, or a line of one, may have.
const MOST: u64 = 64 << 20;

/// The whole text of a file.
pub(super) fn of_file(file: &Path) -> io::Result<String> {
    of(File::open(file)?)
}

/// The whole text of a stream.
pub(super) fn of(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    if from.take(MOST + 1).read_to_string(&mut text)? as u64 > MOST {
        return Err(too_large());
    }
    Ok(text)
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
    fn lines_end_in_any_way_and_bytes_that_are_no_text_are_told() {
        let mut input = &b"a\r\n\n\xff\nb"[..];
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).unwrap() {
            lines.push(line.ok());
        }
        assert_eq!(lines, [Some("a".to_owned()), Some(String::new()), None, Some("b".to_owned())]);
    }
}
