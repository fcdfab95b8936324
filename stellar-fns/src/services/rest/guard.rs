//! Resolving names of allowed hosts: only to addresses that they may lead to. What is connected to is what was checked.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use async_trait::async_trait;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use super::Allowed;

/// Knows the addresses of names. What it says is not trusted: [`Guard`] leaves out what may not be asked.
#[async_trait]
pub(super) trait Resolve: Send + Sync + fmt::Debug {
    /// All addresses of a name; ports mean nothing.
    async fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
#[derive(Debug)]
pub(super) struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let name = Name::from_str(name).map_err(io::Error::other)?;
        Ok(GaiResolver::new().call(name).await?.collect())
    }
}

/// A resolver without the addresses that are refused.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    resolver: Arc<dyn Resolve>,
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
    pub(super) fn new(allowed: Arc<Allowed>, resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, allowed }
    }
}

impl Service<Name> for Guard {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolver, allowed) = (self.resolver.clone(), self.allowed.clone());
        Box::pin(async move {
            let all = resolver.resolve(name.as_str()).await?;
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
