//! A listener does not take its name away from variables.
use rocketmq_starter::{App, Json, rocketmq_listener};

#[rocketmq_listener(topic = "orders", group = "billing")]
async fn order(Json(order): Json<u64>) {
    println!("{order}");
}

fn main() {
    let app = App::new().listener(order);
    let call = order::call(Json(7));
    let order = call;
    drop((app, order));
}
