//! The cluster of a test.

use std::time::Duration;

use rocketmq_client::remoting::body::{MessageRequestMode, MessageRequestModeBody};
use rocketmq_client::remoting::requests::route::GetClusterInfoRequest;
use rocketmq_client::remoting::requests::topic::UpdateTopicRequest;
use rocketmq_client::remoting::route::{BrokerData, ClusterInfo};
use rocketmq_client::remoting::{Command, Request, RequestCode, ResponseCode, fastjson};
use rocketmq_client::{Client, MessageQueue, PullConsumer};
use rocketmq_server::{Embedded, EmbeddedError};

use crate::wait::{PATIENCE, POLL, eventually};
use crate::{TestResult, unique_group, unique_topic};

/// Permission to read and to write.
const PERM: i32 = 6;
/// Number of steps in which time passes on the embedded cluster. They are small, so that nothing reacts to a jump.
const STEPS: u32 = 20;

/// Features that some versions of Apache RocketMQ lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Timer messages, due at any millisecond, and their recall.
    Timers,
    /// POP.
    Pop,
    /// The reset of a group's queue to an offset.
    ResetToOffset,
    /// Topics that store a batch as one record.
    InnerBatches,
    /// The region among the properties of a stored message. Without it no handling of the message is traced.
    StoredRegion,
}

/// The cluster under test.
#[derive(Debug)]
pub enum Cluster {
    /// This project's name server and broker, in this process and for this test alone.
    Embedded(Embedded),
    /// A running Apache RocketMQ. Tests share it; each has topics and groups of its own.
    Apache {
        /// Addresses of the name servers.
        name_server: String,
        /// The version, such as `4.9.7`.
        version: String,
    },
}

impl Cluster {
    /// Starts an embedded cluster, or uses Apache's if the environment names one.
    pub async fn start() -> Result<Self, EmbeddedError> {
        match Self::apache() {
            Some(apache) => Ok(apache),
            None => Self::embedded().await,
        }
    }

    /// Starts an embedded cluster with SQL92 filters and recall, like the one of `tests/interop/apache`.
    pub async fn embedded() -> Result<Self, EmbeddedError> {
        let builder = Embedded::builder().set("enablePropertyFilter", true).set("recallMessageEnable", true);
        builder.start().await.map(Self::Embedded)
    }

    /// Returns the cluster at `ROCKETMQ_NAMESRV`, of version `ROCKETMQ_VERSION` (5.4.0 by default).
    pub fn apache() -> Option<Self> {
        let name_server = std::env::var("ROCKETMQ_NAMESRV").ok()?;
        let version = std::env::var("ROCKETMQ_VERSION").unwrap_or_else(|_| "5.4.0".into());
        Some(Self::Apache { name_server, version })
    }

    /// Returns the addresses for clients.
    pub fn name_server(&self) -> String {
        match self {
            Self::Embedded(embedded) => embedded.name_server(),
            Self::Apache { name_server, .. } => name_server.clone(),
        }
    }

    /// Returns true for Apache RocketMQ 4.x.
    pub fn is_4x(&self) -> bool {
        matches!(self, Self::Apache { version, .. } if version.starts_with("4."))
    }

    /// Returns true if the cluster has `feature`. Otherwise it prints why the test is skipped.
    pub fn has(&self, feature: Feature) -> bool {
        match self {
            Self::Embedded(_) if feature == Feature::InnerBatches => {
                println!("skipped: our broker has no {feature:?}");
                false
            }
            Self::Apache { version, .. } if version.starts_with("4.") => {
                println!("skipped: Apache RocketMQ {version} has no {feature:?}");
                false
            }
            _ => true,
        }
    }

    /// Connects a new client, with its own connections and id.
    pub async fn client(&self) -> TestResult<Client> {
        Ok(rocketmq_client::connect(self.name_server()).await?)
    }

    /// Creates a new topic with this number of queues, and waits until name server and broker know it.
    pub async fn topic(&self, client: &Client, queues: i32) -> TestResult<String> {
        let topic = unique_topic();
        self.topic_named(client, &topic, queues).await?;
        Ok(topic)
    }

    /// Does the same as [`topic`](Self::topic) for a given name. The client must have no namespace.
    pub async fn topic_named(&self, client: &Client, topic: &str, queues: i32) -> TestResult {
        self.topic_with(client, topic, queues, None).await
    }

    /// Does the same as [`topic_named`](Self::topic_named) with attributes of 5.x, `+key=value,-key`.
    pub(crate) async fn topic_with(
        &self,
        client: &Client,
        topic: &str,
        queues: i32,
        attributes: Option<&str>,
    ) -> TestResult {
        let brokers = self.brokers(client).await?;
        for broker in &brokers {
            let address = broker.master().ok_or("a broker without a master")?;
            create(client, address, topic, queues, attributes).await?;
        }
        eventually("the route of a new topic", PATIENCE, async || {
            client.route(topic).await.is_ok_and(|route| route.queue_datas.len() == brokers.len())
        })
        .await;
        Ok(())
    }

    async fn brokers(&self, client: &Client) -> TestResult<Vec<BrokerData>> {
        let name_servers = client.name_servers();
        let name_server = name_servers.first().ok_or("no name server")?;
        let answer = client.call(name_server, GetClusterInfoRequest {}.to_command()?, PATIENCE).await?;
        let info: ClusterInfo = fastjson::from_slice(&answer.body)?;
        Ok(info.broker_addr_table.into_values().collect())
    }

    /// Changes the number of a topic's queues.
    pub async fn resize(&self, client: &Client, topic: &str, queues: i32) -> TestResult {
        for broker in &client.route(topic).await?.broker_datas {
            create(client, broker.master().ok_or("a broker without a master")?, topic, queues, None).await?;
        }
        Ok(())
    }

    /// Lets `span` pass on the cluster. Moves its clock if possible, and waits otherwise.
    pub async fn pass(&self, span: Duration) {
        match self {
            Self::Embedded(embedded) => {
                for _ in 0..STEPS {
                    embedded.advance(span / STEPS);
                    tokio::time::sleep(POLL).await;
                }
            }
            Self::Apache { .. } => tokio::time::sleep(span).await,
        }
    }

    /// Waits for a condition while `span` passes on the cluster, like [`pass`](Self::pass).
    ///
    /// # Panics
    /// Panics if the condition does not become true.
    pub async fn later(&self, span: Duration, what: &str, is_so: impl AsyncFnMut() -> bool) {
        tokio::join!(self.pass(span), eventually(what, span + PATIENCE, is_so));
    }
}

/// Sends a request to the topic's broker, and returns the answer.
pub async fn ask(client: &Client, topic: &str, request: &impl Request) -> TestResult<Command> {
    send_to_broker(client, topic, request.to_command()?).await
}

/// Lets the broker serve a group's queues of a topic by POP.
///
/// # Errors
/// Fails if the broker does not answer, or refuses.
pub async fn serve_by_pop(client: &Client, topic: &str, group: &str) -> TestResult {
    let mode = MessageRequestModeBody {
        topic: topic.to_owned(),
        consumer_group: group.to_owned(),
        mode: MessageRequestMode::Pop,
        ..MessageRequestModeBody::default()
    };
    let command = Command::request(RequestCode::SET_MESSAGE_REQUEST_MODE);
    send_to_broker(client, topic, command.with_body(fastjson::to_vec(&mode)?)).await.map(drop)
}

/// Does the same as [`ask`] for a request without a type.
pub(crate) async fn send_to_broker(client: &Client, topic: &str, command: Command) -> TestResult<Command> {
    let route = client.route(topic).await?;
    let address = route.broker_datas.first().and_then(|broker| broker.master()).ok_or("no master")?;
    let answer = client.call(address, command, PATIENCE).await?;
    match answer.response_code() {
        ResponseCode::SUCCESS => Ok(answer),
        code => Err(format!("{address} answers {code}: {:?}", answer.remark).into()),
    }
}

async fn create(
    client: &Client,
    broker: &str,
    topic: &str,
    queues: i32,
    attributes: Option<&str>,
) -> TestResult {
    let request = UpdateTopicRequest {
        topic: topic.to_owned(),
        default_topic: "TBW102".into(),
        read_queue_nums: queues,
        write_queue_nums: queues,
        perm: PERM,
        topic_filter_type: "SINGLE_TAG".into(),
        topic_sys_flag: Some(0),
        attributes: attributes.map(str::to_owned),
        ..UpdateTopicRequest::default()
    };
    let answer = client.call(broker, request.to_command()?, PATIENCE).await?;
    match answer.response_code() {
        ResponseCode::SUCCESS => Ok(()),
        code => Err(format!("{broker} does not make topic {topic}: {code} {:?}", answer.remark).into()),
    }
}

/// Returns the queues of a topic, with a consumer outside every group, to look at stored messages.
pub async fn queues(client: &Client, topic: &str) -> TestResult<(PullConsumer, Vec<MessageQueue>)> {
    let reader = client.pull_consumer(unique_group()).build().await?;
    let queues = reader.queues(topic).await?;
    Ok((reader, queues))
}
