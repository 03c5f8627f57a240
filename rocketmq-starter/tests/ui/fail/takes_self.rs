use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing")]
async fn handle(&self, Json(_id): Json<u64>) {}

fn main() {}
