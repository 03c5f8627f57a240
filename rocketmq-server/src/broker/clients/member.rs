//! A client as the broker knows it: a connection and what its heartbeats said.

use std::net::SocketAddr;

use rocketmq_remoting::code::LanguageCode;

/// One channel of a client in a group.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// The connection's id: the key to the table of live connections.
    pub channel: u64,
    pub client_id: String,
    pub language: LanguageCode,
    /// The client's protocol version ordinal.
    pub version: i32,
    pub peer: SocketAddr,
    /// When its last heartbeat came, in milliseconds of the broker's clock.
    pub last_seen: i64,
    /// The same by the time that passes, whatever the clock is set to.
    pub heard_at: i64,
}

impl Member {
    /// Milliseconds since the last heartbeat.
    pub(crate) fn silent_since(&self, passed: i64) -> i64 {
        passed - self.heard_at
    }

    #[cfg(test)]
    pub(super) fn for_test(channel: u64, last_seen: i64) -> Self {
        Self {
            channel,
            client_id: format!("client-{channel}"),
            language: LanguageCode::JAVA,
            version: 479,
            peer: SocketAddr::from(([127, 0, 0, 1], 1000)),
            last_seen,
            heard_at: last_seen,
        }
    }
}
