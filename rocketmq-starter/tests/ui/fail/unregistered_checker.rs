use rocketmq_starter::{App, TransactionState};

async fn check() -> TransactionState {
    TransactionState::Commit
}

fn main() {
    let _ = App::new().transaction_listener(check);
}
