#![deny(warnings)]
#![forbid(unsafe_code)]

use rocketmq_starter::{Json, rocketmq_listener};

/// Documented functions stay documented.
#[rocketmq_listener(
    topic = "${billing.topic:payments}",
    group = "ledger",
    name = "posting",
    sql = "amount > 10",
    mode = "orderly",
    model = "clustering",
    concurrency = "${billing.threads:8}",
    max_reconsume_times = 16,
    consume_timeout = "15m",
    suspend_time = 500,
    on_error = "dead-letter",
    on_unreadable = "skip",
    from = "first",
    pull_batch_size = 32,
    pull_interval = 0,
    reply_timeout = "3s",
    await_termination = "10s",
    enabled = true,
    name_server = "${other.cluster:127.0.0.1:9876}",
    access_key = "${AK:}",
    secret_key = "${SK:}",
    security_token = "${TOKEN:}",
    tls_enable = false,
    namespace = "${NS:}",
    namespace_v2 = "${NS:}",
    instance_name = "ledger-1"
)]
pub async fn post(Json(_id): Json<u64>) {}

#[rocketmq_listener(topic = "refunds", group = "refunds", retry_delay = "10s")]
pub(crate) async fn refund(Json(_id): Json<u64>) {}

fn main() {}
