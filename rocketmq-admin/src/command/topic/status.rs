//! `topicStatus`: the bounds of a topic's queues.

use std::fmt;

use clap::Args;
use rocketmq_remoting::body::TopicStatsTable;
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;
use crate::text::{Java, front, milliseconds};

/// Show the first and the next offset of each queue of a topic
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin topicStatus -n 127.0.0.1:9876 -t orders")]
pub struct TopicStatus {
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// The topic whose brokers are asked, such as the name of the cluster
    #[arg(short = 'c', long)]
    pub cluster: Option<String>,
}

reports!(TopicStatus);

impl TopicStatus {
    /// Asks for the bounds of all queues.
    ///
    /// # Errors
    /// There is no such topic, or a broker does not answer.
    pub async fn report(&self, admin: &Admin) -> Result<TopicStatusReport, Failure> {
        let mut stats = TopicStatsTable::default();
        for (_, address) in admin.homes(self.cluster.as_deref().unwrap_or(&self.topic)).await? {
            let part = admin.topic_stats(&address, &self.topic).await?;
            stats.offset_table.extend(part.offset_table);
        }
        if self.cluster.is_none() && stats.offset_table.is_empty() {
            return Err(Failure::refused(format!("no broker has queues of topic \"{}\"", self.topic)));
        }
        Ok(stats.into())
    }
}

/// The bounds of a topic's queues.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicStatusReport {
    /// By broker and queue.
    pub queues: Vec<QueueStatus>,
    /// Messages per second. Apache's table shows 0 here, and so does this one.
    pub topic_put_tps: f64,
}

/// The bounds of one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueStatus {
    /// The broker.
    pub broker_name: String,
    /// The queue.
    pub queue_id: i32,
    /// The first offset.
    pub min_offset: i64,
    /// The offset of the next message.
    pub max_offset: i64,
    /// The store time of the last message, in ms since the epoch; 0 in an empty queue.
    pub last_update_timestamp: i64,
}

impl From<TopicStatsTable> for TopicStatusReport {
    fn from(stats: TopicStatsTable) -> Self {
        let queues = stats.offset_table.into_iter().map(|(queue, bounds)| QueueStatus {
            broker_name: queue.broker_name,
            queue_id: queue.queue_id,
            min_offset: bounds.min_offset,
            max_offset: bounds.max_offset,
            last_update_timestamp: bounds.last_update_timestamp,
        });
        Self { queues: queues.collect(), topic_put_tps: stats.topic_put_tps }
    }
}

impl fmt::Display for TopicStatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<32}  {:<4}  {:<20}  {:<20}    #Last Updated",
            "#Broker Name", "#QID", "#Min Offset", "#Max Offset"
        )?;
        for queue in &self.queues {
            let updated = match queue.last_update_timestamp {
                ..=0 => String::new(),
                ms => milliseconds(ms),
            };
            writeln!(
                f,
                "{:<32}  {:<4}  {:<20}  {:<20}    {updated}",
                front(&queue.broker_name, 32),
                queue.queue_id,
                queue.min_offset,
                queue.max_offset
            )?;
        }
        writeln!(f, "\nTopic Put TPS: {}", Java(self.topic_put_tps))
    }
}
