//! [`MessageReport`]: all about one message.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rocketmq_client::Delivery;
use serde::Serialize;

use crate::admin::{Admin, MessageTrack};
use crate::failure::Failure;
use crate::text::milliseconds;

/// The folder in which Apache's tool leaves bodies.
const BODIES: &str = "/tmp/rocketmq/msgbodys";

/// Messages that were looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessagesReport {
    /// In the order in which they were asked for.
    pub messages: Vec<MessageReport>,
}

/// All about one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields bear the names of a message's parts")]
pub struct MessageReport {
    pub message_id: String,
    /// `None` where Apache's command leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_message_id: Option<String>,
    pub topic: String,
    pub tags: Option<String>,
    pub keys: Option<String>,
    pub broker_name: String,
    pub queue_id: i32,
    pub queue_offset: i64,
    pub commit_log_offset: i64,
    pub reconsume_times: u32,
    /// In ms since the epoch.
    pub born_timestamp: i64,
    /// In ms since the epoch.
    pub store_timestamp: i64,
    pub born_host: String,
    pub store_host: String,
    pub sys_flag: i32,
    pub properties: BTreeMap<String, String>,
    /// The body, if it is text.
    pub body: Option<String>,
    /// The file with the body.
    pub body_path: String,
    /// The fate of the message in each group.
    pub tracks: Vec<MessageTrack>,
    #[serde(skip)]
    pub(super) shows_body: bool,
}

impl MessageReport {
    /// Leaves the body in a file, as Apache's tool does, and asks who has consumed the message.
    pub(super) async fn of(admin: &Admin, message: &Delivery) -> Result<Self, Failure> {
        let property = |name| message.property(name).map(str::to_owned);
        Ok(Self {
            message_id: message.message_id().to_owned(),
            offset_message_id: Some(message.offset_message_id()),
            topic: message.topic().to_owned(),
            tags: property("TAGS"),
            keys: property("KEYS"),
            broker_name: message.queue().broker_name.clone(),
            queue_id: message.queue().queue_id,
            queue_offset: message.queue_offset(),
            commit_log_offset: message.commit_log_offset(),
            reconsume_times: message.reconsume_times(),
            born_timestamp: ms(message.born_at()),
            store_timestamp: ms(message.stored_at()),
            born_host: message.born_host().to_string(),
            store_host: message.store_host().to_string(),
            sys_flag: message.sys_flag().0,
            properties: message
                .properties()
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            body: message.text().map(str::to_owned),
            body_path: save_body(message)?,
            tracks: admin.tracks(message).await?,
            shows_body: false,
        })
    }
}

fn ms(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// A producer chooses the id, so one that could lead to another folder is not taken as a name.
fn save_body(message: &Delivery) -> Result<String, Failure> {
    let (id, safe) = (message.message_id(), message.offset_message_id());
    let name = if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) { id } else { &safe };
    let path = Path::new(BODIES).join(name);
    let saved = std::fs::create_dir_all(BODIES).and_then(|()| std::fs::write(&path, message.body()));
    saved.map_err(|error| {
        Failure::refused(format!("the body cannot be written to {}: {error}", path.display()))
    })?;
    Ok(path.display().to_string())
}

impl fmt::Display for MessagesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.messages.iter().try_for_each(|message| write!(f, "{message}"))
    }
}

impl fmt::Display for MessageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:<20} {value}");
        if let Some(id) = &self.offset_message_id {
            line("OffsetID:", id)?;
        }
        let or_null = |text: &Option<String>| format!("[{}]", text.as_deref().unwrap_or("null"));
        let properties: Vec<_> =
            self.properties.iter().map(|(key, value)| format!("{key}={value}")).collect();
        line("Topic:", &self.topic)?;
        line("Tags:", &or_null(&self.tags))?;
        line("Keys:", &or_null(&self.keys))?;
        line("Queue ID:", &self.queue_id)?;
        line("Queue Offset:", &self.queue_offset)?;
        line("CommitLog Offset:", &self.commit_log_offset)?;
        line("Reconsume Times:", &self.reconsume_times)?;
        line("Born Timestamp:", &milliseconds(self.born_timestamp))?;
        line("Store Timestamp:", &milliseconds(self.store_timestamp))?;
        line("Born Host:", &self.born_host)?;
        line("Store Host:", &self.store_host)?;
        line("System Flag:", &self.sys_flag)?;
        line("Properties:", &format_args!("{{{}}}", properties.join(", ")))?;
        line("Message Body Path:", &self.body_path)?;
        if let (true, Some(body)) = (self.shows_body, &self.body) {
            line("Message Body:", body)?;
        }
        self.consumers(f)
    }
}

impl MessageReport {
    fn consumers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tracks.is_empty() {
            return writeln!(f, "\n\nWARN: No Consumer");
        }
        writeln!(f, "\n")?;
        self.tracks.iter().try_for_each(|MessageTrack { consumer_group, track_type, exception_desc }| {
            let why = exception_desc.as_deref().unwrap_or("null");
            writeln!(
                f,
                "MessageTrack [consumerGroup={consumer_group}, trackType={track_type}, exceptionDesc={why}]"
            )
        })
    }
}
