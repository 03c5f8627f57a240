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

/// Connects an application to a cluster. Clones are handles to the same client, which has one connection to each
/// broker, one heartbeat and one copy of the routes. Dropping the last handle, producers and consumers included, closes
/// the connections.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::Message;
///
/// let client = rocketmq_client::connect("127.0.0.1:9876").await?;
/// let producer = client.producer("order-service").build().await?;
/// producer.send(Message::new("orders", "42")).await?;
/// producer.shutdown().await;
/// client.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) membership: Arc<Membership>,
}

impl Client {
    /// Starts to configure the producer of a group. A client has one producer for each group.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let producer = client.producer("order-service").retries(3).build().await?;
    /// # drop(producer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn producer(&self, group: impl Into<String>) -> ProducerBuilder {
        ProducerBuilder::new(self.membership.clone(), group.into())
    }

    /// Starts to configure a push consumer, which calls a handler. A client has one consumer for each group.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::{Delivery, Outcome};
    ///
    /// let running = client
    ///     .push_consumer("billing")
    ///     .subscribe("orders", "*")
    ///     .listen(|delivery: Delivery| async move {
    ///         println!("{}", delivery.message_id());
    ///         Ok::<_, std::convert::Infallible>(Outcome::Ack)
    ///     })
    ///     .await?;
    /// running.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn push_consumer(&self, group: impl Into<String>) -> PushConsumerBuilder {
        PushConsumerBuilder::new(self.membership.clone(), group.into())
    }

    /// Starts to configure a lite consumer, which the application asks for batches. A client has one consumer for each
    /// group.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut lite = client.lite_consumer("audit").subscribe("orders", "*").build().await?;
    /// while let Some(batch) = lite.next_batch().await? {
    ///     println!("{} messages", batch.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn lite_consumer(&self, group: impl Into<String>) -> LiteConsumerBuilder {
        LiteConsumerBuilder::new(self.membership.clone(), group.into())
    }

    /// Starts to configure a simple consumer, which takes messages for a time and acknowledges them one by one. Needs a
    /// 5.x broker. A client has one consumer for each group.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let simple = client.simple_consumer("shipping").subscribe("orders", "paid").build().await?;
    /// for message in simple.receive(16).await? {
    ///     simple.ack(&message).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn simple_consumer(&self, group: impl Into<String>) -> SimpleConsumerBuilder {
        SimpleConsumerBuilder::new(self.membership.clone(), group.into())
    }

    /// Starts to configure a pull consumer, which reads queues at offsets that the application keeps.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::Offset;
    ///
    /// let pull = client.pull_consumer("replay").build().await?;
    /// for queue in pull.queues("orders").await? {
    ///     println!("{:?}", pull.pull(&queue, Offset::First).await?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pull_consumer(&self, group: impl Into<String>) -> PullConsumerBuilder {
        PullConsumerBuilder::new(self.membership.cluster.clone(), group.into())
    }

    /// Returns the id under which brokers know this client: `<ip>@<instance>[@<unit>]`.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{}", client.client_id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn client_id(&self) -> &str {
        &self.membership.cluster.client_id
    }

    /// Returns the name servers in use, as `host:port`.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{:?}", client.name_servers());
    /// # Ok(())
    /// # }
    /// ```
    pub fn name_servers(&self) -> Vec<String> {
        self.membership.cluster.resolver.servers().to_vec()
    }

    /// Counts the replies that came after [`Producer::request`](crate::Producer::request) had stopped to wait.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// println!("{} late replies", client.late_replies());
    /// # Ok(())
    /// # }
    /// ```
    pub fn late_replies(&self) -> u64 {
        self.membership.replies.late()
    }

    /// Asks a name server for the brokers and queues of a topic.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// for broker in client.route("orders").await?.broker_datas {
    ///     println!("{} {:?}", broker.broker_name, broker.broker_addrs);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// No name server answers within [`api_timeout`](crate::ClientConfig::api_timeout), or the topic does not exist.
    ///
    /// # Cancel safety
    /// Cancel safe: it reads only.
    pub async fn route(&self, topic: &str) -> Result<TopicRoute, RouteError> {
        let cluster = &self.membership.cluster;
        let topic = cluster.names.wrap(topic);
        let _ = cluster.refresh_topic(&topic).await?;
        cluster.topic(&topic, Purpose::Read, None).await.map(|info| info.route.clone())
    }

    /// Sends any command to any address and returns the answer, whatever its code: for requests without a method in
    /// this crate. The command is signed, and sent once more after `GO_AWAY`, like every other.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use rocketmq_client::remoting::{Command, RequestCode};
    ///
    /// let ask = Command::request(RequestCode::GET_BROKER_RUNTIME_INFO);
    /// let answer = client.call("10.0.0.5:10911", ask, Duration::from_secs(3)).await?;
    /// println!("{} {} bytes", answer.response_code(), answer.body.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// No answer comes within `timeout`.
    ///
    /// # Cancel safety
    /// A cancelled call may have reached the server.
    pub async fn call(
        &self,
        address: &str,
        command: Command,
        timeout: Duration,
    ) -> Result<Command, CallError> {
        self.membership.cluster.call_raw(address, command, timeout).await
    }

    /// Stops heartbeats and closes every connection. Producers and consumers of this client fail afterwards, so shut
    /// them down first: they still have something to tell the brokers.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// client.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// A cancelled shutdown may leave connections open; call it again.
    pub async fn shutdown(&self) {
        self.membership.cluster.shutdown().await;
    }
}

impl Producer {
    /// Returns the client that the producer sends through.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = producer.client().push_consumer("billing");
    /// # drop(consumer);
    /// # Ok(())
    /// # }
    /// ```
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
