//! [`Rpc`]: sends one request to one address, and sends it once more when the server is going away.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::net::{CallError as NetError, CloseReason, Connection};
use rocketmq_remoting::{Command, HeaderCodec, ResponseCode};

use super::dialer::DialError;
use super::pool::Pool;
use crate::clock::instant;
use crate::cluster::acl::{self, CredentialsSource};
use crate::error::{BoxError, BrokerRefusal, CallError, CallErrorKind};

/// The reason why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RpcError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error(transparent)]
    Call(#[from] NetError),
    /// A server that takes only TLS hangs up on a plain client without a word.
    #[error("{0}; if the server takes only TLS, switch `tls` on")]
    PlainRefused(NetError),
}

impl RpcError {
    pub(crate) fn kind(&self) -> CallErrorKind {
        match self {
            Self::Dial(DialError::Closed) => CallErrorKind::Closed,
            Self::Dial(_) => CallErrorKind::Unreachable,
            Self::Call(NetError::Timeout { .. }) => CallErrorKind::Timeout,
            Self::Call(NetError::Encode(_)) => CallErrorKind::InvalidRequest,
            Self::Call(_) | Self::PlainRefused(_) => CallErrorKind::Unreachable,
        }
    }

    /// Tells whether the connection ended before the answer.
    fn is_end_of_connection(&self) -> bool {
        matches!(self, Self::Call(NetError::Closed(_)) | Self::PlainRefused(_))
    }

    pub(crate) fn at(self, address: &str) -> CallError {
        let text = format!("{address}: {self}");
        CallError::new(self.kind(), text).with_source(Box::new(self) as BoxError)
    }
}

/// Adds codec, namespace and signature to every request.
pub(crate) struct Outbound {
    pub(crate) codec: HeaderCodec,
    pub(crate) namespace_v2: Option<String>,
    pub(crate) credentials: Option<Arc<dyn CredentialsSource>>,
}

impl Outbound {
    /// Prepares a request. The signature covers all fields, so it comes last.
    fn prepare(&self, command: &mut Command) {
        command.codec = self.codec;
        if let Some(namespace) = &self.namespace_v2 {
            command.ext.set("nsd", "true");
            command.ext.set("ns", namespace);
        }
        if let Some(source) = &self.credentials {
            acl::sign(command, &source.credentials());
        }
    }
}

/// Calls by address.
pub(crate) struct Rpc {
    pub(crate) pool: Pool,
    pub(crate) outbound: Outbound,
}

impl Rpc {
    /// Tries once over the connection to `address`, which it makes if there is none; both within `budget`.
    pub(crate) async fn call_once(
        &self,
        address: &str,
        mut command: Command,
        budget: Duration,
    ) -> Result<Command, RpcError> {
        self.outbound.prepare(&mut command);
        let (connection, left) = match self.pool.live(address) {
            Some(connection) => (connection, budget),
            None => {
                let start = instant();
                let connection = self.pool.connection(address, budget).await?;
                (connection, budget.saturating_sub(start.elapsed()))
            }
        };
        let response = connection.call(command, left).await.map_err(|error| self.explain(error))?;
        // A server that is going away answers what it has taken, but the next call needs a new connection.
        if response.response_code() == ResponseCode::GO_AWAY {
            self.pool.retire(address, &connection);
        }
        Ok(response)
    }

    /// Calls a server and survives its restart: after the answer GO_AWAY, or at the end of its connection,
    /// it repeats the request once, over a new connection, with the rest of the budget. The server may see
    /// such a request twice; a request that must not be seen twice goes through
    /// [`call_once`](Self::call_once).
    pub(crate) async fn call(
        &self,
        address: &str,
        command: Command,
        budget: Duration,
    ) -> Result<Command, RpcError> {
        let start = instant();
        match self.call_once(address, command.clone(), budget).await {
            Ok(response) if response.response_code() == ResponseCode::GO_AWAY => {}
            Err(error) if error.is_end_of_connection() => {}
            settled => return settled,
        }
        self.call_once(address, command, budget.saturating_sub(start.elapsed())).await
    }

    /// Returns once the request is written.
    pub(crate) async fn oneway(
        &self,
        address: &str,
        command: Command,
        budget: Duration,
    ) -> Result<(), RpcError> {
        let connection = self.pool.connection(address, budget).await?;
        self.oneway_on(&connection, command).await
    }

    /// Does the same as [`oneway`](Self::oneway) over a given connection.
    pub(crate) async fn oneway_on(&self, connection: &Connection, command: Command) -> Result<(), RpcError> {
        let mut command = command.oneway();
        self.outbound.prepare(&mut command);
        connection.send_oneway(command).await.map_err(|error| self.explain(error))
    }

    /// Advises encryption where a server never answered a plain client.
    fn explain(&self, error: NetError) -> RpcError {
        match &error {
            NetError::Closed(reason)
                if matches!(**reason, CloseReason::Unanswered) && !self.pool.is_encrypted() =>
            {
                RpcError::PlainRefused(error)
            }
            _ => RpcError::Call(error),
        }
    }
}

/// Reads the refusal of a response that is no success.
pub(crate) fn refusal(response: &Command, broker: &str, topic: &str) -> BrokerRefusal {
    BrokerRefusal {
        code: response.response_code(),
        remark: response.remark.clone().unwrap_or_default(),
        broker: broker.to_owned(),
        topic: topic.to_owned(),
    }
}
