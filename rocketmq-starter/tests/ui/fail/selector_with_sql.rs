use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing", selector = "created", sql = "amount > 10")]
async fn handle(Json(_id): Json<u64>) {}

fn main() {}
