//! The buttons of the page: send by hand, send a dead letter again, let time pass.

use super::messages::{dead_letter, first_topic, headers};
use super::{Desk, Refused};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rocketmq_client::Message;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The longest time that passes at once.
const YEAR: u64 = 365 * 24 * 3600;

type Answer = Result<String, Refused>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMessage {
    topic: String,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    delay_ms: u64,
}

pub(super) async fn send(State(desk): State<Arc<Desk>>, Json(new): Json<NewMessage>) -> Answer {
    let mut message = Message::new(new.topic, new.body);
    if !new.tag.is_empty() {
        message = message.tag(new.tag);
    }
    if new.delay_ms > 0 {
        message = message.delay(Duration::from_millis(new.delay_ms));
    }
    sent(&desk, with(message, new.keys, new.headers)).await
}

fn with(message: Message, keys: Vec<String>, headers: BTreeMap<String, String>) -> Message {
    let message = if keys.is_empty() { message } else { message.keys(keys) };
    headers.into_iter().fold(message, |message, (name, value)| message.property(name, value))
}

async fn sent(desk: &Desk, message: Message) -> Answer {
    let refused = |error: rocketmq_client::SendError| (StatusCode::BAD_REQUEST, error.to_string());
    let receipt = desk.producer.send(message).await.map_err(refused)?;
    Ok(format!("sent as {}", receipt.message_id()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    group: String,
    id: String,
}

/// Sends a dead letter to the topic it came from, as a new message: every group of the topic gets it.
pub(super) async fn again(State(desk): State<Arc<Desk>>, Json(Again { group, id }): Json<Again>) -> Answer {
    let broker = desk.broker()?;
    let none = || (StatusCode::NOT_FOUND, format!("the group `{group}` has no dead letter {id}\n"));
    let letter = dead_letter(&broker, &group, &id).ok_or_else(none)?;
    let mut message = Message::new(first_topic(&letter), letter.body().clone());
    if let Some(tag) = letter.tag() {
        message = message.tag(tag);
    }
    let keys = letter.keys().map(str::to_owned).collect();
    let answer = sent(&desk, with(message, keys, headers(&letter))).await?;
    desk.journal.note_sent_again(&group, &id);
    Ok(answer)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    seconds: u64,
}

pub(super) async fn advance(
    State(desk): State<Arc<Desk>>,
    Json(Advance { seconds }): Json<Advance>,
) -> Answer {
    if !(1..=YEAR).contains(&seconds) {
        let why = format!("`seconds` is {seconds}; it takes a whole number from 1 to {YEAR}\n");
        return Err((StatusCode::BAD_REQUEST, why));
    }
    let time = Duration::from_secs(seconds);
    desk.broker()?.advance(time);
    Ok(format!("{} passed on the broker", humantime::format_duration(time)))
}
