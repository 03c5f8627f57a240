use rocketmq_starter::{Json, Tag, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing", batch = 16)]
async fn handle(_ids: Vec<Json<u64>>, _tag: Tag) {}

fn main() {}
