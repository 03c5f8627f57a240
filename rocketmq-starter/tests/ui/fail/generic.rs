use rocketmq_starter::{Json, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing")]
async fn handle<T: serde::de::DeserializeOwned + Send + 'static>(Json(_order): Json<T>) {}

fn main() {}
