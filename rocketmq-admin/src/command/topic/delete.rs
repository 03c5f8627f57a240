//! `deleteTopic`: removes a topic and its messages.

use clap::Args;
use rocketmq_remoting::requests::route::DeleteTopicInNamesrvRequest;
use rocketmq_remoting::requests::topic::DeleteTopicRequest;

use crate::admin::Admin;
use crate::command::{Run, Steps};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Delete a topic of a cluster, with its messages
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin deleteTopic -n 127.0.0.1:9876 -c DefaultCluster -t orders --yes")]
pub struct DeleteTopic {
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// The cluster
    #[arg(short = 'c', long = "clusterName", value_name = "CLUSTER")]
    pub cluster: String,
}

impl Run for DeleteTopic {
    async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        let Self { topic, cluster } = self;
        terminal.confirm(format_args!("delete topic {topic} and its messages from cluster {cluster}"))?;
        let mut steps = Steps::default();
        admin.delete_topic(cluster, topic).await?;
        steps.say(format!("delete topic [{topic}] from cluster [{cluster}] success."));
        steps.say(format!("delete topic [{topic}] from NameServer success."));
        terminal.show(&steps)
    }
}

impl Admin {
    /// Deletes a topic on the masters of a cluster, and then in the name servers.
    ///
    /// # Errors
    /// There is no such cluster, or a server refuses or does not answer; those before it have no such topic any more.
    pub async fn delete_topic(&self, cluster: &str, topic: &str) -> Result<(), Failure> {
        for master in self.masters(cluster).await? {
            self.call(&master.address, &DeleteTopicRequest { topic: topic.to_owned() }, ()).await?;
        }
        let request =
            DeleteTopicInNamesrvRequest { topic: topic.to_owned(), cluster_name: Some(cluster.to_owned()) };
        self.tell_name_servers(&request, ()).await.map(drop)
    }
}
