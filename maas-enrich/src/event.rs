//! A line as it comes from a source: its bytes, where it stands, and the identity that follows from that.

use std::sync::Arc;

use uuid::Uuid;

use crate::message::Message;

/// The namespace of our guids.
const NAMESPACE: Uuid = Uuid::from_u128(0x7d0c_6c52_3b1e_5f8a_9a44_2f6b_c1d8_e903);

/// Where a line stands. The same line read again has the same guid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a topic.
    Topic {
        /// Its name.
        topic: Arc<str>,
        /// The partition.
        partition: i32,
        /// The offset in it.
        offset: i64,
        /// Which time that the partition was given to who has read the line, and not to another member of the group.
        tenure: u32,
    },
    /// In a file or stream.
    File {
        /// What tells it from others: its path and more.
        identity: Arc<str>,
        /// The line's first byte.
        offset: u64,
        /// Digest of the line and of all before it: where a file is cut, or another one has its inode, other lines come to stand at the same bytes.
        so_far: Uuid,
    },
}

impl Place {
    /// The line's guid: the same when it is read again.
    fn guid(&self) -> String {
        let name = match self {
            Self::Topic { topic, partition, offset, .. } => format!("topic\0{topic}\0{partition}\0{offset}\0"),
            Self::File { identity, offset, so_far } => format!("file\0{identity}\0{offset}\0{so_far}\0"),
        };
        Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string()
    }
}

/// A line.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Its bytes, without the end of the line.
    pub bytes: Vec<u8>,
    /// Where it stands.
    pub place: Place,
    /// What is known of it besides, without any prefix. Lines of which the same is known share it.
    pub metadata: Option<Arc<Message>>,
    /// When it came, milliseconds since 1970, where its place tells: the time of a line that has none of its own, the same when it is read again.
    pub came_ms: Option<i64>,
    /// The guid it had before: of a line that was put aside and is read again, which must become the same document.
    pub given_guid: Option<String>,
}

impl Raw {
    /// A line of which nothing else is known.
    pub fn new(bytes: Vec<u8>, place: Place) -> Self {
        Self { bytes, place, metadata: None, came_ms: None, given_guid: None }
    }

    /// The line's guid: the same when it is read again. `part` tells apart what comes of one line, where it is not empty.
    pub fn guid(&self, part: &str) -> String {
        let whole = || self.given_guid.clone().unwrap_or_else(|| self.place.guid());
        match part {
            "" => whole(),
            part => Uuid::new_v5(&NAMESPACE, format!("part\0{}\0{part}", whole()).as_bytes()).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_guid() {
        let at = |offset| Raw::new(Vec::new(), Place::Topic { topic: "squid".into(), partition: 1, offset, tenure: 0 });
        assert_eq!(at(7).guid(""), at(7).guid(""));
        assert_ne!(at(7).guid(""), at(8).guid(""));
        assert_ne!(at(7).guid(""), at(7).guid("error"));
        // Others may compute it: docs/pipeline.md says how.
        assert_eq!(at(7).guid(""), "c0eeeff9-badf-5b46-a5d8-6c408d7dc34f");
    }

    #[test]
    fn a_line_that_was_put_aside_keeps_its_guid() {
        let at = |offset| Raw::new(Vec::new(), Place::Topic { topic: "squid".into(), partition: 1, offset, tenure: 0 });
        let again = Raw { given_guid: Some(at(7).guid("")), ..at(9) };
        assert_eq!(again.guid(""), at(7).guid(""));
        assert_eq!(again.guid("message 1"), at(7).guid("message 1"));
        assert_ne!(again.guid("error"), again.guid(""));
    }
}
