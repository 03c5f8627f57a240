use rocketmq_starter::{Json, rocketmq_transaction_listener};

#[rocketmq_transaction_listener(group = "order-service")]
async fn check(Json(_id): Json<u64>) {}

fn main() {}
