//! A load generator with the arguments and the output of `tests/interop/java/Bench.java`, so that the two can be put side
//! by side on one broker:
//!
//! ```text
//! cargo run --release --example benchmark -- produce NAMESRV TOPIC CONCURRENCY SECONDS BODY_BYTES
//!                                            async   NAMESRV TOPIC IN_FLIGHT   SECONDS BODY_BYTES
//!                                            batch   NAMESRV TOPIC CONCURRENCY SECONDS BODY_BYTES
//!                                            consume NAMESRV TOPIC GROUP COUNT TIMEOUT_SECONDS
//!                                            limit   CONCURRENCY SECONDS BODY_BYTES
//! ```
//!
//! `limit` measures what this machine's loopback and this project's connection can do at most: bare requests that are
//! answered at once. The first second of a run is warm-up and is not counted.

mod consume;
mod limit;
mod measure;
mod produce;

use std::process::ExitCode;
use std::time::Duration;

use measure::{Load, number};

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
        ["produce", name_server, topic, load @ ..] => {
            produce::run(name_server, topic, Load::parse("produce", load)?).await
        }
        ["async", name_server, topic, load @ ..] => {
            produce::run(name_server, topic, Load::parse("async", load)?).await
        }
        ["batch", name_server, topic, load @ ..] => {
            produce::run(name_server, topic, Load::parse("batch", load)?).await
        }
        ["consume", name_server, topic, group, count, timeout] => {
            let timeout = Duration::from_secs(number(timeout)? as u64);
            consume::run(name_server, topic, group, number(count)? as u64, timeout).await
        }
        _ => Err("usage: produce|async|batch NAMESRV TOPIC CONCURRENCY SECONDS BODY_BYTES, \
                  consume NAMESRV TOPIC GROUP COUNT TIMEOUT_SECONDS, or limit CONCURRENCY SECONDS BODY_BYTES"
            .into()),
    }
}
