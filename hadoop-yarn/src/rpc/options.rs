//! Time-outs, limits and protection of connections: one struct of knobs.

use std::time::Duration;

use super::retry::RetryPolicy;
use super::sasl::Protection;

/// How connections are made and kept. The defaults are those of Hadoop 3.5, by the key named at each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long making a connection may take, and then again the negotiation on it (`ipc.client.connect.timeout`): 20 s.
    pub connect_timeout: Duration,
    /// How long one try of a call may take (`ipc.client.rpc-timeout.ms`; 0 there means no limit): 120 s.
    pub call_timeout: Option<Duration>,
    /// After how long a silence of the server a ping is written while calls are open (`ipc.ping.interval`): 60 s.
    pub ping_interval: Duration,
    /// After how long without a call a connection is closed (`ipc.client.connection.maxidletime`): 10 s.
    pub max_idle: Duration,
    /// The longest request that is sent (`ipc.maximum.data.length`): 128 MiB.
    pub max_request: usize,
    /// The longest answer that is read (`ipc.maximum.response.length`): 128 MiB.
    pub max_response: usize,
    /// What protects connections that are authenticated by token, best liked first; the first that the server offers is taken
    /// (`hadoop.rpc.protection`). Default: all three, so that any server's choice is followed.
    pub protection: Vec<Protection>,
    /// What follows a failure.
    pub retry: RetryPolicy,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(20),
            call_timeout: Some(Duration::from_secs(120)),
            ping_interval: Duration::from_secs(60),
            max_idle: Duration::from_secs(10),
            max_request: 128 << 20,
            max_response: 128 << 20,
            protection: vec![Protection::Authentication, Protection::Integrity, Protection::Privacy],
            retry: RetryPolicy::default(),
        }
    }
}
