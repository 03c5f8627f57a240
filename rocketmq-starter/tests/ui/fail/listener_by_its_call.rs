use rocketmq_starter::{App, Json, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing")]
async fn bill(Json(_id): Json<u64>) {}

fn main() {
    let _ = App::new().listener(bill::call);
}
