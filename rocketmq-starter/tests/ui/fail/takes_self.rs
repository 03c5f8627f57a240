use rocketmq_starter::{Json, rocketmq_listener};

struct Billing {
    limit: u64,
}

impl Billing {
    #[rocketmq_listener(topic = "orders", group = "billing")]
    async fn handle(&self, Json(id): Json<u64>) -> bool {
        id < self.limit
    }
}

fn main() {
    let _ = Billing { limit: 1 };
}
