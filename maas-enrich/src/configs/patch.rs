//! RFC 6902: changing a JSON document by a list of operations. All of them are done, or none.
//!
//! Our own, because libraries for it sort the keys of the documents they change.

use serde::Deserialize;
use thiserror::Error as ThisError;

use super::ordered::Ordered;

/// One operation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(super) enum Operation {
    /// Sets a value; into an array it is inserted.
    Add {
        /// Where.
        path: String,
        /// What.
        value: Ordered,
    },
    /// Takes a value away.
    Remove {
        /// Which.
        path: String,
    },
    /// Puts another value in a value's place.
    Replace {
        /// Where.
        path: String,
        /// What.
        value: Ordered,
    },
    /// Takes a value away and adds it elsewhere.
    Move {
        /// From where.
        from: String,
        /// To where.
        path: String,
    },
    /// Adds a value elsewhere too.
    Copy {
        /// From where.
        from: String,
        /// To where.
        path: String,
    },
    /// Goes on only if there is this value.
    Test {
        /// Where.
        path: String,
        /// Which.
        value: Ordered,
    },
}

/// Why a patch does not fit a document.
#[derive(Debug, ThisError, Clone, PartialEq, Eq)]
pub(super) enum Error {
    /// Not a pointer of RFC 6901.
    #[error("{path:?} is no pointer; it begins with /, as in /parserConfig/grokPath")]
    BadPointer {
        /// The text.
        path: String,
    },
    /// Nothing there.
    #[error("there is nothing at {path}")]
    Nothing {
        /// The pointer.
        path: String,
    },
    /// A value inside a number, or a place that an array doesn't have.
    #[error("nothing can be put at {path}")]
    NoPlace {
        /// The pointer.
        path: String,
    },
    /// Into itself.
    #[error("{from} can't be moved into itself")]
    IntoItself {
        /// The pointer.
        from: String,
    },
    /// A test that fails.
    #[error("the value at {path} is another")]
    Differs {
        /// The pointer.
        path: String,
    },
}

/// The document after all operations.
pub(super) fn patched(document: &Ordered, operations: &[Operation]) -> Result<Ordered, Error> {
    let mut document = document.clone();
    for operation in operations {
        match operation {
            Operation::Add { path, value } => add(&mut document, path, value.clone())?,
            Operation::Remove { path } => drop(remove(&mut document, path)?),
            Operation::Replace { path, value } => *find(&mut document, path)? = value.clone(),
            Operation::Move { from, path } => {
                if path.strip_prefix(from.as_str()).is_some_and(|rest| rest.starts_with('/')) {
                    return Err(Error::IntoItself { from: from.clone() });
                }
                let value = remove(&mut document, from)?;
                add(&mut document, path, value)?;
            }
            Operation::Copy { from, path } => {
                let value = find(&mut document, from)?.clone();
                add(&mut document, path, value)?;
            }
            Operation::Test { path, value } => {
                if find(&mut document, path)? != value {
                    return Err(Error::Differs { path: path.clone() });
                }
            }
        }
    }
    Ok(document)
}

/// The keys of a pointer.
fn keys(path: &str) -> Result<Vec<String>, Error> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let rest = path.strip_prefix('/').ok_or_else(|| Error::BadPointer { path: path.to_owned() })?;
    Ok(rest.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect())
}

fn index(key: &str, length: usize) -> Option<usize> {
    let is_plain =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()) && (key == "0" || !key.starts_with('0'));
    key.parse().ok().filter(|index| is_plain && *index < length)
}

fn walk<'a>(document: &'a mut Ordered, keys: &[String], path: &str) -> Result<&'a mut Ordered, Error> {
    let mut at = document;
    for key in keys {
        let next = match at {
            Ordered::Object(entries) => entries.get_mut(key),
            Ordered::Array(items) => index(key, items.len()).and_then(|index| items.get_mut(index)),
            _ => None,
        };
        at = next.ok_or_else(|| Error::Nothing { path: path.to_owned() })?;
    }
    Ok(at)
}

fn find<'a>(document: &'a mut Ordered, path: &str) -> Result<&'a mut Ordered, Error> {
    walk(document, &keys(path)?, path)
}

fn add(document: &mut Ordered, path: &str, value: Ordered) -> Result<(), Error> {
    let keys = keys(path)?;
    let Some((last, parents)) = keys.split_last() else {
        *document = value;
        return Ok(());
    };
    match walk(document, parents, path)? {
        Ordered::Object(entries) => drop(entries.insert(last.clone(), value)),
        Ordered::Array(items) if last == "-" => items.push(value),
        Ordered::Array(items) => match index(last, items.len() + 1) {
            Some(index) => items.insert(index, value),
            None => return Err(Error::NoPlace { path: path.to_owned() }),
        },
        _ => return Err(Error::NoPlace { path: path.to_owned() }),
    }
    Ok(())
}

fn remove(document: &mut Ordered, path: &str) -> Result<Ordered, Error> {
    let keys = keys(path)?;
    let nothing = || Error::Nothing { path: path.to_owned() };
    let (last, parents) = keys.split_last().ok_or_else(nothing)?;
    match walk(document, parents, path)? {
        Ordered::Object(entries) => entries.shift_remove(last),
        Ordered::Array(items) => index(last, items.len()).map(|index| items.remove(index)),
        _ => None,
    }
    .ok_or_else(nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(document: &str, patch: &str) -> Result<String, Error> {
        let operations: Vec<Operation> = serde_json::from_str(patch).unwrap();
        let patched = patched(&serde_json::from_str(document).unwrap(), &operations)?;
        Ok(serde_json::to_string(&patched).unwrap())
    }

    #[test]
    fn keys_keep_their_order() {
        let document = r#"{"z":1,"a":{"y":[1,2],"b":2}}"#;
        for (patch, result) in [
            (r#"[{"op":"add","path":"/a/c","value":null}]"#, r#"{"z":1,"a":{"y":[1,2],"b":2,"c":null}}"#),
            (r#"[{"op":"remove","path":"/z"}]"#, r#"{"a":{"y":[1,2],"b":2}}"#),
            (r#"[{"op":"replace","path":"/a/b","value":"x"}]"#, r#"{"z":1,"a":{"y":[1,2],"b":"x"}}"#),
            (
                r#"[{"op":"add","path":"/a/y/1","value":9},{"op":"add","path":"/a/y/-","value":8}]"#,
                r#"{"z":1,"a":{"y":[1,9,2,8],"b":2}}"#,
            ),
            (r#"[{"op":"move","from":"/z","path":"/a/z~1"}]"#, r#"{"a":{"y":[1,2],"b":2,"z/":1}}"#),
            (r#"[{"op":"copy","from":"/a/y","path":"/y"}]"#, r#"{"z":1,"a":{"y":[1,2],"b":2},"y":[1,2]}"#),
            (r#"[{"op":"test","path":"/z","value":1}]"#, document),
        ] {
            assert_eq!(run(document, patch).unwrap(), result, "{patch}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for patch in [
            r#"[{"op":"remove","path":"/x"}]"#,
            r#"[{"op":"add","path":"/x/y","value":1}]"#,
            r#"[{"op":"add","path":"/a/2","value":1}]"#,
            r#"[{"op":"add","path":"/a/01","value":1}]"#,
            r#"[{"op":"replace","path":"x","value":1}]"#,
            r#"[{"op":"test","path":"/z","value":2}]"#,
            r#"[{"op":"move","from":"/a","path":"/a/0"}]"#,
        ] {
            assert!(run(r#"{"z":1,"a":[1]}"#, patch).is_err(), "{patch}");
        }
    }
}
