//! `resetOffsetByTime` and `skipAccumulatedMessage`: move a group to another place of a topic.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use rocketmq_client::Offset;
use rocketmq_remoting::route::MessageQueue;
use serde::Serialize;

use super::time::parse;
use crate::admin::Admin;
use crate::command::Run;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::text::front;

/// Move a group to the messages of a time
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin resetOffsetByTime -n 127.0.0.1:9876 -g billing -t orders -s 2026-01-31#10:00:00:000 --yes"
)]
pub struct ResetOffsetByTime {
    /// The group
    #[arg(short = 'g', long)]
    pub group: String,
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// The time: now, ms since the epoch, yyyy-MM-dd#HH:mm:ss:SSS, or -1 for the end
    #[arg(short = 's', long, allow_hyphen_values = true)]
    pub timestamp: String,
    /// Move also forward. Apache's brokers do it always
    #[arg(short = 'f', long, default_value_t = true, action = clap::ArgAction::Set, value_name = "true|false")]
    pub force: bool,
    /// The broker of one queue, by its address or its name
    #[arg(short = 'b', long, requires = "queue", value_name = "HOST:PORT")]
    pub broker: Option<String>,
    /// The queue
    #[arg(short = 'q', long, requires = "broker", value_parser = clap::value_parser!(i32).range(0..))]
    pub queue: Option<i32>,
    /// The offset, for one queue; it counts in the place of the time
    #[arg(short = 'o', long, requires = "queue", value_parser = clap::value_parser!(i64).range(0..))]
    pub offset: Option<i64>,
}

/// Move a group to the end of a topic, past the messages that it has not consumed
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin skipAccumulatedMessage -n 127.0.0.1:9876 -g billing -t orders --yes"
)]
pub struct SkipAccumulatedMessage {
    /// The group
    #[arg(short = 'g', long)]
    pub group: String,
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// Move also forward. Apache's brokers do it always
    #[arg(short = 'f', long, default_value_t = true, action = clap::ArgAction::Set, value_name = "true|false")]
    pub force: bool,
}

impl Run for ResetOffsetByTime {
    async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as i64);
        let ms = parse(&self.timestamp, now)?;
        let Self { group, topic, timestamp, force, .. } = self;
        match (&self.broker, self.queue) {
            (Some(broker), Some(queue)) => {
                terminal.confirm(format_args!(
                    "move group {group} in queue {queue} of topic {topic} on {broker}"
                ))?;
                let place = MessageQueue::new(topic.as_str(), name_of(admin, broker).await?, queue);
                let to = self.offset.map_or(place_of(ms), Offset::At);
                let moved = admin.client().reset_queue(group, &place, to).await?;
                let head = format!(
                    "start reset consumer offset by specified, group[{group}], topic[{topic}], queueId[{queue}], \
                     broker[{broker}], timestamp(string)[{timestamp}], timestamp(long)[{ms}]"
                );
                terminal.show(&ResetReport::one(head, place, moved))
            }
            _ => {
                terminal.confirm(format_args!("move group {group} in topic {topic} to {timestamp}"))?;
                let moved = admin.client().reset_offsets(group, topic, place_of(ms)).await?;
                let head = format!(
                    "start reset consumer offset by specified, group[{group}], topic[{topic}], force[{force}], \
                     timestamp(string)[{timestamp}], timestamp(long)[{ms}]"
                );
                terminal.show(&ResetReport::all(Some(head), moved))
            }
        }
    }
}

impl Run for SkipAccumulatedMessage {
    async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        let Self { group, topic, .. } = self;
        terminal
            .confirm(format_args!("move group {group} to the end of topic {topic}, past all messages"))?;
        terminal.show(&ResetReport::all(None, admin.client().skip_backlog(group, topic).await?))
    }
}

/// The name of a broker, which may be named by its address.
async fn name_of(admin: &Admin, broker: &str) -> Result<String, Failure> {
    let all = admin.brokers(None).await?;
    let found = all.into_iter().find(|it| it.address == broker || it.name == broker);
    found.map(|it| it.name).ok_or_else(|| {
        Failure::refused(format!("no broker {broker} is registered"))
            .with_remedy("`mqadmin clusterList` lists the brokers")
    })
}

fn place_of(ms: i64) -> Offset {
    match u64::try_from(ms) {
        Ok(ms) => Offset::Time(UNIX_EPOCH + Duration::from_millis(ms)),
        Err(_) => Offset::Last,
    }
}

/// The new offsets of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResetReport {
    /// The queues that were moved.
    pub queues: Vec<ResetRow>,
    #[serde(skip)]
    head: Option<String>,
    #[serde(skip)]
    of_one: bool,
}

/// The new offset of a group in one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResetRow {
    /// The queue.
    #[serde(flatten)]
    pub queue: MessageQueue,
    /// The offset.
    pub offset: i64,
}

impl ResetReport {
    fn one(head: String, queue: MessageQueue, offset: i64) -> Self {
        Self { queues: vec![ResetRow { queue, offset }], head: Some(head), of_one: true }
    }

    fn all(head: Option<String>, moved: impl IntoIterator<Item = (MessageQueue, i64)>) -> Self {
        let queues = moved.into_iter().map(|(queue, offset)| ResetRow { queue, offset }).collect();
        Self { queues, head, of_one: false }
    }
}

impl fmt::Display for ResetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(head) = &self.head {
            writeln!(f, "{head}")?;
        }
        if self.of_one {
            return self
                .queues
                .iter()
                .try_for_each(|row| writeln!(f, "reset consumer offset to {}", row.offset));
        }
        writeln!(f, "{:<40}  {:<40}  {:<40}", "#brokerName", "#queueId", "#offset")?;
        self.queues.iter().try_for_each(|row| {
            writeln!(
                f,
                "{:<40}  {:<40}  {:<40}",
                front(&row.queue.broker_name, 32),
                row.queue.queue_id,
                row.offset
            )
        })
    }
}
