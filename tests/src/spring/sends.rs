//! The sends of the application on this project's starter, as `Commands.java` has them.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use rocketmq_starter::template::{Payload as _, Prepared, WithReceipt};
use rocketmq_starter::{DelayLevel, Json, Raw, Receipt, RocketmqTemplate, Text, TransactionState};
use serde_json::Value;

use super::letter::{Body, How, Letter, Quote, Sent, base64};
use crate::{PATIENCE, TestResult};

/// Writes a payload as the template does for its type.
fn written(body: &Body) -> serde_json::Result<Raw> {
    let bytes: Bytes = match body {
        Body::Order(order) => order.into_body(),
        Body::Orders(orders) => orders.into_body(),
        Body::Text(text) => text.into_body(),
        Body::Number(number) => number.into_body(),
        Body::Status(status) => status.into_body(),
        Body::Bytes(bytes) => Raw(bytes.clone().into()).into_body(),
    }?;
    Ok(Raw(bytes))
}

fn with_headers<K>(mut prepared: Prepared<K>, letter: &Letter) -> Prepared<K> {
    for (name, value) in &letter.headers {
        prepared = match name.as_str() {
            "KEYS" => value.split(' ').fold(prepared, Prepared::key),
            _ => prepared.property(name, value),
        };
    }
    prepared
}

pub(super) async fn send(template: &RocketmqTemplate, to: &str, letter: &Letter) -> TestResult<Sent> {
    let body = written(letter.bodies.first().ok_or("a letter without a body")?)?;
    match &letter.how {
        How::Oneway => with_headers(template.send_oneway(to, body), letter).await?,
        How::Transaction { local } => {
            let half = with_headers(template.begin(to, body), letter);
            let local = async { Ok::<_, std::convert::Infallible>(decision(local)) };
            template.send_in_transaction(half, local).await?;
        }
        How::Batch => {
            let bodies = letter.bodies.iter().map(written).collect::<Result<Vec<_>, _>>()?;
            return sent(template.send_batch(to, bodies).await?.first());
        }
        how => return sent(Some(&with_options(with_headers(template.send(to, body), letter), how).await?)),
    }
    Ok(Sent { queue: None })
}

fn with_options(prepared: Prepared<WithReceipt>, how: &How) -> Prepared<WithReceipt> {
    match how {
        How::Ordered { key } => prepared.ordered_by(key),
        How::Level { level } => prepared.deliver_after(DelayLevel::new((*level).into())),
        How::Delay { millis } => prepared.delay(Duration::from_millis(*millis)),
        How::At { millis } => prepared.deliver_at(UNIX_EPOCH + Duration::from_millis(*millis)),
        _ => prepared,
    }
}

fn sent(receipt: Option<&Receipt>) -> TestResult<Sent> {
    Ok(Sent { queue: Some(receipt.ok_or("no receipt")?.queue()) })
}

pub(super) fn decision(name: &str) -> TransactionState {
    match name {
        "COMMIT" => TransactionState::Commit,
        "ROLLBACK" => TransactionState::Rollback,
        _ => TransactionState::Unknown,
    }
}

/// Asks for the reply that belongs to the kind of the request.
pub(super) async fn ask(template: &RocketmqTemplate, to: &str, body: &Body) -> TestResult<Value> {
    let request = written(body)?;
    match body {
        Body::Order(_) => {
            let Json(quote) = template.request::<Json<Quote>>(to, request).timeout(PATIENCE).await?;
            Ok(serde_json::to_value(quote)?)
        }
        Body::Text(_) => {
            let Text(text) = template.request::<Text>(to, request).timeout(PATIENCE).await?;
            Ok(text.into())
        }
        _ => {
            let Raw(bytes) = template.request::<Raw>(to, request).timeout(PATIENCE).await?;
            Ok(base64(&bytes).into())
        }
    }
}
