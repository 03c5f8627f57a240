use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing", batch = 16)]
async fn handle(ids: Vec<Json<u64>>) -> usize {
    ids.len()
}

fn main() {}
