//! Text to bytes in one of the charsets that every Java knows.

use crate::error::{Fault, shown};
use crate::value::Value;

/// The bytes of a text; UTF-8 unless another charset is named. What a charset lacks becomes `?`.
pub(super) fn encode(text: &str, charset: Option<&Value>) -> Result<Vec<u8>, Fault> {
    let name = match charset {
        None | Some(Value::Null) => "UTF-8",
        Some(name) => name
            .as_text()
            .ok_or_else(|| Fault::wrong_type(format!("charset must be a text, not {}", name.type_name())))?,
    };
    let narrow = |limit: u32| {
        text.chars()
            .map(|char| u8::try_from(u32::from(char)).ok().filter(|byte| u32::from(*byte) < limit).unwrap_or(b'?'))
            .collect()
    };
    Ok(match name.to_ascii_uppercase().as_str() {
        "UTF-8" | "UTF8" => text.as_bytes().to_vec(),
        "US-ASCII" | "ASCII" => narrow(0x80),
        "ISO-8859-1" | "LATIN1" => narrow(0x100),
        "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "UTF-16" => [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect(),
        _ => {
            return Err(Fault::argument(format!(
                "no charset {}; there are UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE",
                shown(name)
            )));
        }
    })
}
