//! Changes to recorded bytes that come near what breaks decoders: bytes set and turned, parts doubled, cut or taken from another recording, and lengths that lie.

use proptest::prelude::*;
use proptest::sample::Index;

/// One change, at a place that is found when the bytes are known.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// A byte becomes this one.
    Set(Index, u8),
    /// A bit is turned.
    Turn(Index, u8),
    /// These are put in.
    Insert(Index, Vec<u8>),
    /// Everything between two places goes.
    Remove(Index, Index),
    /// Everything between two places comes twice.
    Double(Index, Index),
    /// Everything after it goes.
    Cut(Index),
    /// From there on it is the other recording.
    Join(Index, Index),
}

/// Lengths and counts that lie, as the formats write them.
const LIES: [&[u8]; 8] = [
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xff, 0xff, 0xff, 0x3f],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
    &[0x7f, 0xff, 0xff, 0xff],
    &[0x07, 0xff, 0xff, 0xff],
    &[0x8c, 0x7f, 0xff, 0xff, 0xff],
    &[0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
];

/// A few changes.
pub(crate) fn any_edits() -> impl Strategy<Value = Vec<Edit>> {
    let place = any::<Index>;
    let edit = prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (place(), 0u8..8).prop_map(|(at, bit)| Edit::Turn(at, bit)),
        (place(), prop::sample::select(&LIES[..])).prop_map(|(at, lie)| Edit::Insert(at, lie.to_vec())),
        (place(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (place(), place()).prop_map(|(from, to)| Edit::Remove(from, to)),
        (place(), place()).prop_map(|(from, to)| Edit::Double(from, to)),
        place().prop_map(Edit::Cut),
        (place(), place()).prop_map(|(here, there)| Edit::Join(here, there)),
    ];
    prop::collection::vec(edit, 0..5)
}

/// The bytes after the changes; `other` is what they may be joined with.
pub(crate) fn edited(bytes: &[u8], other: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let between = |bytes: &[u8], a: &Index, b: &Index| {
        let (a, b) = (a.index(bytes.len() + 1), b.index(bytes.len() + 1));
        a.min(b)..a.max(b)
    };
    for edit in edits {
        match edit {
            Edit::Set(at, byte) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Edit::Turn(at, bit) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Edit::Set(..) | Edit::Turn(..) => {}
            Edit::Insert(at, part) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, part.iter().copied());
            }
            Edit::Remove(from, to) => drop(bytes.drain(between(&bytes, from, to))),
            // Five of them on a long recording would be a test of patience.
            Edit::Double(from, to) if bytes.len() < 1 << 16 => {
                let part = bytes[between(&bytes, from, to)].to_vec();
                bytes.extend(part);
            }
            Edit::Double(..) => {}
            Edit::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Edit::Join(here, there) => {
                bytes.truncate(here.index(bytes.len() + 1));
                bytes.extend_from_slice(&other[there.index(other.len() + 1)..]);
            }
        }
    }
    bytes
}
