//! Numbers of variable length, in the encoding of Hadoop's `io.file.tfile.Utils`, which is not that of its RPC.

/// How many bytes follow the first one.
pub(super) fn more_bytes(first: u8) -> Option<usize> {
    match i8::from_be_bytes([first]) {
        -32.. => Some(0),
        -72..=-33 => Some(1),
        -104..=-73 => Some(2),
        -120..=-105 => Some(3),
        // -125 announces four bytes, -121 eight; nothing is written with fewer.
        small @ -125..=-121 => Some((i16::from(small) + 129).unsigned_abs().into()),
        _ => None,
    }
}

/// The number: its first byte and the `more` that follow.
pub(super) fn decode(first: u8, more: &[u8]) -> i64 {
    let first = i64::from(i8::from_be_bytes([first]));
    let high = match more.len() {
        0 => return first,
        1 => first + 52,
        2 => first + 88,
        3 => first + 112,
        // The sign is the first of the bytes that follow.
        _ => more.first().map_or(0, |byte| if *byte < 0x80 { 0 } else { -1 }),
    };
    more.iter().fold(high, |value, byte| (value << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::writer::number;
    use super::*;

    fn read(bytes: &[u8]) -> i64 {
        assert_eq!(more_bytes(bytes[0]), Some(bytes.len() - 1));
        decode(bytes[0], &bytes[1..])
    }

    #[test]
    fn the_ends_of_each_length_are_hadoop_s() {
        // As Hadoop 3.5.0 writes them.
        let cases: [(i64, &[u8]); 16] = [
            (0, &[0]),
            (127, &[0x7f]),
            (-32, &[0xe0]),
            (128, &[0xcc, 0x80]),
            (-33, &[0xcb, 0xdf]),
            (5119, &[0xdf, 0xff]),
            (5120, &[0xa8, 0x14, 0x00]),
            (-5120, &[0xb8, 0x00]),
            (1_048_575, &[0xb7, 0xff, 0xff]),
            (1_048_576, &[0x90, 0x10, 0x00, 0x00]),
            (134_217_727, &[0x97, 0xff, 0xff, 0xff]),
            (134_217_728, &[0x83, 0x08, 0x00, 0x00, 0x00]),
            (-2_147_483_648, &[0x83, 0x80, 0x00, 0x00, 0x00]),
            (549_755_813_887, &[0x84, 0x7f, 0xff, 0xff, 0xff, 0xff]),
            (549_755_813_888, &[0x85, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00]),
            (i64::MAX, &[0x87, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ];
        for (value, bytes) in cases {
            assert_eq!(read(bytes), value, "{bytes:x?}");
        }
        assert_eq!((more_bytes(0x80), more_bytes(0x82)), (None, None));
    }

    proptest! {
        #[test]
        fn every_number_is_read_back(value in prop_oneof![any::<i64>(), -70_000i64..70_000, any::<i32>().prop_map(i64::from)]) {
            let mut bytes = Vec::new();
            number(&mut bytes, value);
            prop_assert_eq!(read(&bytes), value);
        }
    }
}
