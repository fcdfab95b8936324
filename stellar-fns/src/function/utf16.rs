//! Parts of texts by UTF-16 index.

use crate::value::Text;

/// The units from `start` to `end`. Half of a character outside the basic plane becomes `?`, which is what Java makes of it on output.
pub(crate) fn slice_utf16(text: &str, start: usize, end: usize) -> Text {
    if text.is_ascii() {
        return Text::new(&text[start.min(text.len())..end.min(text.len())]);
    }
    let units: Vec<u16> = text.encode_utf16().skip(start).take(end.saturating_sub(start)).collect();
    char::decode_utf16(units).map(|char| char.unwrap_or('?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_becomes_a_question_mark() {
        assert_eq!(slice_utf16("a😀b", 0, 2), "a?");
        assert_eq!(slice_utf16("a😀b", 1, 4), "😀b");
    }
}
