use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(topic = "my orders", group = "billing")]
async fn handle(Json(_id): Json<u64>) {}

fn main() {}
