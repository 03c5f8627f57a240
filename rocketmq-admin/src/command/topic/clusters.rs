//! `topicClusterList`: the clusters of a topic.

use std::fmt;

use clap::Args;
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;

/// List the clusters that have a topic
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin topicClusterList -n 127.0.0.1:9876 -t orders")]
pub struct TopicClusterList {
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
}

reports!(TopicClusterList);

impl TopicClusterList {
    /// Finds the clusters.
    ///
    /// # Errors
    /// There is no such topic, or no name server answers.
    pub async fn report(&self, admin: &Admin) -> Result<TopicClusters, Failure> {
        let (info, homes) = (admin.cluster_info().await?, admin.homes(&self.topic).await?);
        let has_topic = |names: &Vec<String>| homes.iter().any(|(name, _)| names.contains(name));
        let clusters = info.cluster_addr_table.into_iter().filter(|(_, names)| has_topic(names));
        Ok(TopicClusters { clusters: clusters.map(|(cluster, _)| cluster).collect() })
    }
}

/// The clusters that have a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicClusters {
    /// By name.
    pub clusters: Vec<String>,
}

impl fmt::Display for TopicClusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clusters.iter().try_for_each(|cluster| writeln!(f, "{cluster}"))
    }
}
