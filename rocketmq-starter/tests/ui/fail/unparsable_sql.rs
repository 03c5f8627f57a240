use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing", sql = "amount > 100 AND region ==")]
async fn unfinished(Json(_id): Json<u64>) {}

#[rocketmq_listener(topic = "orders", group = "audit", sql = "region LIKE 'eu%'")]
async fn ignored_by_the_broker(Json(_id): Json<u64>) {}

fn main() {}
