//! Generates load, with the arguments and the output of `tests/interop/java/Bench.java`: `tests/interop/benchmarks`
//! compares the two on one broker.
//!
//! ```text
//! cargo run --profile dist --example benchmark -- produce     NAMESRV TOPIC CONCURRENCY SECONDS BODY_BYTES
//!                                            async       NAMESRV TOPIC IN_FLIGHT   SECONDS BODY_BYTES
//!                                            batch       NAMESRV TOPIC CONCURRENCY SECONDS BODY_BYTES
//!                                            ordered     NAMESRV TOPIC CONCURRENCY SECONDS BODY_BYTES
//!                                            transaction NAMESRV TOPIC CONCURRENCY SECONDS BODY_BYTES
//!                                            fill        NAMESRV TOPIC COUNT BODY_BYTES
//!                                            consume     NAMESRV TOPIC GROUP COUNT TIMEOUT_SECONDS
//!                                            orderly     NAMESRV TOPIC GROUP COUNT TIMEOUT_SECONDS
//!                                            pop         NAMESRV TOPIC GROUP COUNT TIMEOUT_SECONDS
//!                                            sql         NAMESRV TOPIC GROUP COUNT TIMEOUT_SECONDS
//!                                            starter     NAMESRV TOPIC GROUP COUNT TIMEOUT_SECONDS
//!                                            delay       NAMESRV TOPIC COUNT AFTER_SECONDS OVER_SECONDS
//!                                            limit       CONCURRENCY SECONDS BODY_BYTES
//! ```
//!
//! `fill` stores messages for the five modes below it. A tenth of them passes the filter of `sql`; a listener of
//! rocketmq-starter handles those of `starter`. `limit` measures the ceiling of this machine's loopback and of this
//! project's connection: bare requests, answered at once. The first second of a run with SECONDS is warm-up and does
//! not count.

mod consume;
mod delay;
mod limit;
mod measure;
mod pop;
mod produce;
mod transaction;

use std::process::ExitCode;

use consume::Backlog;
use measure::Load;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words).await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("benchmark: {error}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn run(words: &[&str]) -> Result<String, Failure> {
    match words {
        ["limit", load @ ..] => limit::run(Load::parse("limit", load)?).await,
        [mode @ ("produce" | "async" | "batch" | "ordered"), name_server, topic, load @ ..] => {
            produce::run(name_server, topic, Load::parse(mode, load)?).await
        }
        ["transaction", name_server, topic, load @ ..] => {
            transaction::run(name_server, topic, Load::parse("transaction", load)?).await
        }
        ["fill", name_server, topic, count, body] => {
            produce::fill(name_server, topic, measure::number(count)?, measure::number(body)?).await
        }
        [mode @ ("consume" | "orderly" | "pop" | "sql"), name_server, topic, group, count, timeout] => {
            let backlog = Backlog::parse(topic, group, count, timeout)?;
            consume::run(name_server, mode, backlog).await
        }
        ["starter", name_server, topic, group, count, timeout] => {
            consume::starter(name_server, Backlog::parse(topic, group, count, timeout)?).await
        }
        ["delay", name_server, topic, count, after, over] => {
            delay::run(name_server, topic, delay::Plan::parse(count, after, over)?).await
        }
        _ => Err("usage: produce|async|batch|ordered|transaction NAMESRV TOPIC CONCURRENCY SECONDS BODY_BYTES, \
                  fill NAMESRV TOPIC COUNT BODY_BYTES, \
                  consume|orderly|pop|sql|starter NAMESRV TOPIC GROUP COUNT TIMEOUT_SECONDS, \
                  delay NAMESRV TOPIC COUNT AFTER_SECONDS OVER_SECONDS, or limit CONCURRENCY SECONDS BODY_BYTES"
            .into()),
    }
}
