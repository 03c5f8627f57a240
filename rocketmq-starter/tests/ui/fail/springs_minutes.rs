use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing", consume_timeout = 15)]
async fn handle(Json(_id): Json<u64>) {}

fn main() {}
