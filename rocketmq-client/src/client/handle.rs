//! [`Client`]: one set of connections, routes and heartbeats for any number of producers and consumers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::Command;
use rocketmq_remoting::route::TopicRoute;

use crate::cluster::route::Purpose;
use crate::consumer::{LiteConsumerBuilder, PullConsumerBuilder, PushConsumerBuilder, SimpleConsumerBuilder};
use crate::error::{CallError, RouteError};
use crate::membership::Membership;
use crate::producer::{Producer, ProducerBuilder};

/// A cluster, as one application sees it. Clones are handles to the same client: one connection per
/// broker, one heartbeat, one copy of the routes. The last handle, producers and consumers included, to
/// be dropped closes the connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) membership: Arc<Membership>,
}

impl Client {
    /// Starts to configure the producer of a group. A client has one producer per group.
    pub fn producer(&self, group: impl Into<String>) -> ProducerBuilder {
        ProducerBuilder::new(self.membership.clone(), group.into())
    }

    /// Starts to configure a push consumer of `group`. A client has one consumer per group.
    pub fn push_consumer(&self, group: impl Into<String>) -> PushConsumerBuilder {
        PushConsumerBuilder::new(self.membership.clone(), group.into())
    }

    /// Starts to configure a lite consumer of `group`. A client has one consumer per group.
    pub fn lite_consumer(&self, group: impl Into<String>) -> LiteConsumerBuilder {
        LiteConsumerBuilder::new(self.membership.clone(), group.into())
    }

    /// Starts to configure a simple consumer of `group`. Needs a 5.x broker. A client has one consumer per group.
    pub fn simple_consumer(&self, group: impl Into<String>) -> SimpleConsumerBuilder {
        SimpleConsumerBuilder::new(self.membership.clone(), group.into())
    }

    /// Starts to configure a pull consumer of `group`.
    pub fn pull_consumer(&self, group: impl Into<String>) -> PullConsumerBuilder {
        PullConsumerBuilder::new(self.membership.cluster.clone(), group.into())
    }

    /// The id brokers know this client by: `<ip>@<instance>[@<unit>]`.
    pub fn client_id(&self) -> &str {
        &self.membership.cluster.client_id
    }

    /// The name servers in use.
    pub fn name_servers(&self) -> Vec<String> {
        self.membership.cluster.resolver.servers().to_vec()
    }

    /// How many replies came after [`Producer::request`](crate::Producer::request) had stopped waiting.
    pub fn late_replies(&self) -> u64 {
        self.membership.replies.late()
    }

    /// Where a topic lives, asked of a name server now.
    ///
    /// # Errors
    /// When no name server answers or the topic does not exist.
    pub async fn route(&self, topic: &str) -> Result<TopicRoute, RouteError> {
        let cluster = &self.membership.cluster;
        let topic = cluster.names.wrap(topic);
        let _ = cluster.refresh_topic(&topic).await?;
        cluster.topic(&topic, Purpose::Read, None).await.map(|info| info.route.clone())
    }

    /// Sends any command to any address and returns the answer, whatever its code: the way to requests
    /// this crate has no method for. Signed and retried once on GO_AWAY like every other.
    ///
    /// # Errors
    /// When there is no answer within `timeout`.
    pub async fn call(
        &self,
        address: &str,
        command: Command,
        timeout: Duration,
    ) -> Result<Command, CallError> {
        self.membership.cluster.call_raw(address, command, timeout).await
    }

    /// Stops heartbeats and closes every connection; producers and consumers of this client fail from
    /// here on. Shut those down first: they still have something to say to the brokers.
    pub async fn shutdown(&self) {
        self.membership.cluster.shutdown().await;
    }
}

impl Producer {
    /// The client it sends through.
    pub fn client(&self) -> Client {
        Client { membership: self.membership().clone() }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("client_id", &self.client_id())
            .field("name_servers", &self.name_servers())
            .finish_non_exhaustive()
    }
}
