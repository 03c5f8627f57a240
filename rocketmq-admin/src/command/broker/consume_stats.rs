//! `brokerConsumeStats`: the progress of all groups on one broker.

use std::fmt;
use std::time::Duration;

use clap::Args;
use rocketmq_remoting::Json;
use rocketmq_remoting::body::ConsumeStats;
use rocketmq_remoting::requests::broker::GetBrokerConsumeStatsRequest;
use rocketmq_remoting::route::MessageQueue;
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;
use crate::text::{front, seconds};

/// Show the lag of all groups on one broker
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin brokerConsumeStats -n 127.0.0.1:9876 -b 10.0.0.5:10911 -l 1000")]
pub struct BrokerConsumeStats {
    /// The broker
    #[arg(short = 'b', long = "brokerAddr", value_name = "HOST:PORT")]
    pub broker: String,
    /// The time for the answer, in ms
    #[arg(short = 't', long = "timeoutMillis", default_value_t = 50_000, value_name = "MS")]
    pub timeout_ms: u64,
    /// Leave out queues with a smaller lag
    #[arg(short = 'l', long, default_value_t = 0, value_name = "LAG")]
    pub level: i64,
    /// Show the groups that read in order
    #[arg(short = 'o', long, default_value_t = false, action = clap::ArgAction::Set, value_name = "true|false")]
    pub order: bool,
}

reports!(BrokerConsumeStats);

impl BrokerConsumeStats {
    /// Asks for the progress of all groups.
    ///
    /// # Errors
    /// The broker does not answer.
    pub async fn report(&self, admin: &Admin) -> Result<BrokerConsumeStatsReport, Failure> {
        let (request, limit) =
            (GetBrokerConsumeStatsRequest { is_order: self.order }, Duration::from_millis(self.timeout_ms));
        let Json(all) = admin.call_within(limit, &self.broker, &request, ()).await?;
        let of_groups = all.consume_stats_list.into_iter().flatten();
        let queues = of_groups.flat_map(|(group, parts)| {
            parts.into_iter().flat_map(move |part| rows(&group, part)).collect::<Vec<_>>()
        });
        let queues = queues.filter(|queue| queue.diff >= self.level && queue.last_timestamp > 0).collect();
        Ok(BrokerConsumeStatsReport { queues, diff_total: all.total_diff })
    }
}

fn rows(group: &str, part: ConsumeStats) -> Vec<GroupQueue> {
    let row = |(queue, at): (MessageQueue, rocketmq_remoting::body::OffsetWrapper)| GroupQueue {
        group: group.to_owned(),
        queue,
        broker_offset: at.broker_offset,
        consumer_offset: at.consumer_offset,
        diff: at.broker_offset.saturating_sub(at.consumer_offset),
        last_timestamp: at.last_timestamp,
    };
    part.offset_table.into_iter().map(row).collect()
}

/// The progress of all groups on one broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BrokerConsumeStatsReport {
    /// The queues that their groups have begun to read.
    pub queues: Vec<GroupQueue>,
    /// The lag of all groups together.
    pub diff_total: i64,
}

/// The progress of a group in one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields bear the names of the columns")]
pub struct GroupQueue {
    pub group: String,
    #[serde(flatten)]
    pub queue: MessageQueue,
    pub broker_offset: i64,
    pub consumer_offset: i64,
    pub diff: i64,
    /// The store time of the last message that the group consumed, in ms since the epoch.
    pub last_timestamp: i64,
}

impl fmt::Display for BrokerConsumeStatsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<64}  {:<64}  {:<32}  {:<4}  {:<20}  {:<20}  {:<20}  #LastTime",
            "#Topic", "#Group", "#Broker Name", "#QID", "#Broker Offset", "#Consumer Offset", "#Diff"
        )?;
        for row in &self.queues {
            writeln!(
                f,
                "{:<64}  {:<64}  {:<32}  {:<4}  {:<20}  {:<20}  {:<20}  {}",
                front(&row.queue.topic, 64),
                row.group,
                front(&row.queue.broker_name, 32),
                row.queue.queue_id,
                row.broker_offset,
                row.consumer_offset,
                row.diff,
                seconds(row.last_timestamp)
            )?;
        }
        writeln!(f, "\nDiff Total: {}", self.diff_total)
    }
}
