use rocketmq_starter::rocketmq_listener;

#[rocketmq_listener(topic = "orders", group = "billing")]
async fn handle(_body: &str) {}

fn main() {}
