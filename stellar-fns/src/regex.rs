//! Patterns of `java.util.regex` for those who match outside expressions: translated here, run by fancy-regex there.

/// The same pattern for fancy-regex, or what is wrong with it. Groups keep their numbers and names.
pub fn translate(java: &str) -> Result<String, String> {
    crate::functions::regex::translate(java).map(|translated| translated.pattern)
}
