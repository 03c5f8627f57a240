//! Receives messages one by one with POP (5.x). Each stays hidden from other consumers until it is acknowledged or its
//! time runs out.

use rocketmq_client::Message;
use rocketmq_examples::{Cluster, Error};
use std::time::Duration;

const JOBS: usize = 6;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let client = rocketmq_client::connect(cluster.name_server()).await?;
    let producer = client.producer("scheduler").build().await?;
    for n in 1..=JOBS {
        producer.send(Message::new("jobs", format!("job {n}"))).await?;
    }

    let consumer = client.simple_consumer("workers").subscribe("jobs", "*").from_first().build().await?;
    let mut done = 0;
    while done < JOBS {
        for mut job in consumer.receive(4).invisible(Duration::from_secs(30)).await? {
            if job.text() == Some("job 3") {
                // The job takes longer: hides the message for another minute.
                consumer.renew(&mut job, Duration::from_secs(60)).await?;
            }
            println!("{} done", job.text().unwrap_or("an unreadable job"));
            // Without the acknowledgement the broker would deliver the message again, to any consumer of the group.
            consumer.ack(&job).await?;
            done += 1;
        }
    }

    consumer.shutdown().await;
    client.shutdown().await;
    Ok(())
}
