//! Resolving names of allowed hosts: only to addresses that they may lead to. What is connected to is what was checked.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use super::Allowed;

/// The system's resolver, without the addresses that are refused.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    resolver: GaiResolver,
    allowed: Arc<Allowed>,
}

/// A name that leads to refused addresses only.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "{name} leads to {address}, which is an address of this machine or its link; add it to hosts.allowed if it may be asked"
)]
pub(super) struct Refused {
    pub(super) name: String,
    pub(super) address: std::net::IpAddr,
}

impl Guard {
    pub(super) fn new(allowed: Arc<Allowed>) -> Self {
        Self { resolver: GaiResolver::new(), allowed }
    }
}

impl Service<Name> for Guard {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.resolver.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolved, allowed) = (self.resolver.call(name.clone()), self.allowed.clone());
        Box::pin(async move {
            let all: Vec<SocketAddr> = resolved.await?.collect();
            let permitted = |address: &&SocketAddr| allowed.permits_address(name.as_str(), address.ip());
            let some: Vec<SocketAddr> = all.iter().filter(permitted).copied().collect();
            match (some.is_empty(), all.first()) {
                (true, Some(first)) => {
                    let refused = Refused { name: name.as_str().to_owned(), address: first.ip() };
                    Err(io::Error::new(io::ErrorKind::PermissionDenied, refused))
                }
                _ => Ok(some.into_iter()),
            }
        })
    }
}
