use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing")]
async fn handle(Json(id): Json<u32>) -> u32 {
    id
}

fn main() {}
