//! `updateTopicPerm`: allows or forbids to read and to write a topic.

use clap::Args;
use rocketmq_remoting::body::TopicConfig;
use rocketmq_remoting::route::{Perm, QueueData, TopicRoute};

use super::update::text;
use crate::admin::{Admin, Broker};
use crate::command::{Place, Steps, reports};
use crate::failure::Failure;

/// Allow or forbid to read and to write a topic
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin updateTopicPerm -n 127.0.0.1:9876 -c DefaultCluster -t orders -p 4"
)]
pub struct UpdateTopicPerm {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the type has the documentation")]
    pub place: Place,
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// The permission: 2 to write, 4 to read, 6 for both
    #[arg(short = 'p', long, value_name = "2|4|6", value_parser = clap::value_parser!(i32).range(1..8))]
    pub perm: i32,
}

reports!(UpdateTopicPerm);

impl UpdateTopicPerm {
    /// Tells the masters.
    ///
    /// # Errors
    /// There is no such topic or cluster, the broker is no master of the topic, or a broker refuses.
    pub async fn report(&self, admin: &Admin) -> Result<Steps, Failure> {
        let route = admin.route(&self.topic).await?;
        let mut steps = Steps::default();
        for Broker { address, .. } in self.place.masters(admin).await? {
            let Some(queues) = queues_at(&route, &address) else {
                if self.place.broker.is_some() {
                    let text = format!("no master of topic \"{}\" is at {address}", self.topic);
                    return Err(Failure::refused(text)
                        .with_remedy(format!("`mqadmin topicRoute -t {} -l` lists them", self.topic)));
                }
                continue;
            };
            if self.place.broker.is_some() && queues.perm.0 == self.perm {
                steps.at(&address, "new perm equals to the old one!".into());
                return Ok(steps);
            }
            let config = self.config(queues);
            admin.update_topic(&address, &config).await?;
            let (from, to) = (queues.perm.0, self.perm);
            steps.at(&address, format!("update topic perm from {from} to {to} in {address} success."));
            if self.place.broker.is_some() {
                steps.say(format!("{}.", text(&config)));
            }
        }
        Ok(steps)
    }

    fn config(&self, queues: &QueueData) -> TopicConfig {
        TopicConfig {
            topic_name: self.topic.clone(),
            read_queue_nums: queues.read_queue_nums,
            write_queue_nums: queues.write_queue_nums,
            topic_sys_flag: queues.topic_sys_flag,
            perm: Perm(self.perm),
            ..TopicConfig::default()
        }
    }
}

fn queues_at<'a>(route: &'a TopicRoute, master: &str) -> Option<&'a QueueData> {
    let broker = route.broker_datas.iter().find(|broker| broker.master() == Some(master))?;
    route.queue_datas.iter().find(|queues| queues.broker_name == broker.broker_name)
}
