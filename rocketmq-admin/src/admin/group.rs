//! Consumer groups: progress and members.

use rocketmq_remoting::body::{ConsumeStats, ConsumerConnection, MessageModel};
use rocketmq_remoting::requests::group::{GetConsumeStatsRequest, GetConsumerConnectionListRequest};
use rocketmq_remoting::{Json, ResponseCode, names};

use super::Admin;
use crate::failure::Failure;

impl Admin {
    /// Asks for the progress of a group in one topic, or in all its topics. `via` is a further topic by whose route the
    /// brokers are found, such as the name of a cluster.
    ///
    /// # Errors
    /// No broker has met the group, it has consumed nothing yet, or a broker does not answer.
    pub async fn consume_stats(
        &self,
        group: &str,
        topic: Option<&str>,
        via: Option<&str>,
    ) -> Result<ConsumeStats, Failure> {
        let request = GetConsumeStatsRequest {
            consumer_group: group.to_owned(),
            topic: Some(topic.unwrap_or_default().to_owned()),
            topic_list: None,
        };
        let mut progress = ConsumeStats::default();
        for (_, address) in self.homes_of_group(group, topic, via).await? {
            let Json(part) = self.call_long(3, &address, &request, ()).await?;
            progress.offset_table.extend(part.offset_table);
            progress.consume_tps += part.consume_tps;
        }
        match progress.offset_table.is_empty() {
            true => self.why_no_progress(group).await.map(|()| progress),
            false => Ok(progress),
        }
    }

    async fn homes_of_group(
        &self,
        group: &str,
        topic: Option<&str>,
        via: Option<&str>,
    ) -> Result<Vec<(String, String)>, Failure> {
        let retry = names::retry_topic(group);
        let pop_retry = topic.map(|topic| names::pop_retry_topic_v1(group, topic));
        let further = [topic, pop_retry.as_deref(), via].into_iter().flatten();
        let mut found = self.homes(&retry).await;
        for topic in further {
            if found.is_ok() {
                break;
            }
            found = self.homes(topic).await;
        }
        found.map_err(|error| match error.is(ResponseCode::TOPIC_NOT_EXIST) {
            true => unmet(group),
            false => error,
        })
    }

    /// A group without offsets is fine only while members of it run and share the messages.
    async fn why_no_progress(&self, group: &str) -> Result<(), Failure> {
        match self.members(group).await {
            Ok(members) if members.message_model == MessageModel::Broadcasting => {
                Err(Failure::refused(format!(
                    "brokers have no offsets of group \"{group}\": its members broadcast, and keep their own"
                )))
            }
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::refused(format!(
                "group \"{group}\" has consumed nothing, and no member is online"
            ))
            .with_remedy("start a member of the group, or check its name")),
        }
    }

    /// Asks the brokers of a group in turn for its members.
    ///
    /// # Errors
    /// No broker has met the group, or none knows a member.
    pub async fn members(&self, group: &str) -> Result<ConsumerConnection, Failure> {
        let homes = self.homes_of_group(group, None, None).await?;
        let mut failure = unmet(group);
        for (_, address) in homes {
            match self.members_at(&address, group).await {
                Ok(members) => return Ok(members),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Asks one broker for the members of a group.
    ///
    /// # Errors
    /// The broker does not answer, or knows no member.
    pub async fn members_at(&self, address: &str, group: &str) -> Result<ConsumerConnection, Failure> {
        let request = GetConsumerConnectionListRequest { consumer_group: group.to_owned() };
        let Json(members) = self.call(address, &request, ()).await?;
        match members.connection_set.is_empty() {
            true => Err(Failure::refused(format!("no member of group \"{group}\" is online"))),
            false => Ok(members),
        }
    }
}

fn unmet(group: &str) -> Failure {
    Failure::refused(format!("no broker has met group \"{group}\""))
        .with_remedy("`mqadmin consumerProgress` lists the groups")
}
