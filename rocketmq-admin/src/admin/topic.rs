//! Topics: names, routes, bounds of queues.

use rocketmq_remoting::body::TopicStatsTable;
use rocketmq_remoting::requests::route::{GetAllTopicListRequest, GetRouteInfoRequest};
use rocketmq_remoting::requests::topic::{GetTopicStatsInfoRequest, QueryTopicConsumeByWhoRequest};
use rocketmq_remoting::route::{BrokerData, TopicRoute};
use rocketmq_remoting::{Json, ResponseCode};

use super::Admin;
use crate::failure::Failure;

impl Admin {
    /// Lists all topics, in the order of the name server.
    ///
    /// # Errors
    /// No name server answers.
    pub async fn topics(&self) -> Result<Vec<String>, Failure> {
        let Json(list) = self.ask_name_server(&GetAllTopicListRequest {}).await?;
        Ok(list.topic_list)
    }

    /// Asks for the brokers and queues of a topic.
    ///
    /// # Errors
    /// There is no such topic, or no name server answers.
    pub async fn route(&self, topic: &str) -> Result<TopicRoute, Failure> {
        let request = GetRouteInfoRequest { topic: topic.to_owned(), accept_standard_json_only: Some(true) };
        match self.ask_name_server(&request).await {
            Err(error) if error.is(ResponseCode::TOPIC_NOT_EXIST) => {
                let code = error.code;
                let text = format!("there is no topic \"{topic}\"");
                Err(Failure {
                    code,
                    ..Failure::refused(text).with_remedy("`mqadmin topicList` lists the topics")
                })
            }
            answer => Ok(answer?.route),
        }
    }

    /// Lists for each broker name of a topic one address: that of the master where there is one.
    ///
    /// # Errors
    /// As [`route`](Self::route).
    pub async fn homes(&self, topic: &str) -> Result<Vec<(String, String)>, Failure> {
        Ok(addresses(&self.route(topic).await?.broker_datas))
    }

    /// Asks one broker for the bounds of a topic's queues.
    ///
    /// # Errors
    /// The broker does not answer, or has no such topic.
    pub async fn topic_stats(&self, address: &str, topic: &str) -> Result<TopicStatsTable, Failure> {
        let Json(stats) =
            self.call(address, &GetTopicStatsInfoRequest { topic: topic.to_owned() }, ()).await?;
        Ok(stats)
    }

    /// Asks a broker of the topic for the groups that consume it.
    ///
    /// # Errors
    /// There is no such topic, or its broker does not answer.
    pub async fn groups_of(&self, topic: &str) -> Result<Vec<String>, Failure> {
        let Some((_, address)) = self.homes(topic).await?.into_iter().next() else { return Ok(Vec::new()) };
        let request = QueryTopicConsumeByWhoRequest { topic: topic.to_owned() };
        let Json(groups) = self.call(&address, &request, ()).await?;
        Ok(groups.group_list)
    }
}

pub(crate) fn addresses(brokers: &[BrokerData]) -> Vec<(String, String)> {
    let of_each =
        brokers.iter().filter_map(|broker| Some((broker.broker_name.clone(), broker.any()?.to_owned())));
    of_each.collect()
}
