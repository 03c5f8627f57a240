use rocketmq_starter::{Json, State, TransactionState, rocketmq_transaction_listener};

#[derive(Clone)]
struct Db;

#[rocketmq_transaction_listener]
async fn default_checker(Json(_id): Json<u64>, State(_db): State<Db>) -> TransactionState {
    TransactionState::Commit
}

#[rocketmq_transaction_listener(group = "${audit.group:audit}", name = "orders")]
pub async fn named() -> Result<TransactionState, std::io::Error> {
    Ok(TransactionState::Unknown)
}

fn main() {}
