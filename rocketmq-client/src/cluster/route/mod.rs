//! Which brokers hold a topic, and how the client finds out.

use std::sync::Arc;

use futures_util::future::join_all;
use rocketmq_remoting::names::TEMPLATE_TOPIC;
use rocketmq_remoting::requests::route::GetClusterInfoRequest;
use rocketmq_remoting::route::{ClusterInfo, MessageQueue};
use rocketmq_remoting::{Command, Request as _, ResponseCode, fastjson};

use crate::client::Inner;
use crate::error::{RouteError, RouteErrorKind};

pub(crate) mod discovery;
pub(crate) mod logical;
pub(crate) mod resolver;
pub(crate) mod single_flight;
pub(crate) mod table;

use table::TopicInfo;

/// What a lookup ends with; `None`: no such topic.
pub(crate) type Lookup = Result<Option<Arc<TopicInfo>>, RouteError>;

/// Topics are named here as they are on the wire.
impl Inner {
    /// What is known about a topic, asking a name server only if nothing is.
    pub(crate) async fn topic_info(&self, topic: &str) -> Result<Arc<TopicInfo>, RouteError> {
        if let Some(info) = self.routes.topic(topic).filter(|info| !info.provisional) {
            return Ok(info);
        }
        self.refresh_topic(topic).await?.ok_or_else(|| not_found(topic))
    }

    /// Where to send: the topic's route, or, for a topic that does not exist, that of the template.
    pub(crate) async fn publish_info(&self, topic: &str, queues: i32) -> Result<Arc<TopicInfo>, RouteError> {
        if let Some(info) = self.routes.topic(topic).filter(|info| !info.publish.is_empty()) {
            return Ok(info);
        }
        // No topic's name holds a '+', so this question has a key of its own.
        let found = self.lookups.run(&format!("+{topic}"), self.find_or_invent(topic, queues)).await?;
        found.ok_or_else(|| not_found(topic))
    }

    async fn find_or_invent(&self, topic: &str, queues: i32) -> Lookup {
        if let Some(info) = self.refresh_topic(topic).await? {
            return Ok(Some(info));
        }
        let template = self.resolver.route(&self.rpc, TEMPLATE_TOPIC, self.config.api_timeout).await?;
        let invented = template.map(|template| TopicInfo::provisional(topic, template, queues));
        Ok(invented.map(|info| self.routes.apply(topic, info).0))
    }

    /// Asks a name server, once for all who want to know at this moment.
    pub(crate) async fn refresh_topic(&self, topic: &str) -> Lookup {
        self.lookups.run(topic, self.ask(topic)).await
    }

    /// A topic the name servers do not know keeps the route it had: a name server that has just started
    /// knows nothing for a while.
    async fn ask(&self, topic: &str) -> Lookup {
        let budget = self.config.api_timeout;
        let Some(route) = self.resolver.route(&self.rpc, topic, budget).await? else { return Ok(None) };
        let (info, changed) = self.routes.apply(topic, TopicInfo::new(topic, route));
        if changed {
            tracing::debug!(topic, generation = info.generation, "route changed");
            self.members.consumers().iter().for_each(|consumer| consumer.rebalance_soon());
        }
        Ok(Some(info))
    }

    /// Tells a topic that is on no broker from name servers that know no broker at all.
    pub(crate) async fn explained(&self, error: RouteError) -> RouteError {
        let no_topic = error.kind() == RouteErrorKind::TopicNotFound;
        match no_topic && self.knows_no_broker().await {
            false => error,
            true => RouteError::new(
                RouteErrorKind::NoBroker,
                format!(
                    "{} answers; start a broker whose `namesrvAddr` names it",
                    self.resolver.servers().join(";")
                ),
            ),
        }
    }

    /// Of all name servers that answer.
    async fn knows_no_broker(&self) -> bool {
        let Ok(command) = (GetClusterInfoRequest {}).to_command() else { return false };
        let brokers = |answer: &Command| {
            let known = fastjson::from_slice::<ClusterInfo>(&answer.body).ok()?;
            (answer.response_code() == ResponseCode::SUCCESS).then_some(known.broker_addr_table.len())
        };
        let knows_some = |answer: &Command| brokers(answer).is_some_and(|count| count > 0);
        let answer = self.resolver.call(&self.rpc, command, self.config.api_timeout, knows_some).await;
        answer.is_ok_and(|(_, answer)| brokers(&answer) == Some(0))
    }

    /// Asks again about every topic in use. One failure does not keep the others from being asked.
    pub(crate) async fn refresh_routes(&self) {
        let mut topics = self.members.topics();
        topics.extend(self.routes.load().topics().map(|(topic, _)| topic.clone()));
        topics.sort_unstable();
        topics.dedup();
        let lookups = topics.iter().map(|topic| async move {
            if let Err(error) = self.refresh_topic(topic).await {
                tracing::warn!(topic, %error, "route not refreshed");
            }
        });
        join_all(lookups).await;
    }

    /// The master of the broker that holds a queue, as [`master_of`](Self::master_of) looks for it.
    pub(crate) async fn master_for(&self, queue: &MessageQueue) -> Option<String> {
        let broker = self.home(queue);
        self.master_of(&broker, &queue.topic).await
    }

    /// The broker that holds a queue.
    pub(crate) fn home(&self, queue: &MessageQueue) -> String {
        self.routes.load().home(queue).to_owned()
    }

    /// The master of a broker, asking for the topic's route once if the broker is not known.
    pub(crate) async fn master_of(&self, broker: &str, topic: &str) -> Option<String> {
        let known = || self.routes.load().master(broker).map(str::to_owned);
        match known() {
            Some(address) => Some(address),
            None => {
                // The lookup's own failure is logged where it matters; here only the address counts.
                let _ = self.refresh_topic(topic).await;
                known()
            }
        }
    }
}

fn not_found(topic: &str) -> RouteError {
    RouteError::new(
        RouteErrorKind::TopicNotFound,
        format!(
            "\"{topic}\" is on no broker and brokers may not create it; create it with `mqadmin updateTopic`, \
             or start a broker with autoCreateTopicEnable=true"
        ),
    )
}
