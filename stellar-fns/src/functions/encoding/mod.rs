//! Text encodings, as commons-codec reads and writes them.

mod codec;
mod decode;
mod encode;
mod get_supported_encodings;
mod is_encoding;
mod radix;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(decode::Decode),
    || Arc::new(encode::Encode),
    || Arc::new(get_supported_encodings::GetSupportedEncodings),
    || Arc::new(is_encoding::IsEncoding),
];
