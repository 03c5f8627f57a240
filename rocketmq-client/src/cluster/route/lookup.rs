//! Topics by name: from the cache, else from a name server.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rocketmq_remoting::Json;
use rocketmq_remoting::names::TEMPLATE_TOPIC;
use rocketmq_remoting::requests::route::GetClusterInfoRequest;
use rocketmq_remoting::route::ClusterInfo;
use tokio::time::timeout_at;

use super::table::{Lookup, TopicInfo};
use crate::clock::Instant;
use crate::cluster::Cluster;
use crate::error::{RouteError, RouteErrorKind};

/// The purpose of a lookup.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// To read it, which takes a topic that exists.
    Read,
    /// To send to it. A topic that does not exist has the queues a broker would give it, at most so many.
    Write { queues: i32 },
}

impl Purpose {
    fn is_met_by(self, info: &TopicInfo) -> bool {
        match self {
            Self::Read => !info.provisional,
            Self::Write { .. } => !info.publish.is_empty(),
        }
    }
}

/// Topics are named here as they are on the wire.
impl Cluster {
    /// Finds the route of a topic. It asks a name server only if the cache is not enough, until `deadline` at most.
    pub(crate) async fn topic(
        &self,
        topic: &str,
        purpose: Purpose,
        deadline: Option<Instant>,
    ) -> Result<Arc<TopicInfo>, RouteError> {
        if let Some(info) = self.known(topic).filter(|info| purpose.is_met_by(info)) {
            return Ok(info);
        }
        // No topic's name holds a '+', so the question of a sender has a key of its own.
        let found = match purpose {
            Purpose::Read => self.refresh_topic(topic),
            Purpose::Write { queues } => {
                self.lookups.run(format!("+{topic}"), self.find_or_invent(topic, queues))
            }
        };
        let found = match deadline {
            Some(deadline) => {
                timeout_at(deadline, found).await.unwrap_or_else(|_| Err(took_too_long(topic)))?
            }
            None => found.await?,
        };
        found.ok_or_else(|| not_found(topic))
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

    /// Tells whether no name server that answers knows a broker.
    async fn knows_no_broker(&self) -> bool {
        let knows_some = |answer: &Result<Json<ClusterInfo>, RouteError>| {
            answer.as_ref().is_ok_and(|Json(cluster)| !cluster.broker_addr_table.is_empty())
        };
        let limit = self.config.api_timeout;
        let asked = self.resolver.ask(&self.rpc, &GetClusterInfoRequest {}, "", limit, knows_some);
        asked.await.is_ok_and(|Json(cluster)| cluster.broker_addr_table.is_empty())
    }

    /// Looks a topic up in the cache.
    pub(crate) fn known(&self, topic: &str) -> Option<Arc<TopicInfo>> {
        self.routes.load().topic(topic).cloned()
    }

    /// Asks for the topic's route, or, for a topic that does not exist, that of the template.
    async fn find_or_invent(&self, topic: &str, queues: i32) -> Lookup {
        if let Some(info) = self.refresh_topic(topic).await? {
            return Ok(Some(info));
        }
        let template = self.resolver.route(&self.rpc, TEMPLATE_TOPIC, self.config.api_timeout).await?;
        let invented = template.map(|template| TopicInfo::provisional(topic, template, queues));
        Ok(invented.map(|info| self.routes.apply(topic, info).0))
    }

    /// Asks a name server, once for all who want to know at this moment.
    pub(crate) fn refresh_topic<'a>(&'a self, topic: &'a str) -> BoxFuture<'a, Lookup> {
        self.lookups.run(topic.to_owned(), self.ask(topic))
    }

    /// Asks for a topic's route. An unknown topic keeps the route it had: a name server that has just started
    /// knows nothing for a while.
    async fn ask(&self, topic: &str) -> Lookup {
        let budget = self.config.api_timeout;
        let asked = self.resolver.route(&self.rpc, topic, budget).await;
        self.note(asked.as_ref().err());
        let Some(route) = asked? else { return Ok(None) };
        let (info, changed) = self.routes.apply(topic, TopicInfo::new(topic, route));
        if changed {
            tracing::debug!(topic, generation = info.generation, "route changed");
            if let Some(observer) = self.observer.upgrade() {
                observer.route_changed();
            }
        }
        Ok(Some(info))
    }

    /// Notes whether a name server answered. Those who read on with the routes they have show it.
    fn note(&self, error: Option<&RouteError>) {
        let now = self.config.clock.now();
        *self.unanswered.lock() = error.filter(is_unanswered).map(|error| (error.to_string(), now));
    }
}

fn is_unanswered(error: &&RouteError) -> bool {
    !matches!(error.kind(), RouteErrorKind::Refused | RouteErrorKind::Malformed)
}

fn took_too_long(topic: &str) -> RouteError {
    RouteError::new(RouteErrorKind::Timeout, format!("looking up the route of {topic}"))
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
