use rocketmq_starter::{Json, rocketmq_listener};

async fn pause() {}

#[rocketmq_listener(topic = "orders", group = "billing")]
async fn handle(Json(id): Json<u64>) {
    let shared = std::rc::Rc::new(id);
    pause().await;
    println!("{shared}");
}

fn main() {}
