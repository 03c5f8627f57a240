//! Sends orders and handles them with listeners in the same application. Start here.
//!
//! ```text
//! cargo run -p rocketmq-examples --example orders                               # on an embedded broker, until Ctrl-C
//! cargo run -p rocketmq-examples --example orders -- --once                     # ends by itself
//! ROCKETMQ_NAME_SERVER=127.0.0.1:9876 cargo run -p rocketmq-examples --example orders
//! ```

use rocketmq_starter::{
    App, Attempt, BoxError, Context, Json, Outcome, RocketmqTemplate, RunError, SendError, Tag, Text,
    rocketmq_listener,
};
use serde::{Deserialize, Serialize};
use std::io::IsTerminal as _;
use std::time::Duration;

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    id: u32,
    item: String,
    amount: i64,
}

/// Bills new orders, four at a time (see `application.toml`). The broker delivers a failed order again after a second.
#[rocketmq_listener(
    topic = "${orders.topic}",
    group = "billing",
    selector = "created",
    from = "first",
    retry_delay = "1s"
)]
async fn bill(Json(order): Json<Order>, Attempt(attempt): Attempt) -> Result<Outcome, BoxError> {
    if order.amount <= 0 {
        println!(
            "billing   order {}: an amount of {} will never be billed -> dead-lettered",
            order.id, order.amount
        );
        return Ok(Outcome::DeadLetter);
    }
    if order.id % 3 == 0 && attempt == 1 {
        println!("billing   order {}: the bank does not answer -> retried", order.id);
        return Err("the bank does not answer".into());
    }
    println!(
        "billing   order {}: {} for {} cents, try {attempt} -> handled",
        order.id, order.item, order.amount
    );
    Ok(Outcome::Ack)
}

/// Prints every order. Orders of one customer come in their order.
#[rocketmq_listener(topic = "${orders.topic}", group = "audit", mode = "orderly", from = "first")]
async fn audit(Text(order): Text, Tag(tag): Tag) {
    println!("audit     {} {order}", tag.unwrap_or_default());
}

const ORDERS: [(u32, &str, i64); 4] = [(1, "book", 1500), (2, "pen", 120), (3, "lamp", 4900), (4, "gift", 0)];
/// Both groups handle each order and the line that is no order.
const HANDLINGS: u64 = 2 * (ORDERS.len() as u64 + 1);

async fn place_orders(template: &RocketmqTemplate) -> Result<(), SendError> {
    for (id, item, amount) in ORDERS {
        let order = Order { id, item: item.to_owned(), amount };
        let receipt = template.send("orders:created", &order).key(id).ordered_by("customer-7").await?;
        println!("sent      order {id}: {item} (message {})", receipt.message_id());
    }
    template.send("orders:created", Text("this is no order".to_owned())).await?;
    println!("sent      a line that is no order: billing cannot read it -> dead-lettered");
    Ok(())
}

/// Waits until both groups have handled or dead-lettered every message.
async fn all_handled(context: &Context) {
    let done = |context: &Context| -> u64 {
        context.health().listeners.iter().map(|listener| listener.handled + listener.dead_lettered).sum()
    };
    while done(context) < HANDLINGS {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn demonstrate(context: Context) -> Result<(), BoxError> {
    let template = context.template().ok_or("rocketmq.producer.group is not set")?;
    place_orders(template).await?;
    if !std::env::args().any(|argument| argument == "--once") {
        println!("          waiting for more orders; Ctrl-C ends");
        return Ok(());
    }
    all_handled(&context).await;
    context.stop();
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), RunError> {
    let colours = std::io::stdout().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter("warn")
        .with_target(false)
        .with_ansi(colours)
        .without_time()
        .init();
    App::new()
        .config_file(concat!(env!("CARGO_MANIFEST_DIR"), "/application.toml"))
        .listener(bill)
        .listener(audit)
        .on_ready(demonstrate)
        .on_stop(|context| async move {
            for listener in context.health().listeners {
                let (handled, retried, dead) = (listener.handled, listener.retried, listener.dead_lettered);
                println!("{:9} handled {handled}, retried {retried}, dead-lettered {dead}", listener.group);
            }
            Ok::<_, BoxError>(())
        })
        .run()
        .await
}
