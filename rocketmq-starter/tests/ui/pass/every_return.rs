use rocketmq_starter::outcome::Handled;
use rocketmq_starter::{Json, Outcome, Text, rocketmq_listener};

#[rocketmq_listener(topic = "a", group = "g")]
async fn nothing() {}

#[rocketmq_listener(topic = "b", group = "g")]
async fn decides() -> Outcome {
    Outcome::Retry
}

#[rocketmq_listener(topic = "c", group = "g")]
async fn may_fail() -> Result<(), std::io::Error> {
    Ok(())
}

#[rocketmq_listener(topic = "d", group = "g")]
async fn replies(Text(name): Text) -> Result<Json<String>, String> {
    Ok(Json(name))
}

#[rocketmq_listener(topic = "e", group = "g")]
async fn handled() -> Handled {
    Handled::decided(Outcome::Ack)
}

fn main() {}
