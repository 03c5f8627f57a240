use rocketmq_starter::{Delivery, Json, Keys, Outcome, State, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "warehouse", batch = 64)]
async fn many(orders: Vec<Json<u64>>, keys: Vec<Keys>, State(_n): State<u8>) -> Vec<Outcome> {
    orders.iter().zip(keys).map(|_| Outcome::Ack).collect()
}

#[rocketmq_listener(topic = "lines", group = "warehouse")]
async fn raw(_lines: Vec<Delivery>) -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
