//! [`Admin`]: typed requests to the servers of a cluster.

mod access;
mod cluster;
mod group;
mod topic;
mod track;

use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_client::Client;
use rocketmq_remoting::{AnswerError, Request};

use crate::failure::{Failure, FailureKind};

pub use access::Access;
pub use cluster::Broker;
pub use track::MessageTrack;

/// Sends typed requests to name servers and brokers.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_admin::{Access, Admin};
///
/// let admin = Admin::connect("127.0.0.1:9876", Access::default()).await?;
/// for broker in admin.cluster_info().await?.broker_addr_table.into_values() {
///     println!("{} {:?}", broker.broker_name, broker.broker_addrs);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Admin {
    client: Client,
    timeout: Duration,
}

impl Admin {
    /// Connects to a cluster by the `host:port` of its name servers, separated by `;`.
    ///
    /// # Errors
    /// An address or an option is malformed, or no name server can be reached.
    pub async fn connect(name_servers: &str, access: Access) -> Result<Self, Failure> {
        let timeout = access.timeout;
        let client = access.builder(name_servers).connect().await?;
        Ok(Self { client, timeout })
    }

    /// Returns the client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Asks a server and reads its answer, within the time of [`Access`].
    ///
    /// # Errors
    /// There is no answer, it cannot be read, or it is a refusal.
    pub async fn call<R: Request>(
        &self,
        address: &str,
        request: &R,
        body: R::Body,
    ) -> Result<R::Response, Failure> {
        self.call_within(self.timeout, address, request, body).await
    }

    /// Does the same as [`call`](Self::call), within `factor` times the time: for requests that brokers pass on, or that
    /// read much.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_long<R: Request>(
        &self,
        factor: u32,
        address: &str,
        request: &R,
        body: R::Body,
    ) -> Result<R::Response, Failure> {
        self.call_within(self.timeout.saturating_mul(factor), address, request, body).await
    }

    pub(crate) async fn call_within<R: Request>(
        &self,
        timeout: Duration,
        address: &str,
        request: &R,
        body: R::Body,
    ) -> Result<R::Response, Failure> {
        let command = request.command(&body).map_err(|error| Failure::usage(error.to_string()))?;
        let answer = self.client.call(address, command, timeout).await?;
        match R::answer(answer) {
            Ok(answered) => Ok(answered.payload),
            Err(AnswerError::Refused { code, remark }) => Err(Failure::refusal(address, code, &remark)),
            Err(error) => Err(Failure::refused(format!("the answer of {address} cannot be read: {error}"))),
        }
    }

    /// Asks the name servers in turn, until one answers.
    ///
    /// # Errors
    /// None can be reached, or the one that answers refuses.
    pub async fn ask_name_server<R: Request<Body = ()>>(&self, request: &R) -> Result<R::Response, Failure> {
        let mut failure = Failure::usage("no name server is known").with_remedy("name one by -n HOST:PORT");
        for server in self.client.name_servers() {
            match self.call(&server, request, ()).await {
                Err(error) if error.kind == FailureKind::Unreachable => failure = error,
                answer => return answer,
            }
        }
        Err(failure)
    }

    /// Sends a request to every name server, as each keeps its own state. Returns the answers in the order of the servers.
    ///
    /// # Errors
    /// Any of them fails; the others have been asked all the same.
    pub async fn tell_name_servers<R>(
        &self,
        request: &R,
        body: R::Body,
    ) -> Result<Vec<(String, R::Response)>, Failure>
    where
        R: Request,
        R::Body: Clone,
    {
        let servers = self.client.name_servers();
        let asked = servers.iter().map(|server| self.call(server, request, body.clone()));
        let answers = join_all(asked).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(servers.into_iter().zip(answers).collect())
    }
}
