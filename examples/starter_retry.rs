//! Shows three ways of failure: a message is retried, given up after some tries, or dead-lettered at once.

use rocketmq_examples::{Cluster, Error};
use rocketmq_starter::{App, Attempt, DelayLevel, Json, Outcome, Text, rocketmq_listener};
use std::time::Duration;

/// Handles jobs. A message that is no number goes to the dead letter queue without a call.
#[rocketmq_listener(topic = "jobs", group = "worker", from = "first", max_reconsume_times = 16)]
async fn work(Json(job): Json<u32>, Attempt(attempt): Attempt) -> Outcome {
    match (job, attempt) {
        (1, _) => println!("job 1: done"),
        (2, 1) => {
            println!("job 2: not now, again in a second");
            return Outcome::RetryAfter(DelayLevel::S1);
        }
        (2, _) => println!("job 2: done at try {attempt}"),
        _ => {
            println!("job {job}: never possible, to the dead letters");
            return Outcome::DeadLetter;
        }
    }
    Outcome::Ack
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cluster = Cluster::start().await?;
    let app = App::new()
        .set("rocketmq.name-server", cluster.name_server())
        .set("rocketmq.producer.group", "dispatcher")
        .listener(work)
        .start()
        .await?;
    let template = app.template().ok_or("no producer is configured")?;
    for job in 1..=3 {
        template.send("jobs", job).await?;
    }
    template.send("jobs", Text("no number".to_owned())).await?;

    loop {
        let done = &app.health().listeners[0];
        if done.handled + done.dead_lettered == 4 {
            println!(
                "handled {}, retried {}, dead-lettered {}",
                done.handled, done.retried, done.dead_lettered
            );
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.shutdown().await;
    Ok(())
}
