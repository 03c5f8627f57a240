//! Subscriptions, in the application's form and in the brokers' form.

use std::collections::BTreeMap;
use std::sync::Arc;

use rocketmq_remoting::DecodeError;
use rocketmq_remoting::body::CheckClientConfigBody;
use rocketmq_remoting::subscription::SubscriptionData;

use super::calls::Calls;
use crate::cluster::Cluster;
use crate::cluster::route::Purpose;
use crate::error::{RouteErrorKind, StartError, StartErrorKind};
use crate::messages::validate;

/// Subscriptions by topic, which is named as on the wire.
pub(crate) type ByTopic = BTreeMap<String, Arc<SubscriptionData>>;

/// Chooses among the messages of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Those with one of the tags of an expression.
    Tags(String),
    /// Those that fulfil a condition.
    Sql(String),
}

impl Filter {
    /// Makes the subscription of a topic, which is named as on the wire.
    pub(crate) fn of(&self, topic: &str) -> Result<SubscriptionData, DecodeError> {
        match self {
            Filter::Tags(expression) => SubscriptionData::parse(topic, expression),
            Filter::Sql(condition) => SubscriptionData::sql92(topic, condition),
        }
    }
}

/// The topics of a consumer to be; the last word about each counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subscriptions(Vec<(String, Filter)>);

impl Subscriptions {
    pub(crate) fn put(&mut self, topic: impl Into<String>, filter: Filter) {
        let topic = topic.into();
        self.0.retain(|(known, _)| *known != topic);
        self.0.push((topic, filter));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Does the same as [`parse`](Self::parse) for a group that must subscribe to something.
    pub(crate) fn parse_some(&self, cluster: &Cluster, group: &str) -> Result<ByTopic, StartError> {
        if self.is_empty() {
            return Err(invalid(format!("group \"{group}\" subscribes to no topic: call subscribe")));
        }
        self.parse(cluster)
    }

    /// Checks names and expressions.
    pub(crate) fn parse(&self, cluster: &Cluster) -> Result<ByTopic, StartError> {
        let parsed = self.0.iter().map(|(topic, filter)| {
            let data = parse(cluster, topic, filter)?;
            Ok((data.topic.clone(), Arc::new(data)))
        });
        parsed.collect()
    }
}

/// Checks one, and dates it: brokers keep the youngest version.
pub(crate) fn parse(cluster: &Cluster, topic: &str, filter: &Filter) -> Result<SubscriptionData, StartError> {
    let topic = cluster.names.wrap(topic);
    validate::topic(&topic).map_err(invalid)?;
    let data = filter.of(&topic).map_err(|error| invalid(error.to_string()))?;
    Ok(data.with_version(cluster.now_ms()))
}

pub(crate) fn invalid(text: String) -> StartError {
    StartError::new(StartErrorKind::InvalidConfig, text)
}

impl Calls {
    /// Prepares subscriptions before the first pull: looks up the routes, and lets a broker check the filters.
    pub(crate) async fn prepare(&self, subscriptions: &ByTopic) -> Result<(), StartError> {
        for (topic, data) in subscriptions {
            self.look_up(topic).await?;
            self.check_filter(data).await?;
        }
        Ok(())
    }

    async fn look_up(&self, topic: &str) -> Result<(), StartError> {
        match self.cluster.topic(topic, Purpose::Read, None).await {
            // The rebalancer looks for it again, and tells.
            Err(error) if error.kind() == RouteErrorKind::TopicNotFound => Ok(()),
            Err(error) => Err(error.map_kind(|_| StartErrorKind::NoRoute)),
            Ok(_) => Ok(()),
        }
    }

    /// Lets a broker check an SQL92 condition. A tag expression is always fine.
    async fn check_filter(&self, data: &SubscriptionData) -> Result<(), StartError> {
        let broker = self.cluster.brokers_of(&data.topic).into_iter().next();
        let Some((_, address)) = broker.filter(|_| !data.is_tag()) else { return Ok(()) };
        let body = CheckClientConfigBody {
            client_id: self.cluster.client_id.clone(),
            group: self.group.clone(),
            namespace: self.cluster.config.namespace_v2.clone(),
            subscription_data: data.clone(),
        };
        let checked = self.check_config(&address, body).await;
        checked.map_err(|error| error.map_kind(|_| StartErrorKind::Refused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_about_a_topic_counts() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.put("t", Filter::Tags("a".into()));
        subscriptions.put("u", Filter::Tags("*".into()));
        subscriptions.put("t", Filter::Sql("b > 1".into()));
        let known: Vec<_> = subscriptions.0.iter().map(|(topic, _)| topic.as_str()).collect();
        assert_eq!(known, ["u", "t"]);
        assert_eq!(subscriptions.0[1].1, Filter::Sql("b > 1".into()));
    }
}
