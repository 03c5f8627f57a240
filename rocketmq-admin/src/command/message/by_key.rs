//! `queryMsgByKey`: the messages with a key.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use clap::Args;
use rocketmq_client::Delivery;
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;

const HOUR_MS: u128 = 3_600_000;

/// List the messages of a topic with a key
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin queryMsgByKey -n 127.0.0.1:9876 -t orders -k order-42")]
pub struct QueryMsgByKey {
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// The key
    #[arg(short = 'k', long = "msgKey", value_name = "KEY")]
    pub key: String,
    /// Leave out messages stored before this time, in ms since the epoch
    #[arg(short = 'b', long = "beginTimestamp", value_name = "MS")]
    pub begin: Option<u64>,
    /// Leave out messages stored after this time, in ms since the epoch
    #[arg(short = 'e', long = "endTimestamp", value_name = "MS")]
    pub end: Option<u64>,
    /// The most messages, the newest ones
    #[arg(short = 'm', long = "maxNum", default_value_t = 64, value_name = "COUNT")]
    pub max: u32,
}

reports!(QueryMsgByKey);

impl QueryMsgByKey {
    /// Asks all brokers of the topic.
    ///
    /// # Errors
    /// There is no such topic or no such message, or a broker failed and the others found nothing.
    pub async fn report(&self, admin: &Admin) -> Result<KeyMatches, Failure> {
        let mut query = admin.client().query_messages(&self.topic, &self.key).max(self.max as usize);
        if let Some(begin) = self.begin {
            query = query.since(UNIX_EPOCH + Duration::from_millis(begin));
        }
        if let Some(time) = self.end.and_then(|end| UNIX_EPOCH.checked_add(Duration::from_millis(end))) {
            query = query.until(time);
        }
        let messages: Vec<_> = query.await?.iter().map(|message| self.found(message)).collect();
        match messages.is_empty() {
            true => Err(Failure::refused(format!(
                "no message of topic \"{}\" has the key \"{}\"",
                self.topic, self.key
            ))),
            false => Ok(KeyMatches { messages }),
        }
    }

    fn found(&self, message: &Delivery) -> KeyMatch {
        let stored = message.stored_at().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
        let (topic, key, id) = (&self.topic, &self.key, message.message_id());
        let index_key =
            format!("{}@{topic}@K@{key}@{id}@{}", stored - stored % HOUR_MS, message.commit_log_offset());
        KeyMatch {
            message_id: id.to_owned(),
            broker_name: message.queue().broker_name.clone(),
            queue_id: message.queue().queue_id,
            queue_offset: message.queue_offset(),
            index_key,
        }
    }
}

/// The messages with a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyMatches {
    /// The oldest first.
    pub messages: Vec<KeyMatch>,
}

/// A message with a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are what they are called")]
pub struct KeyMatch {
    pub message_id: String,
    pub broker_name: String,
    pub queue_id: i32,
    pub queue_offset: i64,
    /// The entry of an index in RocksDB, which begins with the hour.
    pub index_key: String,
}

impl fmt::Display for KeyMatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<50} {:>4} {:>40} {:<200}", "#Message ID", "#QID", "#Offset", "#IndexKey")?;
        self.messages.iter().try_for_each(|it| {
            writeln!(
                f,
                "{:<50} {:>4} {:>40} {:<200}",
                it.message_id, it.queue_id, it.queue_offset, it.index_key
            )
        })
    }
}
