use rocketmq_starter::{Json, TransactionState, rocketmq_transaction_listener};

#[rocketmq_transaction_listener(groop = "order-service", topic = "orders")]
async fn check(Json(_id): Json<u64>) -> TransactionState {
    TransactionState::Commit
}

fn main() {}
