//! `/state`: the newest messages of the embedded broker, the dead letters and the listeners.

use super::journal::Group;
use super::{Desk, Refused};
use crate::health::ListenerHealth;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rocketmq_client::remoting::message::names::is_reserved;
use rocketmq_client::remoting::names::{SCHEDULE_TOPIC, TIMER_TOPIC, is_retry, is_system_topic};
use rocketmq_client::{Delivery, MessageQueue};
use rocketmq_server::Embedded;
use rocketmq_server::clock::Clock as _;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// The newest messages of each queue that are shown.
const OF_A_QUEUE: u32 = 100;
/// The newest messages that are shown.
const MOST: usize = 200;
/// Bytes of a body that are shown.
const BODY: usize = 64 << 10;
const DEAD: &str = "%DLQ%";
const REPLIES: &str = "_REPLY_TOPIC";

#[derive(Debug, Serialize)]
pub(super) struct Page {
    /// The broker's time, in ms since the epoch.
    now: i64,
    messages: Vec<Shape>,
    dead: Vec<Dead>,
    listeners: Vec<ListenerHealth>,
}

/// A message.
#[derive(Debug, Serialize)]
struct Shape {
    id: String,
    topic: String,
    tag: Option<String>,
    keys: Vec<String>,
    headers: BTreeMap<String, String>,
    body: String,
    bytes: usize,
    at: u128,
    /// It waits for its time.
    waiting: bool,
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Dead {
    #[serde(flatten)]
    message: Shape,
    group: String,
    sent_again: bool,
}

pub(super) async fn state(State(desk): State<Arc<Desk>>) -> Result<Json<Page>, Refused> {
    let broker = desk.broker()?;
    // Reading a store may wait for the disk.
    let page = tokio::task::spawn_blocking(move || page(&desk, &broker)).await;
    page.map(Json).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn page(desk: &Desk, broker: &Embedded) -> Page {
    let topics = broker.topics().unwrap_or_default();
    let groups = topics.iter().filter_map(|topic| topic.strip_prefix(DEAD));
    let mut dead: Vec<_> = groups.flat_map(|group| dead_letters(desk, broker, group)).collect();
    let of_users = topics.iter().filter(|topic| is_of_users(topic));
    let mut messages: Vec<_> =
        of_users.flat_map(|topic| newest(broker, topic)).map(|it| shape(desk, &it, false)).collect();
    let arrived: BTreeSet<_> = messages.iter().map(|message| message.id.clone()).collect();
    let waiting = [SCHEDULE_TOPIC, TIMER_TOPIC].into_iter().flat_map(|topic| newest(broker, topic));
    let waiting = waiting.filter(|it| is_of_users(&first_topic(it)) && !arrived.contains(it.message_id()));
    messages.extend(waiting.map(|it| shape(desk, &it, true)));
    messages.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
    messages.truncate(MOST);
    dead.sort_by_key(|it| std::cmp::Reverse(it.message.at));
    dead.truncate(MOST);
    let listeners = desk.shown.get().map(|context| context.health().listeners).unwrap_or_default();
    Page { now: broker.clock().now_ms(), messages, dead, listeners }
}

/// Tells topics of the application from those of the broker.
fn is_of_users(topic: &str) -> bool {
    !is_system_topic(topic) && !is_retry(topic) && !topic.starts_with(DEAD) && !topic.ends_with(REPLIES)
}

/// Reads the newest messages of a topic; those that are damaged are left out.
fn newest(broker: &Embedded, topic: &str) -> Vec<Delivery> {
    let stored = broker.newest_messages(topic, OF_A_QUEUE).unwrap_or_default();
    let read = |it: rocketmq_server::StoredMessage| {
        Delivery::read(MessageQueue::new(topic, it.broker, it.queue_id), it.record).ok()
    };
    stored.into_iter().filter_map(read).collect()
}

fn dead_letters(desk: &Desk, broker: &Embedded, group: &str) -> Vec<Dead> {
    let dead = |it: Delivery| Dead {
        sent_again: desk.journal.was_sent_again(group, it.message_id()),
        message: shape(desk, &it, false),
        group: group.to_owned(),
    };
    newest(broker, &format!("{DEAD}{group}")).into_iter().map(dead).collect()
}

/// Finds a dead letter of a group.
pub(super) fn dead_letter(broker: &Embedded, group: &str, id: &str) -> Option<Delivery> {
    newest(broker, &format!("{DEAD}{group}")).into_iter().find(|letter| letter.message_id() == id)
}

/// Returns the topic to which a message was sent, whatever became of it.
pub(super) fn first_topic(message: &Delivery) -> String {
    let (retried, real) = (message.property("RETRY_TOPIC"), message.property("REAL_TOPIC"));
    // A retry that waits has both: its real topic is that of the retries.
    real.or(retried).filter(|_| !is_of_users(message.topic())).unwrap_or(message.topic()).to_owned()
}

/// Returns the properties that the sender set.
pub(super) fn headers(message: &Delivery) -> BTreeMap<String, String> {
    let own = message.properties().iter().filter(|(name, _)| !is_reserved(name));
    own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn shape(desk: &Desk, message: &Delivery, waiting: bool) -> Shape {
    let body = message.body();
    Shape {
        id: message.message_id().to_owned(),
        topic: first_topic(message),
        tag: message.tag().map(str::to_owned),
        keys: message.keys().map(str::to_owned).collect(),
        headers: headers(message),
        body: String::from_utf8_lossy(&body[..body.len().min(BODY)]).into_owned(),
        bytes: body.len(),
        at: message.born_at().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis(),
        waiting,
        groups: desk.journal.of(message.message_id()),
    }
}
