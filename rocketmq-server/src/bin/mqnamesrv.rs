//! The name server as a program.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use rocketmq_server::clock::System;
use rocketmq_server::config::NamesrvConfig;
use rocketmq_server::namesrv::NameServer;
use rocketmq_server::program::{self, StopRequests};

/// Tells clients where topics live.
#[derive(Debug, Parser)]
#[command(name = "mqnamesrv", version)]
struct Args {
    /// Settings, as Java properties or TOML
    #[arg(short = 'c', long, value_name = "FILE")]
    config_file: Option<PathBuf>,
    /// Print every setting and exit
    #[arg(short = 'p', long)]
    print_config_item: bool,
    /// Accepted and ignored, as Apache's does: name servers do not know each other
    #[arg(short = 'n', long, value_name = "ADDRESSES", hide = true)]
    namesrv_addr: Option<String>,
}

fn main() -> ExitCode {
    program::run(serve(Args::parse()))
}

async fn serve(args: Args) -> Result<(), Box<dyn Error>> {
    let mut config = NamesrvConfig::default();
    if let Some(path) = &args.config_file {
        config.load(path)?.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        println!("load config properties file OK, {}", path.display());
    }
    config.load_tls_file()?.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
    if args.print_config_item {
        print!("{}", config.properties());
        return Ok(());
    }
    let server = NameServer::start(config, Arc::new(System)).await?;
    let mut stop = StopRequests::listen()?;
    println!("The Name Server boot success. serializeType=JSON, address {}", server.address());
    stop.next().await;
    server.shutdown().await;
    println!("shutdown complete");
    Ok(())
}
