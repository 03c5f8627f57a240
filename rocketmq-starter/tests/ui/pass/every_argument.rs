use bytes::Bytes;
use rocketmq_starter::extract::Rejection;
use rocketmq_starter::{
    Attempt, Delivery, Json, Keys, Outcome, Properties, Raw, State, Tag, Text, rocketmq_listener,
};

#[derive(Clone)]
struct Db;

#[rocketmq_listener(topic = "orders", group = "billing", selector = "created || paid")]
async fn parsed(
    Json(_id): Json<u64>,
    State(_db): State<Db>,
    Tag(_tag): Tag,
    Keys(_keys): Keys,
    _properties: Properties,
    Attempt(n): Attempt,
) -> Outcome {
    if n > 3 { Outcome::DeadLetter } else { Outcome::Ack }
}

#[rocketmq_listener(topic = "logs", group = "billing")]
async fn plain(_text: Text, _raw: Raw, _bytes: Bytes, _delivery: Delivery, _number: Result<Json<u8>, Rejection>) {}

fn main() {}
