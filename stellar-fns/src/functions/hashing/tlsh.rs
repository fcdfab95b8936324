//! TLSH, the hash whose distance says how alike two texts are.
//!
//! The hash is the crate's affair; here are the options of HASH, the form without version prefix that the original writes, and the bins for grouping.

use tlsh2::{Tlsh, TlshBuilder};

use crate::error::Fault;
use crate::function::{Arguments, Context, Outcome};
use crate::functions::java_random::JavaRandom;
use crate::value::{Items, Map, MapKind, Value, boolean_of, int_of};

use super::charset;

/// How many sizes of bins one hash is grouped by.
const MOST_BINS: usize = 64;

/// What HASH takes in its third argument for this algorithm.
struct Options {
    wide: bool,
    long_checksum: bool,
    force: bool,
    bins: Vec<u32>,
}

impl Options {
    fn read(config: Option<&Map>) -> Result<Self, Fault> {
        let get = |key: &str| config.and_then(|config| config.get_text(key)).filter(|value| !value.is_null());
        let one_of = |key: &str, default: i32, other: i32| match get(key).map_or(Some(default), |value| int_of(&value))
        {
            Some(number) if number == default => Ok(false),
            Some(number) if number == other => Ok(true),
            _ => Err(Fault::argument(format!("{key} must be {default} or {other}"))),
        };
        let bin = |value: &Value| {
            int_of(value).and_then(|bits| u32::try_from(bits).ok()).filter(|bits| (1..=4096).contains(bits))
        };
        let wrong_bins = || Fault::argument("hashes must be a number from 1 to 4096, or a list of such");
        let bins = match get("hashes") {
            None => Vec::new(),
            Some(value) if value.as_number().is_some() || value.as_text().is_some() => {
                vec![bin(&value).ok_or_else(wrong_bins)?]
            }
            Some(Value::List(list)) if list.len() > MOST_BINS => {
                return Err(Fault::argument(format!("hashes names {} sizes; the limit is {MOST_BINS}", list.len())));
            }
            Some(value) => Items::of(&value)
                .filter(|sizes| sizes.len() <= MOST_BINS)
                .ok_or_else(wrong_bins)?
                .iter()
                .map(bin)
                .collect::<Option<_>>()
                .ok_or_else(wrong_bins)?,
        };
        Ok(Self {
            wide: one_of("bucketSize", 128, 256)?,
            long_checksum: one_of("checksumBytes", 1, 3)?,
            force: get("force").is_none_or(|force| boolean_of(&force)),
            bins,
        })
    }
}

/// HASH with algorithm tlsh.
pub(super) fn hash(arguments: &Arguments<'_>, config: Option<&Map>, context: &mut Context<'_>) -> Outcome {
    let options = Options::read(config)?;
    let Some(text) = arguments.nullable_text(0)? else { return Ok(Value::Null) };
    context.spend(text.len() / 4)?;
    let bytes = charset::encode(text, None)?;
    if bytes.len() < if options.force { 50 } else { 256 } {
        return Ok(Value::Null);
    }
    let hash = match (options.wide, options.long_checksum) {
        (false, false) => text_of(&TlshBuilder::<128, 1, 32, 72, 50>::build_from(&bytes)),
        (false, true) => text_of(&TlshBuilder::<128, 3, 32, 76, 50>::build_from(&bytes)),
        (true, false) => text_of(&TlshBuilder::<256, 1, 64, 136, 50>::build_from(&bytes)),
        (true, true) => text_of(&TlshBuilder::<256, 3, 64, 140, 50>::build_from(&bytes)),
    };
    let Some(hash) = hash else { return Ok(Value::Null) };
    if options.bins.is_empty() {
        return Ok(Value::from(hash));
    }
    context.spend(options.bins.iter().map(|size| *size as usize / 8).sum())?;
    let checksum = if options.long_checksum { 6 } else { 2 };
    let bins = bins(&hash[checksum..], &options.bins);
    let entries = std::iter::once(("tlsh".to_owned(), hash.clone())).chain(bins);
    Ok(Value::Map(Map::new(MapKind::Hash, entries.map(|(key, value)| (Value::from(key), Value::from(value))))))
}

/// The hash in hexadecimal, without the version in front that the crate writes.
fn text_of<const CHECKSUM: usize, const LENGTH: usize, const CODE: usize>(
    hash: &Option<Tlsh<CHECKSUM, LENGTH, CODE>>,
) -> Option<String> {
    hash.as_ref().and_then(|hash| String::from_utf8(hash.hash()[2..].to_vec()).ok())
}

/// For each number of bits, that many bits of the hash drawn by a generator with a fixed seed: hashes that share a bin are probably near.
fn bins(hash: &str, sizes: &[u32]) -> Vec<(String, String)> {
    let nibble = |index: usize| hash.as_bytes().get(index).and_then(|byte| char::from(*byte).to_digit(16)).unwrap_or(0);
    let bit = |index: usize| (nibble(index / 8 * 2 + usize::from(index % 8 < 4)) >> (index % 4)) & 1 == 1;
    let length = (0..hash.len() * 4).rev().find(|index| bit(*index)).map_or(1, |highest| highest as u64 + 1);
    let mut random = JavaRandom::new(0);
    let mut bins = Vec::new();
    for size in sizes {
        let mut bytes = vec![0_u8; size.div_ceil(8) as usize];
        for index in 0..*size as usize {
            if usize::try_from(random.below(length)).is_ok_and(bit) {
                bytes[index / 8] |= 1 << (index % 8);
            }
        }
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        let key = if sizes.len() == 1 { "tlsh_bin".to_owned() } else { format!("tlsh_bin_{size}") };
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        bins.push((key, format!("{size}{digits}")));
    }
    bins
}

/// TLSH_DIST.
pub(super) fn distance(arguments: &Arguments<'_>) -> Outcome {
    let (first, second) = (arguments.nullable_text(0)?, arguments.nullable_text(1)?);
    let Some((first, second)) = first.zip(second) else { return Ok(Value::Int(-1)) };
    let length = arguments.get(2).is_some_and(boolean_of);
    let between = match first.trim_start_matches("T1").len() {
        70 => diff::<1, 72, 32>(first, second, length),
        74 => diff::<3, 76, 32>(first, second, length),
        134 => diff::<1, 136, 64>(first, second, length),
        138 => diff::<3, 140, 64>(first, second, length),
        _ => None,
    };
    between.map(Value::Int).ok_or_else(|| Fault::argument("these are no two TLSH hashes of one form"))
}

fn diff<const CHECKSUM: usize, const LENGTH: usize, const CODE: usize>(
    first: &str,
    second: &str,
    length: bool,
) -> Option<i32> {
    let read = |hash: &str| format!("T1{}", hash.trim_start_matches("T1")).parse::<Tlsh<CHECKSUM, LENGTH, CODE>>().ok();
    Some(read(first)?.diff(&read(second)?, length))
}
