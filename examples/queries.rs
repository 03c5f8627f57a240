//! Finds messages by key, by id and by place, and lets a consumer handle one again.

use rocketmq_client::{CallErrorKind, Delivery, Message, Outcome};
use rocketmq_examples::{Cluster, Error};
use std::convert::Infallible;
use std::time::{Duration, SystemTime};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("shop").build().await?;
    let begun = SystemTime::now() - Duration::from_secs(60);
    producer.send(Message::new("parcels", "parcel 1").key("customer-7")).await?;
    let second = producer.send(Message::new("parcels", "parcel 2").key("customer-7")).await?;

    // A broker indexes a message a moment after it has stored it.
    let mut found = Vec::new();
    while found.len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        found = client.query_messages("parcels", "customer-7").since(begun).max(2).await?;
    }
    for message in &found {
        println!("by key: {} in queue {}", message.text().unwrap_or("?"), message.queue().queue_id);
    }
    let by_id = client.find_message("parcels", second.message_id()).await?.ok_or("no such message")?;
    println!("by id: {}", by_id.text().unwrap_or("?"));
    let by_place = client.view_message("parcels", second.offset_message_id()).await?;
    println!("by place: {}", by_place.text().unwrap_or("?"));

    let running = client
        .push_consumer("courier")
        .subscribe("parcels", "*")
        .listen(|parcel: Delivery| async move {
            println!("the courier takes {}", parcel.text().unwrap_or("?"));
            Ok::<_, Infallible>(Outcome::Ack)
        })
        .await?;
    // The client finds the group's brokers by its retry topic. Name servers learn of this topic a moment after the
    // first member came.
    let members = loop {
        match client.consumer_connection("courier").await {
            Err(error) if error.kind() == CallErrorKind::TopicNotFound => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            members => break members?,
        }
    };
    for member in &members.connection_set {
        let result =
            client.consume_directly("courier", &member.client_id, second.offset_message_id()).await?;
        println!("{} answers {:?}", member.client_id, result.consume_result);
    }

    running.shutdown().await;
    client.shutdown().await;
    Ok(())
}
