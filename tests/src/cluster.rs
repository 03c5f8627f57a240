//! The cluster a test runs on.

use std::time::Duration;

use rocketmq_client::remoting::body::{MessageRequestMode, MessageRequestModeBody};
use rocketmq_client::remoting::requests::topic::UpdateTopicRequest;
use rocketmq_client::remoting::{Command, Request, RequestCode, ResponseCode, fastjson};
use rocketmq_client::{Client, MessageQueue, PullConsumer};
use rocketmq_server::{Embedded, EmbeddedError};

use crate::wait::{PATIENCE, POLL, eventually};
use crate::{TestResult, unique_group, unique_topic};

/// Readable and writable.
const PERM: i32 = 6;
/// Steps in which a span of time passes on the embedded cluster: small enough that nobody notices a jump.
const STEPS: u32 = 20;

/// What not every version of Apache RocketMQ has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Messages delivered at any millisecond, and their recall.
    Timers,
    /// Messages handed out for a time.
    Pop,
    /// Resetting a queue of a group to an offset.
    ResetToOffset,
    /// Topics in which a batch is stored as one record.
    InnerBatches,
    /// The region among a stored message's properties, without which no handling of it is traced.
    StoredRegion,
}

/// Where a test runs.
#[derive(Debug)]
pub enum Cluster {
    /// This project's own name server and broker, in this process, for this test alone.
    Embedded(Embedded),
    /// A running Apache RocketMQ that tests share; each has topics and groups of its own.
    Apache {
        /// Its name servers.
        name_server: String,
        /// Its version, such as `4.9.7`.
        version: String,
    },
}

impl Cluster {
    /// A new embedded cluster, or Apache's where the environment names one.
    pub async fn start() -> Result<Self, EmbeddedError> {
        match Self::apache() {
            Some(apache) => Ok(apache),
            None => Self::embedded().await,
        }
    }

    /// A new embedded cluster that filters by SQL and recalls messages, as `tests/interop/apache` starts Apache's.
    pub async fn embedded() -> Result<Self, EmbeddedError> {
        let builder = Embedded::builder().set("enablePropertyFilter", true).set("recallMessageEnable", true);
        builder.start().await.map(Self::Embedded)
    }

    /// The cluster at `ROCKETMQ_NAMESRV`, of version `ROCKETMQ_VERSION` (default: 5.4.0).
    pub fn apache() -> Option<Self> {
        let name_server = std::env::var("ROCKETMQ_NAMESRV").ok()?;
        let version = std::env::var("ROCKETMQ_VERSION").unwrap_or_else(|_| "5.4.0".into());
        Some(Self::Apache { name_server, version })
    }

    /// What clients connect to.
    pub fn name_server(&self) -> String {
        match self {
            Self::Embedded(embedded) => embedded.name_server(),
            Self::Apache { name_server, .. } => name_server.clone(),
        }
    }

    /// Whether this is Apache RocketMQ 4.x.
    pub fn is_4x(&self) -> bool {
        matches!(self, Self::Apache { version, .. } if version.starts_with("4."))
    }

    /// Whether the cluster has `feature`; says why not.
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

    /// A client of its own connections and client id.
    pub async fn client(&self) -> TestResult<Client> {
        Ok(rocketmq_client::connect(self.name_server()).await?)
    }

    /// A new topic of so many queues that name server and broker both know.
    pub async fn topic(&self, client: &Client, queues: i32) -> TestResult<String> {
        let topic = unique_topic();
        self.topic_named(client, &topic, queues).await?;
        Ok(topic)
    }

    /// [`topic`](Self::topic) of a given name, by a client without a namespace.
    pub async fn topic_named(&self, client: &Client, topic: &str, queues: i32) -> TestResult {
        self.topic_with(client, topic, queues, None).await
    }

    /// [`topic`](Self::topic_named) with attributes of 5.x, `+key=value,-key`.
    pub(crate) async fn topic_with(
        &self,
        client: &Client,
        topic: &str,
        queues: i32,
        attributes: Option<&str>,
    ) -> TestResult {
        let brokers = client.route("TBW102").await?.broker_datas;
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

    /// Gives a topic so many queues.
    pub async fn resize(&self, client: &Client, topic: &str, queues: i32) -> TestResult {
        for broker in &client.route(topic).await?.broker_datas {
            create(client, broker.master().ok_or("a broker without a master")?, topic, queues, None).await?;
        }
        Ok(())
    }

    /// Lets `span` pass on the cluster: its clock is moved where that can be done, waited for where not.
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

    /// Waits for what comes about by the time `span` has passed on the cluster, as [`pass`](Self::pass) lets it.
    ///
    /// # Panics
    /// When it does not come about.
    pub async fn later(&self, span: Duration, what: &str, is_so: impl AsyncFnMut() -> bool) {
        tokio::join!(self.pass(span), eventually(what, span + PATIENCE, is_so));
    }
}

/// What a topic's broker answers.
pub(crate) async fn ask(client: &Client, topic: &str, request: &impl Request) -> TestResult<Command> {
    send_to_broker(client, topic, request.to_command()?).await
}

/// Has the broker serve a group's queues of a topic by POP.
///
/// # Errors
/// It does not answer, or refuses.
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

/// [`ask`] for requests without a type.
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

/// The queues of a topic as an outsider sees them, to look at what is stored.
pub(crate) async fn queues(client: &Client, topic: &str) -> TestResult<(PullConsumer, Vec<MessageQueue>)> {
    let reader = client.pull_consumer(unique_group()).build().await?;
    let queues = reader.queues(topic).await?;
    Ok((reader, queues))
}
