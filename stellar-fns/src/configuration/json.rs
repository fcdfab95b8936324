//! JSON with places: values are read as slices of the file, so that where they stand is known.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Expression, Places};
use crate::error::Span;

/// A value of a JSON file.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    file: &'a str,
    text: &'a str,
    /// JSON pointer.
    pub key: String,
}

/// The members of an object in the order of the file; of a name that is there twice, both.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Collect)
    }
}

impl<'a> Node<'a> {
    /// The whole file.
    pub(super) fn of_file(file: &'a str) -> Result<Self, serde_json::Error> {
        // All of it is checked here, so that reading parts can't fail later.
        let _whole: serde_json::Value = serde_json::from_str(file)?;
        let value: &RawValue = serde_json::from_str(file)?;
        Ok(Self { file, text: value.get(), key: String::new() })
    }

    fn child(&self, name: &str, value: &'a RawValue) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        Self { file: self.file, text: value.get(), key: format!("{}/{name}", self.key) }
    }

    /// The bytes of the file that it takes.
    pub(super) fn span(&self) -> Span {
        let from = (self.text.as_ptr() as usize).saturating_sub(self.file.as_ptr() as usize);
        Span::new(from, from + self.text.len())
    }

    pub(super) fn is_object(&self) -> bool {
        self.text.starts_with('{')
    }

    pub(super) fn is_list(&self) -> bool {
        self.text.starts_with('[')
    }

    pub(super) fn is_null(&self) -> bool {
        self.text == "null"
    }

    pub(super) fn is_number(&self) -> bool {
        self.text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }

    /// What it is, for messages.
    pub(super) fn describe(&self) -> &'static str {
        match self.text.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "a text",
            Some(b'n') => "null",
            Some(b't' | b'f') => "a boolean",
            _ => "a number",
        }
    }

    /// The members of an object with their names; none of anything else.
    pub(super) fn members(&self) -> Vec<(String, Self)> {
        let members: Members<'a> = serde_json::from_str(self.text).unwrap_or(Members(Vec::new()));
        members
            .0
            .into_iter()
            .map(|(name, value)| {
                let child = self.child(&name, value);
                (name, child)
            })
            .collect()
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> Vec<Self> {
        let items: Vec<&'a RawValue> = serde_json::from_str(self.text).unwrap_or_default();
        items.into_iter().enumerate().map(|(index, value)| self.child(&index.to_string(), value)).collect()
    }

    /// The member of this name; of two the last, as everywhere.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        self.members().into_iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The member at the end of a path of names.
    pub(super) fn at(&self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self.clone(), |node, name| node.get(name))
    }

    /// A text as it is meant.
    pub(super) fn as_text(&self) -> Option<String> {
        serde_json::from_str(self.text).ok()
    }

    /// A text as an expression.
    pub(super) fn expression(&self) -> Option<Expression> {
        let text = self.as_text()?;
        let start = self.span().from + 1;
        let inner = self.text.get(1..self.text.len() - 1)?;
        let mut places = Vec::with_capacity(text.len() + 1);
        let mut at = 0;
        for char in text.chars() {
            places.extend(std::iter::repeat_n(start + at, char.len_utf8()));
            at += written(&inner[at..], char);
        }
        places.push(start + inner.len());
        Some(Expression { key: self.key.clone(), text, places: Places::Mapped(places) })
    }
}

/// How many bytes of a JSON text stand for this character, which comes next.
fn written(rest: &str, char: char) -> usize {
    match rest.as_bytes() {
        // Outside of the basic plane two escapes are one character.
        [b'\\', b'u', ..] => 6 * char.len_utf16(),
        [b'\\', ..] => 2,
        _ => char.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_has_its_place_through_escapes() {
        let file = r#" {"a/b": ["x", "\"é\u00e9\ud83d\ude00\n!"]}"#;
        let node = Node::of_file(file).unwrap().get("a/b").unwrap().items().remove(1);
        assert_eq!(node.key, "/a~1b/1");
        let expression = node.expression().unwrap();
        assert_eq!(expression.text, "\"éé😀\n!");
        let starts: Vec<&str> = expression
            .text
            .char_indices()
            .map(|(index, char)| &file[expression.in_file(Span::new(index, index + char.len_utf8())).from..])
            .map(|rest| &rest[..rest.char_indices().nth(2).unwrap().0])
            .collect();
        assert_eq!(starts, ["\\\"", "é\\", "\\u", "\\u", "\\n", "!\""]);
        let end = expression.in_file(Span::new(expression.text.len(), expression.text.len()));
        assert_eq!(&file[end.from..], "\"]}");
    }

    #[test]
    fn what_is_no_json_is_said_at_once() {
        assert_eq!(Node::of_file("{\n  \"a\": 1,\n}").unwrap_err().line(), 3);
    }
}
