//! One configuration file: `<configuration><property><name/><value/><final/></property></configuration>`. Pure, but for what an include names,
//! which the caller reads.

use roxmltree::{Document, Node, ParsingOptions};

/// What one element of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A property.
    Property {
        /// Its key.
        name: String,
        /// Its value, not expanded.
        value: String,
        /// Whether files that come later may not change it.
        is_final: bool,
    },
    /// Another file, by its path relative to this one; whether it may be missing.
    Include(String, bool),
}

/// Reads a file's text. Documents with a type declaration of their own are refused, so nothing in one can swell or reach out.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: 1_000_000, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)
        .map_err(|error| error.to_string())?;
    let root = document.root_element();
    if root.tag_name().name() != "configuration" {
        return Err(format!("begins with <{}> instead of <configuration>", root.tag_name().name()));
    }
    let mut entries = Vec::new();
    collect(root, &mut entries);
    Ok(entries)
}

fn collect(parent: Node<'_, '_>, entries: &mut Vec<Entry>) {
    for element in parent.children().filter(Node::is_element) {
        match element.tag_name().name() {
            "property" => entries.extend(property(element)),
            // Hadoop lets configurations stand in one another.
            "configuration" if parent.parent().is_some_and(|above| above.parent().is_none()) => {
                collect(element, entries)
            }
            "include" => {
                let optional = element.children().any(|child| child.tag_name().name() == "fallback");
                entries.extend(element.attribute("href").map(|href| Entry::Include(href.to_owned(), optional)));
            }
            _ => {}
        }
    }
}

/// Names, values and the final mark may be elements or attributes. A property without name or value says nothing.
fn property(element: Node<'_, '_>) -> Option<Entry> {
    let part = |name: &str| {
        let child = element.children().find(|child| child.tag_name().name() == name);
        let text = child
            .map(|child| child.children().filter(Node::is_text).filter_map(|node| node.text()).collect::<String>());
        text.or_else(|| element.attribute(name).map(str::to_owned))
    };
    let name = part("name")?.trim().to_owned();
    let is_final = part("final").is_some_and(|mark| mark.trim().eq_ignore_ascii_case("true"));
    Some(Entry::Property { name: Some(name).filter(|name| !name.is_empty())?, value: part("value")?, is_final })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hostile::within_bounds;

    fn property(name: &str, value: &str, is_final: bool) -> Entry {
        Entry::Property { name: name.into(), value: value.into(), is_final }
    }

    #[test]
    fn properties_are_read_in_both_forms_with_what_is_escaped() {
        let text = r#"<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="configuration.xsl"?>
            <!-- a comment -->
            <configuration xmlns:xi="http://www.w3.org/2001/XInclude">
              <property><name> a </name><value>x &lt; <!-- no part of it --><![CDATA[<y>]]></value><description>what</description></property>
              <property><name>b</name><value/><final>true</final></property>
              <property name="c" value="3" final="false"/>
              <property><name>nothing</name></property>
              <xi:include href="other.xml"><xi:fallback/></xi:include>
            </configuration>"#;
        let expected = [
            property("a", "x < <y>", false),
            property("b", "", true),
            property("c", "3", false),
            Entry::Include("other.xml".into(), true),
        ];
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        assert!(parse("<project/>").unwrap_err().contains("<project>"));
        assert!(parse("<configuration>").is_err());
        assert!(parse("<!DOCTYPE x [<!ENTITY a \"aaa\">]><configuration>&a;</configuration>").is_err());
    }

    #[test]
    fn arbitrary_and_changed_files_are_entries_or_an_error_in_little_memory() {
        within_bounds(
            "config::xml::tests::arbitrary_and_changed_files_are_entries_or_an_error_in_little_memory",
            || {
                // Pieces of a real file in any order, with what breaks readers between them.
                let piece = prop_oneof![
                    prop::sample::select(
                        &[
                            "<configuration>",
                            "</configuration>",
                            "<property>",
                            "</property>",
                            "<name>",
                            "</name>",
                            "<value>",
                            "</value>",
                            "<final>true</final>",
                            "<xi:include href='",
                            "'/>",
                            "<![CDATA[",
                            "]]>",
                            "<!--",
                            "-->",
                            "<!DOCTYPE x [<!ENTITY a 'b'>]>",
                            "&a;",
                            "&amp;",
                            "&#x0;",
                            "&#xffffffff;",
                            "<?xml version='1.0'?>",
                            "<xi:fallback/>",
                            " name='",
                            "'",
                            "\"",
                            "\u{feff}",
                            "\0",
                            "<property name='a' value='b'/>",
                        ][..]
                    )
                    .prop_map(str::to_owned),
                    ".{0,5}",
                ];
                proptest!(ProptestConfig::with_cases(3000), |(pieces in prop::collection::vec(piece, 0..40), inside in any::<bool>())| {
                    let text = pieces.concat();
                    let text = if inside { format!("<configuration xmlns:xi='x'>{text}</configuration>") } else { text };
                    if let Ok(entries) = parse(&text) {
                        let held: usize = entries.iter().map(|entry| match entry {
                            Entry::Property { name, value, .. } => name.len() + value.len(),
                            Entry::Include(href, _) => href.len(),
                        }).sum();
                        prop_assert!(held <= text.len());
                    }
                });
            },
        );
    }

    #[test]
    fn elements_that_stand_in_one_another_without_end_are_no_overflow() {
        let deep = format!("<configuration>{}{}</configuration>", "<a>".repeat(200_000), "</a>".repeat(200_000));
        let _ = parse(&deep);
        let open = format!("<configuration>{}", "<configuration>".repeat(200_000));
        assert!(parse(&open).is_err());
    }
}
