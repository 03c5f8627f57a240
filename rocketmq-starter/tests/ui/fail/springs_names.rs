use rocketmq_starter::{Json, TransactionState, rocketmq_listener, rocketmq_transaction_listener};

#[rocketmq_listener(
    topic = "orders",
    consumer_group = "billing",
    selectorExpression = "created",
    consume_thread_number = 8,
    group = "billing"
)]
async fn handle(Json(_id): Json<u64>) {}

#[rocketmq_transaction_listener(core_pool_size = 2)]
async fn check() -> TransactionState {
    TransactionState::Commit
}

fn main() {}
