//! Whether values are written as addresses, names, dates, numbers. Names are checked against the known top level domains.

mod every;
mod is_date;
mod is_domain;
mod is_email;
mod is_integer;
mod is_ip;
mod is_url;
mod mail;
mod place;
mod protocol_to_name;
mod protocols;
mod whole;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(is_date::IsDate),
    || Arc::new(is_domain::IsDomain),
    || Arc::new(is_email::IsEmail),
    || Arc::new(is_integer::IsInteger),
    || Arc::new(is_ip::IsIp),
    || Arc::new(is_url::IsUrl),
    || Arc::new(protocol_to_name::ProtocolToName),
];
