//! What is to be loaded, line by line: CSV with a heading or given columns, or JSON objects. Only a line is in memory at a time.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use serde_json::Value as Json;

use super::store::{Error, Record};

/// Bytes of a line, and of a CSV record.
const LONGEST: u64 = 1 << 20;
/// Bytes of an indicator.
const LONGEST_INDICATOR: usize = 4096;

/// How a file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, or with another separator; quotes as in RFC 4180.
    Csv {
        /// What stands between values.
        separator: u8,
        /// What the values are.
        columns: Columns,
    },
    /// A JSON object on each line.
    JsonLines,
}

/// What the values of a CSV line are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// The first line says.
    Heading,
    /// These, in order; there is no heading.
    Named(Vec<String>),
}

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) line: u64,
    pub(super) reason: String,
}

/// A record with its indicator.
pub(super) type Line = Result<(String, Record), Bad>;

/// The records of a source. `indicator` names the value that is looked up; without it, that is the first column, or the key `indicator`.
pub(super) fn records<'a>(
    name: &str,
    input: impl BufRead + 'a,
    format: &Format,
    indicator: Option<&str>,
) -> Result<Box<dyn Iterator<Item = Result<Line, Error>> + 'a>, Error> {
    match format {
        Format::Csv { separator, columns } => csv_records(name, input, *separator, columns, indicator),
        Format::JsonLines => Ok(Box::new(JsonLines {
            name: name.to_owned(),
            input,
            indicator: indicator.unwrap_or("indicator").to_owned(),
            line: 0,
        })),
    }
}

fn csv_records<'a>(
    name: &str,
    input: impl Read + 'a,
    separator: u8,
    columns: &Columns,
    indicator: Option<&str>,
) -> Result<Box<dyn Iterator<Item = Result<Line, Error>> + 'a>, Error> {
    let name = name.to_owned();
    let left = Rc::new(Cell::new(LONGEST));
    let bounded = Bounded { input, left: left.clone() };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(separator).flexible(true).from_reader(bounded);
    let columns = match columns {
        Columns::Named(columns) => columns.clone(),
        Columns::Heading => {
            let mut heading = csv::StringRecord::new();
            match reader.read_record(&mut heading) {
                Ok(true) => heading.iter().map(|column| column.trim_start_matches('\u{feff}').to_owned()).collect(),
                Ok(false) => return Ok(Box::new(std::iter::empty())),
                Err(error) => return Err(columns_error(&name, format!("the heading can't be read: {error}"))),
            }
        }
    };
    if let Some(twice) = columns.iter().enumerate().find(|(index, column)| columns[..*index].contains(column)) {
        return Err(columns_error(&name, format!("column {:?} is named twice", twice.1)));
    }
    let place = match indicator {
        None => 0,
        Some(indicator) => columns
            .iter()
            .position(|column| column == indicator)
            .ok_or_else(|| columns_error(&name, format!("no column {indicator}; there are {}", columns.join(", "))))?,
    };
    let mut record = csv::ByteRecord::new();
    Ok(Box::new(std::iter::from_fn(move || match reader.read_byte_record(&mut record) {
        Ok(false) => None,
        Ok(true) => {
            left.set(LONGEST);
            let line = line_of(&record, reader.position());
            Some(Ok(of_csv(&record, &columns, place).map_err(|reason| Bad { line, reason })))
        }
        // Bytes of any form are values, so that only reading can fail.
        Err(error) => Some(Err(Error::Source { name: name.clone(), source: io::Error::other(error) })),
    })))
}

/// Where a record begins. The reader remembers where it was before it passed over empty lines, so this counts back from where the record ended.
fn line_of(record: &csv::ByteRecord, after: &csv::Position) -> u64 {
    let breaks = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
    let from_end = after.line().saturating_sub(breaks + 1);
    record.position().map_or(from_end, |before| before.line().max(from_end))
}

/// Gives up where a record does not end: one quote too many would make a record of all that follows.
struct Bounded<R> {
    input: R,
    /// Bytes that this record may still have; a bit less than the truth, since the reader reads ahead.
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            let message = format!("a record has more than {LONGEST} bytes; is there a quote that isn't closed?");
            return Err(io::Error::other(message));
        }
        let read = self.input.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

fn of_csv(record: &csv::ByteRecord, columns: &[String], place: usize) -> Result<(String, Record), String> {
    if record.len() != columns.len() {
        return Err(format!("{} values where there are {} columns", record.len(), columns.len()));
    }
    let text = |value: &[u8]| std::str::from_utf8(value).map(str::to_owned).map_err(|_| "is not UTF-8".to_owned());
    let indicator = checked(text(&record[place])?)?;
    let values = columns.iter().zip(record.iter());
    let values: Result<Record, String> =
        values.map(|(column, value)| Ok((column.clone(), Json::String(text(value)?)))).collect();
    Ok((indicator, values?))
}

fn columns_error(name: &str, reason: String) -> Error {
    Error::Columns { name: name.to_owned(), reason }
}

fn checked(indicator: String) -> Result<String, String> {
    match indicator.len() {
        0 => Err("the indicator is empty".into()),
        1..=LONGEST_INDICATOR => Ok(indicator),
        _ => Err(format!("the indicator has more than {LONGEST_INDICATOR} bytes")),
    }
}

/// The lines of a file as JSON objects.
struct JsonLines<R> {
    name: String,
    input: R,
    indicator: String,
    line: u64,
}

impl<R: BufRead> Iterator for JsonLines<R> {
    type Item = Result<Line, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.line += 1;
            let mut bytes = Vec::new();
            let read = (&mut self.input).take(LONGEST + 1).read_until(b'\n', &mut bytes);
            let too_long = match read {
                Ok(0) => return None,
                Ok(_) if bytes.len() as u64 > LONGEST => self.input.skip_until(b'\n').map(|_| true),
                Ok(_) => Ok(false),
                Err(error) => Err(error),
            };
            let bad = |reason: String| Bad { line: self.line, reason };
            match too_long {
                Err(source) => return Some(Err(Error::Source { name: self.name.clone(), source })),
                Ok(true) => return Some(Ok(Err(bad(format!("more than {LONGEST} bytes"))))),
                Ok(false) if bytes.trim_ascii().is_empty() => {}
                Ok(false) => return Some(Ok(of_json(&bytes, &self.indicator).map_err(bad))),
            }
        }
    }
}

fn of_json(line: &[u8], key: &str) -> Result<(String, Record), String> {
    let record: Record = serde_json::from_slice(line).map_err(|error| format!("no JSON object: {error}"))?;
    let indicator = match record.get(key) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        Some(_) => return Err(format!("{key:?} is no text")),
        None => return Err(format!("has no key {key:?}")),
    };
    Ok((checked(indicator)?, record))
}
