//! `queryMsgById`, `queryMsgByUniqueKey` and `queryMsgByOffset`: all about messages that an id or a place names.

use clap::Args;
use rocketmq_client::{Delivery, Offset, Pulled};
use rocketmq_remoting::message::OffsetMessageId;
use rocketmq_remoting::route::MessageQueue;

use super::report::{MessageReport, MessagesReport};
use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;

/// Show messages by their ids, and who has consumed them
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin queryMsgById -n 127.0.0.1:9876 -t orders -i C0A8010A00002A9F0000000000001000"
)]
pub struct QueryMsgById {
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// Ids that producers or brokers gave
    #[arg(short = 'i', long = "msgId", value_name = "IDS", value_delimiter = ',', required = true)]
    pub ids: Vec<String>,
    /// Show the bodies, as text of this encoding
    #[arg(short = 'f', long = "bodyFormat", value_name = "ENCODING", value_parser = ["UTF-8", "utf-8"])]
    pub body_format: Option<String>,
}

/// Show the message with the id that its producer gave, and who has consumed it
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin queryMsgByUniqueKey -n 127.0.0.1:9876 -t orders -i 7F0000010ABC18B4AAC2123456780000"
)]
pub struct QueryMsgByUniqueKey {
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// The id
    #[arg(short = 'i', long = "msgId", value_name = "ID")]
    pub id: String,
}

/// Show the message at an offset of a queue, and who has consumed it
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin queryMsgByOffset -n 127.0.0.1:9876 -t orders -b broker-a -i 0 -o 100"
)]
pub struct QueryMsgByOffset {
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// The name of the broker
    #[arg(short = 'b', long = "brokerName", value_name = "NAME")]
    pub broker: String,
    /// The queue
    #[arg(short = 'i', long = "queueId", value_name = "ID", value_parser = clap::value_parser!(i32).range(0..))]
    pub queue_id: i32,
    /// The offset
    #[arg(short = 'o', long, value_parser = clap::value_parser!(i64).range(0..))]
    pub offset: i64,
    /// Show the body, as text of this encoding
    #[arg(short = 'f', long = "bodyFormat", value_name = "ENCODING", value_parser = ["UTF-8", "utf-8"])]
    pub body_format: Option<String>,
}

reports!(QueryMsgById, QueryMsgByUniqueKey, QueryMsgByOffset);

impl QueryMsgById {
    /// Looks the messages up.
    ///
    /// # Errors
    /// There is no such topic or no such message.
    pub async fn report(&self, admin: &Admin) -> Result<MessagesReport, Failure> {
        let mut messages = Vec::new();
        for id in self.ids.iter().map(|id| id.trim()).filter(|id| !id.is_empty()) {
            let report = MessageReport::of(admin, &self.find(admin, id).await?).await?;
            messages.push(MessageReport { shows_body: self.body_format.is_some(), ..report });
        }
        Ok(MessagesReport { messages })
    }

    /// An id of a producer may read as one of a broker, with an address that nobody has.
    async fn find(&self, admin: &Admin, id: &str) -> Result<Delivery, Failure> {
        match admin.client().find_message(&self.topic, id).await? {
            Some(message) => Ok(message),
            None if id.parse::<OffsetMessageId>().is_ok() => {
                Ok(admin.client().view_message(&self.topic, id).await?)
            }
            None => Err(not_found(&self.topic, id)),
        }
    }
}

impl QueryMsgByUniqueKey {
    /// Looks the message up.
    ///
    /// # Errors
    /// There is no such topic or no such message.
    pub async fn report(&self, admin: &Admin) -> Result<MessagesReport, Failure> {
        let found = admin.client().find_message(&self.topic, &self.id).await?;
        let message = found.ok_or_else(|| not_found(&self.topic, &self.id))?;
        let report = MessageReport::of(admin, &message).await?;
        Ok(MessagesReport { messages: vec![MessageReport { offset_message_id: None, ..report }] })
    }
}

impl QueryMsgByOffset {
    /// Reads the message.
    ///
    /// # Errors
    /// There is no such topic, broker or queue, or no message at the offset.
    pub async fn report(&self, admin: &Admin) -> Result<MessagesReport, Failure> {
        let queue = MessageQueue::new(&*self.topic, &*self.broker, self.queue_id);
        let pull = admin.client().pull_consumer("TOOLS_CONSUMER").build().await;
        let pull = pull.map_err(|error| Failure::refused(error.to_string()))?;
        let pulled = pull.pull(&queue, Offset::At(self.offset)).max(1).await?;
        let first = match pulled {
            Pulled::Found { messages, .. } => messages.into_iter().next(),
            _ => None,
        };
        let here = first.filter(|message| message.queue_offset() == self.offset).ok_or_else(|| {
            let text = format!(
                "there is no message at offset {} of {} queue {}",
                self.offset, self.broker, self.queue_id
            );
            Failure::refused(text)
                .with_remedy(format!("`mqadmin topicStatus -t {}` shows the offsets", self.topic))
        })?;
        let report = MessageReport::of(admin, &here).await?;
        Ok(MessagesReport {
            messages: vec![MessageReport { shows_body: self.body_format.is_some(), ..report }],
        })
    }
}

fn not_found(topic: &str, id: &str) -> Failure {
    Failure::refused(format!("topic \"{topic}\" has no message with the id {id}")).with_remedy(
        "a broker finds a message a moment after it stored it, and until its index file is deleted",
    )
}
