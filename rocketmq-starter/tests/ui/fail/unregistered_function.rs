use rocketmq_starter::{App, Json};

async fn handle(_id: Json<u64>) {}

fn main() {
    let _ = App::new().listener(handle);
}
