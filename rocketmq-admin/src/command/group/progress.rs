//! `consumerProgress`: the lag of one group, or of all.

use std::collections::BTreeMap;
use std::fmt;

use clap::{ArgAction, Args};
use rocketmq_remoting::body::{ConsumeStats, ConsumeType, ConsumerConnection, MessageModel, OffsetWrapper};
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::{names, version};
use serde::Serialize;

use crate::admin::Admin;
use crate::command::Run;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::text::{front, seconds};

/// Show the lag of a group by queue, or of all groups
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin consumerProgress -n 127.0.0.1:9876 -g billing")]
pub struct ConsumerProgress {
    /// The group; without it all groups
    #[arg(short = 'g', long = "groupName", value_name = "GROUP")]
    pub group: Option<String>,
    /// One topic of the group
    #[arg(short = 't', long = "topicName", value_name = "TOPIC", requires = "group")]
    pub topic: Option<String>,
    /// Show the address of the member that reads each queue
    #[arg(short = 's', long = "showClientIP", value_name = "true|false", action = ArgAction::Set, num_args = 0..=1,
        default_value_t = false, default_missing_value = "true")]
    pub show_client_ip: bool,
    /// The topic whose brokers are asked where the group has no retry topic, such as the name of the cluster
    #[arg(short = 'c', long, requires = "topic")]
    pub cluster: Option<String>,
}

impl Run for ConsumerProgress {
    async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        match &self.group {
            Some(group) => terminal.show(&self.report(admin, group).await?),
            None => terminal.show(&all_groups(admin).await?),
        }
    }
}

impl ConsumerProgress {
    /// Asks for the progress of one group.
    ///
    /// # Errors
    /// No broker has met the group, it has consumed nothing, or a broker does not answer.
    pub async fn report(&self, admin: &Admin, group: &str) -> Result<GroupProgress, Failure> {
        let stats = admin.consume_stats(group, self.topic.as_deref(), self.cluster.as_deref()).await?;
        let clients = if self.show_client_ip { readers(admin, group).await } else { BTreeMap::new() };
        Ok(GroupProgress::new(stats, &clients, self.show_client_ip))
    }
}

/// The address of the member that reads each queue; members that do not answer are left out.
async fn readers(admin: &Admin, group: &str) -> BTreeMap<MessageQueue, String> {
    let Ok(members) = admin.members(group).await else { return BTreeMap::new() };
    let mut readers = BTreeMap::new();
    for member in members.connection_set {
        let Ok(info) = admin.client().running_info(group, &member.client_id, false).await else { continue };
        let address = member.client_id.split('@').next().unwrap_or_default();
        readers.extend(info.mq_table.into_keys().map(|queue| (queue, address.to_owned())));
    }
    readers
}

/// The progress of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupProgress {
    /// By topic, broker and queue.
    pub queues: Vec<QueueProgress>,
    /// Messages per second.
    pub consume_tps: f64,
    /// The messages that the group has not consumed.
    pub diff_total: i64,
    /// The messages that its members are at work on.
    pub inflight_total: i64,
    #[serde(skip)]
    with_clients: bool,
}

/// The progress of a group in one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueProgress {
    /// The queue.
    #[serde(flatten)]
    pub queue: MessageQueue,
    /// The offset of the next message.
    pub broker_offset: i64,
    /// The offset of the group.
    pub consumer_offset: i64,
    /// The address of the member that reads the queue, when it was asked for and is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
    /// The messages that the group has not consumed.
    pub diff: i64,
    /// The messages that the member is at work on.
    pub inflight: i64,
    /// The store time of the last message that the group consumed, in ms since the epoch; 0 when there is none.
    pub last_timestamp: i64,
}

impl GroupProgress {
    fn new(stats: ConsumeStats, clients: &BTreeMap<MessageQueue, String>, with_clients: bool) -> Self {
        let row = |(queue, at): (MessageQueue, OffsetWrapper)| QueueProgress {
            client_ip: clients.get(&queue).cloned(),
            diff: at.broker_offset.saturating_sub(at.consumer_offset),
            inflight: at.pull_offset.saturating_sub(at.consumer_offset),
            broker_offset: at.broker_offset,
            consumer_offset: at.consumer_offset,
            last_timestamp: at.last_timestamp,
            queue,
        };
        let queues: Vec<_> = stats.offset_table.into_iter().map(row).collect();
        let total = |part: fn(&QueueProgress) -> i64| queues.iter().map(part).fold(0, i64::saturating_add);
        Self {
            consume_tps: stats.consume_tps,
            diff_total: total(|queue| queue.diff),
            inflight_total: total(|queue| queue.inflight),
            with_clients,
            queues,
        }
    }
}

impl fmt::Display for GroupProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = |text: &str| if self.with_clients { format!("{text:<20} ") } else { String::new() };
        writeln!(
            f,
            "{:<64}  {:<32}  {:<4}  {:<20}  {:<20}  {}{:<20} {:<20}#LastTime",
            "#Topic",
            "#Broker Name",
            "#QID",
            "#Broker Offset",
            "#Consumer Offset",
            client("#Client IP"),
            "#Diff",
            "#Inflight"
        )?;
        for row in &self.queues {
            let time = if row.last_timestamp == 0 { "N/A".into() } else { seconds(row.last_timestamp) };
            writeln!(
                f,
                "{:<64}  {:<32}  {:<4}  {:<20}  {:<20}  {}{:<20} {:<20} {time}",
                front(&row.queue.topic, 64),
                front(&row.queue.broker_name, 32),
                row.queue.queue_id,
                row.broker_offset,
                row.consumer_offset,
                client(row.client_ip.as_deref().unwrap_or("N/A")),
                row.diff,
                row.inflight
            )?;
        }
        writeln!(f, "\nConsume TPS: {:.2}", self.consume_tps)?;
        writeln!(f, "Consume Diff Total: {}", self.diff_total)?;
        writeln!(f, "Consume Inflight Total: {}", self.inflight_total)
    }
}

/// All groups of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupsReport {
    /// In the order of the name server's topics.
    pub groups: Vec<GroupLine>,
}

/// One group in the list of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupLine {
    /// The group.
    pub group: String,
    /// The number of members.
    pub count: usize,
    /// The version of the oldest member.
    pub version: Option<String>,
    /// `PUSH` or `PULL`; empty for a group without members.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `CLUSTERING` or `BROADCASTING`, of a push consumer.
    pub model: &'static str,
    /// Messages per second.
    pub tps: i64,
    /// The messages that the group has not consumed.
    pub diff_total: i64,
}

async fn all_groups(admin: &Admin) -> Result<GroupsReport, Failure> {
    let mut groups = Vec::new();
    for topic in admin.topics().await? {
        let Some(group) = names::group_of_retry(&topic) else { continue };
        // POP's retry topics of a 5.x broker name the topic behind a plus.
        let group = group.split_once('+').map_or(group, |(group, _)| group);
        let stats = admin.consume_stats(group, None, None).await.unwrap_or_default();
        let members = admin.members(group).await.unwrap_or_default();
        groups.push(GroupLine::new(group, stats, &members));
    }
    Ok(GroupsReport { groups })
}

impl GroupLine {
    fn new(group: &str, stats: ConsumeStats, members: &ConsumerConnection) -> Self {
        let totals = GroupProgress::new(stats, &BTreeMap::new(), false);
        let oldest = members.connection_set.iter().map(|member| member.version).min();
        let passive = members.consume_type == ConsumeType::Passively;
        Self {
            group: group.to_owned(),
            count: members.connection_set.len(),
            version: oldest.map(version::name),
            kind: match (oldest, members.consume_type) {
                (None, _) => "",
                (_, ConsumeType::Actively) => "PULL",
                _ => "PUSH",
            },
            model: if oldest.is_some() && passive { MessageModel::name(members.message_model) } else { "" },
            tps: totals.consume_tps as i64,
            diff_total: totals.diff_total,
        }
    }
}

impl fmt::Display for GroupsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<64}  {:<6}  {:<24} {:<5}  {:<14}  {:<7}  #Diff Total",
            "#Group", "#Count", "#Version", "#Type", "#Model", "#TPS"
        )?;
        for row in &self.groups {
            writeln!(
                f,
                "{:<64}  {:<6}  {:<24} {:<5}  {:<14}  {:<7}  {}",
                front(&row.group, 64),
                row.count,
                row.version.as_deref().unwrap_or("OFFLINE"),
                row.kind,
                row.model,
                row.tps,
                row.diff_total
            )?;
        }
        Ok(())
    }
}
