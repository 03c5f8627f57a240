//! `queryMsgByKey`: the messages with a key.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use clap::Args;
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;

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
    /// There is no such topic, or nothing was found and a broker failed.
    pub async fn report(&self, admin: &Admin) -> Result<KeyMatches, Failure> {
        let mut query = admin.client().query_messages(&self.topic, &self.key).max(self.max as usize);
        if let Some(begin) = self.begin {
            query = query.since(UNIX_EPOCH + Duration::from_millis(begin));
        }
        if let Some(time) = self.end.and_then(|end| UNIX_EPOCH.checked_add(Duration::from_millis(end))) {
            query = query.until(time);
        }
        let found = query.await?.into_iter().map(|message| KeyMatch {
            message_id: message.message_id().to_owned(),
            broker_name: message.queue().broker_name.clone(),
            queue_id: message.queue().queue_id,
            queue_offset: message.queue_offset(),
        });
        Ok(KeyMatches { messages: found.collect() })
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
}

impl fmt::Display for KeyMatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<50} {:>4} {:>40}", "#Message ID", "#QID", "#Offset")?;
        self.messages.iter().try_for_each(|it| {
            writeln!(f, "{:<50} {:>4} {:>40}", it.message_id, it.queue_id, it.queue_offset)
        })
    }
}
