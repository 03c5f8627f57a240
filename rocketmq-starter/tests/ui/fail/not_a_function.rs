use rocketmq_starter::rocketmq_listener;

#[rocketmq_listener(topic = "orders", group = "billing")]
struct Handler;

fn main() {}
