//! Functions on text. Lengths and indices count UTF-16 units.

mod affix;
mod append_if_missing;
mod case;
mod chomp;
mod chop;
mod count_matches;
mod ends_with;
mod fill_left;
mod fill_right;
mod format;
mod format_check;
mod format_number;
mod format_text;
mod format_time;
mod get;
mod get_first;
mod get_last;
mod join;
mod length;
mod pad;
mod prepend_if_missing;
mod split;
mod starts_with;
mod string_entropy;
mod substring;
mod to_lower;
mod to_string;
mod to_upper;
mod trim;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(append_if_missing::AppendIfMissing),
    || Arc::new(chomp::Chomp),
    || Arc::new(chop::Chop),
    || Arc::new(count_matches::CountMatches),
    || Arc::new(ends_with::EndsWith),
    || Arc::new(fill_left::FillLeft),
    || Arc::new(fill_right::FillRight),
    || Arc::new(format::Format),
    || Arc::new(get::Get),
    || Arc::new(get_first::GetFirst),
    || Arc::new(get_last::GetLast),
    || Arc::new(join::Join),
    || Arc::new(length::Length),
    || Arc::new(prepend_if_missing::PrependIfMissing),
    || Arc::new(split::Split),
    || Arc::new(starts_with::StartsWith),
    || Arc::new(string_entropy::StringEntropy),
    || Arc::new(substring::Substring),
    || Arc::new(to_lower::ToLower),
    || Arc::new(to_string::ToString),
    || Arc::new(to_upper::ToUpper),
    || Arc::new(trim::Trim),
];
