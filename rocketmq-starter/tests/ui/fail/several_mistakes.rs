use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(topik = "orders", group = "billing", concurrency = 0, consume_timeout = "soon")]
fn handle(Json(_id): Json<u64>) {}

fn main() {}
