//! Sends a request and waits for its reply: the return value of the handler.

use rocketmq_examples::{Cluster, Error};
use rocketmq_starter::{App, Json, rocketmq_listener};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Serialize, Deserialize)]
struct Ask {
    item: String,
    pieces: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Quote {
    cents: u32,
}

#[rocketmq_listener(topic = "quotes", group = "sales", from = "first")]
async fn quote(Json(ask): Json<Ask>) -> Json<Quote> {
    Json(Quote { cents: ask.pieces * 120 })
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let app = App::new()
        .set("rocketmq.name-server", cluster.name_server())
        .set("rocketmq.producer.group", "customers")
        .listener(quote)
        .start()
        .await?;

    let template = app.template().ok_or("no producer is configured")?;
    let ask = Ask { item: "pen".to_owned(), pieces: 12 };
    let Json(answer): Json<Quote> = template.request("quotes", &ask).timeout(Duration::from_secs(10)).await?;
    println!("{} {}s cost {} cents", ask.pieces, ask.item, answer.cents);

    app.shutdown().await;
    Ok(())
}
