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
    access_key_file = "/run/secrets/access-key",
    secret_key_file = "/run/secrets/secret-key",
    security_token_file = "/run/secrets/token",
    paused = false,
    secret_key = "${SK:}",
    security_token = "${TOKEN:}",
    tls_enable = false,
    namespace = "${NS:}",
    namespace_v2 = "${NS:}",
    instance_name = "ledger-1",
    allocate = "machine-room",
    consumer_idcs = "north;south",
    client_rebalance = true,
    pop_invisible_time = "30s",
    pop_batch_nums = 16,
    pop_threshold_for_queue = 64,
    pull_threshold_for_queue = 500,
    pull_threshold_size_for_queue = "16MiB",
    pull_threshold_for_topic = 5000,
    pull_threshold_size_for_topic = "64MiB",
    consume_concurrently_max_span = 1000,
    local_offset_store_dir = "${OFFSETS:offsets}",
    enable_msg_trace = "${TRACED:true}",
    customized_trace_topic = "ledger-traces"
)]
pub async fn post(Json(_id): Json<u64>) {}

#[rocketmq_listener(topic = "refunds", group = "refunds", cluster = "eu", retry_delay = "10s")]
pub(crate) async fn refund(Json(_id): Json<u64>) {}

fn main() {}
