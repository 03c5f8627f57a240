//! A broker as a process, for tests that kill it. Its argument is a file with settings. It prints its address once it
//! serves.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use rocketmq_server::Node;
use rocketmq_server::clock::System;
use rocketmq_server::config::BrokerConfig;
use rocketmq_server::program::{self, StopRequests};

fn main() -> ExitCode {
    program::run(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("which file has the settings?")?;
    // The file names the store.
    let mut config = BrokerConfig::loopback("");
    config.load(Path::new(&file))?;
    let node = Node::start(config, Arc::new(System)).await?;
    node.registered().await;
    let mut stop = StopRequests::listen()?;
    println!("{}", node.advertised());
    stop.next().await;
    node.shutdown().await?;
    Ok(())
}
