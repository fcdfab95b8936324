//! Letters that look like a letter: Latin with marks, Cyrillic, Greek, Armenian, Georgian, Cherokee, digits, and pairs of letters.
//!
//! Written as escapes, since on a screen one can't tell them apart, which is the point of them.

/// What looks like this letter: single characters, and longer texts.
pub(super) fn look_alikes(letter: char) -> impl Iterator<Item = String> {
    let (single, longer): (&str, &[&str]) = match letter {
        'a' => ("\u{e0}\u{e1}\u{e2}\u{e3}\u{e4}\u{e5}\u{251}\u{430}\u{1ea1}\u{1ce}\u{103}\u{227}\u{4d3}", &[]),
        'b' => ("d\u{299}\u{42c}\u{253}\u{411}", &["lb", "ib", "b\u{314}"]),
        'c' => ("\u{3f2}\u{441}\u{188}\u{10b}\u{107}\u{e7}", &[]),
        'd' => ("b\u{501}\u{56a}\u{257}\u{111}", &["cl", "dl", "di"]),
        'e' => ("\u{e9}\u{ea}\u{eb}\u{113}\u{115}\u{11b}\u{117}\u{435}\u{1eb9}\u{119}\u{454}\u{3f5}\u{4bd}", &[]),
        'f' => ("\u{3dc}\u{192}\u{492}", &[]),
        'g' => ("q\u{262}\u{261}\u{50c}\u{121}\u{11f}\u{581}\u{1f5}\u{123}", &[]),
        'h' => ("\u{4bb}\u{570}\u{13b2}\u{43d}", &["lh", "ih"]),
        'i' => ("1l\u{13a5}\u{ed}\u{ef}\u{131}\u{269}\u{3b9}\u{a647}\u{1d0}\u{12d}", &[]),
        'j' => ("\u{458}\u{29d}\u{3f3}\u{249}", &[]),
        'k' => ("\u{3ba}\u{2c95}", &["lk", "ik", "lc"]),
        'l' => ("1i\u{26b}\u{142}", &[]),
        'm' => ("n\u{1e43}\u{1d0d}\u{43c}\u{271}", &["nn", "rn", "rr"]),
        'n' => ("mr\u{144}", &[]),
        'o' => ("0\u{39f}\u{3bf}\u{41e}\u{43e}\u{555}\u{22f}\u{1ecd}\u{1ecf}\u{1a1}\u{f3}\u{f6}\u{4e7}", &[]),
        'p' => ("\u{3c1}\u{440}\u{1bf}\u{3f7}\u{de}", &[]),
        'q' => ("g\u{566}\u{51b}\u{563}\u{2a0}", &[]),
        'r' => ("\u{280}\u{413}\u{1d26}\u{27c}\u{27d}", &[]),
        's' => ("\u{10bd}\u{13da}\u{282}\u{15b}\u{455}", &[]),
        't' => ("\u{3c4}\u{442}\u{163}", &[]),
        'u' => ("\u{3bc}\u{3c5}\u{54d}\u{57d}\u{446}\u{1d1c}\u{1d4}\u{16d}", &[]),
        'v' => ("\u{475}\u{3bd}", &["v\u{307}"]),
        'w' => ("\u{461}\u{561}\u{51d}", &["vv"]),
        'x' => ("\u{445}\u{4b3}\u{1e8b}", &[]),
        'y' => ("\u{28f}\u{3b3}\u{443}\u{4ae}\u{fd}", &[]),
        'z' => ("\u{290}\u{17c}\u{17a}\u{1d22}", &[]),
        _ => ("", &[]),
    };
    single.chars().map(String::from).chain(longer.iter().map(|text| (*text).to_owned()))
}
