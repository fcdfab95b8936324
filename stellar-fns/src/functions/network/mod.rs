//! Addresses, domain names and URLs. Public suffixes come from the Public Suffix List, private ones included.

mod domain;
mod domain_remove_subdomains;
mod domain_remove_tld;
mod domain_to_tld;
mod in_subnet;
mod location;
mod subnet;
mod url_to_host;
mod url_to_path;
mod url_to_port;
mod url_to_protocol;

use std::sync::Arc;

use crate::function::Function;

/// The functions of this group.
pub(crate) const ALL: &[fn() -> Arc<dyn Function>] = &[
    || Arc::new(domain_remove_subdomains::DomainRemoveSubdomains),
    || Arc::new(domain_remove_tld::DomainRemoveTld),
    || Arc::new(domain_to_tld::DomainToTld),
    || Arc::new(in_subnet::InSubnet),
    || Arc::new(url_to_host::UrlToHost),
    || Arc::new(url_to_path::UrlToPath),
    || Arc::new(url_to_port::UrlToPort),
    || Arc::new(url_to_protocol::UrlToProtocol),
];
