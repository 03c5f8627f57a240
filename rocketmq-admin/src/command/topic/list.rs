//! `topicList`: the names of all topics.

use std::fmt;

use clap::Args;
use rocketmq_remoting::names;
use rocketmq_remoting::route::ClusterInfo;
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;
use crate::text::front;

/// List the topics of the name server
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin topicList -n 127.0.0.1:9876 -c")]
pub struct TopicList {
    /// Show cluster and consumer groups of each topic, and leave retry and dead letter topics out
    #[arg(short = 'c', long = "clusterModel")]
    pub cluster_model: bool,
}

reports!(TopicList);

impl TopicList {
    /// Lists the topics.
    ///
    /// # Errors
    /// No name server answers.
    pub async fn report(&self, admin: &Admin) -> Result<TopicNames, Failure> {
        let topics = admin.topics().await?;
        if !self.cluster_model {
            return Ok(TopicNames::Plain { topics });
        }
        let (info, mut rows) = (admin.cluster_info().await?, Vec::new());
        for topic in topics.into_iter().filter(|topic| !names::is_retry(topic) && !names::is_dlq(topic)) {
            rows.extend(rows_of(admin, &info, topic).await);
        }
        Ok(TopicNames::Clusters { rows })
    }
}

/// A topic that has just been deleted keeps its row.
async fn rows_of(admin: &Admin, info: &ClusterInfo, topic: String) -> Vec<TopicGroup> {
    let broker = admin.homes(&topic).await.ok().and_then(|homes| homes.into_iter().next());
    let owner =
        broker.and_then(|(name, _)| info.cluster_addr_table.iter().find(|(_, names)| names.contains(&name)));
    let cluster = owner.map(|(cluster, _)| cluster.clone()).unwrap_or_default();
    let mut groups = admin.groups_of(&topic).await.unwrap_or_default();
    if groups.is_empty() {
        groups.push(String::new());
    }
    let row = |group| TopicGroup { cluster: cluster.clone(), topic: topic.clone(), group };
    groups.into_iter().map(row).collect()
}

/// The topics of a name server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the fields are what they are called")]
pub enum TopicNames {
    Plain { topics: Vec<String> },
    Clusters { rows: Vec<TopicGroup> },
}

/// A topic and one of the groups that consume it; the group is empty when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are what they are called")]
pub struct TopicGroup {
    pub cluster: String,
    pub topic: String,
    pub group: String,
}

impl fmt::Display for TopicNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain { topics } => topics.iter().try_for_each(|topic| writeln!(f, "{topic}")),
            Self::Clusters { rows } => {
                writeln!(f, "{:<20}  {:<48}  {:<48}", "#Cluster Name", "#Topic", "#Consumer Group")?;
                rows.iter().try_for_each(|row| {
                    let (cluster, topic) = (front(&row.cluster, 20), front(&row.topic, 64));
                    writeln!(f, "{cluster:<20}  {topic:<64}  {:<64}", front(&row.group, 64))
                })
            }
        }
    }
}
