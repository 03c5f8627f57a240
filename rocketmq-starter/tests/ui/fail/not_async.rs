use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing")]
fn handle(Json(_id): Json<u64>) {}

fn main() {}
