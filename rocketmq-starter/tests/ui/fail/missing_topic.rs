use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(group = "billing")]
async fn handle(Json(_id): Json<u64>) {}

fn main() {}
