//! The name server as a program.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use rocketmq_server::clock::System;
use rocketmq_server::config::NamesrvConfig;
use rocketmq_server::namesrv::NameServer;
use rocketmq_server::program::{self, Leftovers, StopRequests, say};

/// Tells clients where topics live.
#[derive(Debug, Parser)]
#[command(name = "mqnamesrv", version)]
struct Args {
    /// Settings, as Java properties or TOML
    #[arg(short = 'c', long, alias = "configFile", value_name = "FILE")]
    config_file: Option<PathBuf>,
    /// Print every setting and exit
    #[arg(short = 'p', long, alias = "printConfigItem")]
    print_config_item: bool,
    /// Accepted without effect, as Apache's does: name servers do not know each other
    #[arg(short = 'n', long, alias = "namesrvAddr", value_name = "ADDRESSES", hide = true)]
    namesrv_addr: Option<String>,
    /// Settings; before those of the file
    #[arg(value_name = "KEY=VALUE")]
    rest: Vec<String>,
}

fn main() -> ExitCode {
    program::run(serve(Args::parse_from(program::arguments())))
}

async fn serve(args: Args) -> Result<(), Box<dyn Error>> {
    let mut config = NamesrvConfig::default();
    configure(&mut config, &args)?;
    if args.print_config_item {
        say(config.properties().trim_end());
        return Ok(());
    }
    program::make_room(&mut config.network);
    let server = NameServer::start(config, Arc::new(System)).await?;
    let mut stop = StopRequests::listen()?;
    say(format_args!("The Name Server boot success. serializeType=JSON, address {}", server.address()));
    stop.next().await;
    tokio::select! {
        () = server.shutdown() => {}
        () = stop.next() => return Err("stopped at once, with requests unanswered".into()),
    }
    say("shutdown complete");
    Ok(())
}

fn configure(config: &mut NamesrvConfig, args: &Args) -> Result<(), Box<dyn Error>> {
    let leftovers = Leftovers::read(args.namesrv_addr.as_deref(), &args.rest)?;
    if let Some(path) = &args.config_file {
        config.load(path)?.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        say(format_args!("load config properties file OK, {}", path.display()));
    }
    config.load_tls_file()?.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
    let notes = config.apply_from("the command line", &leftovers.settings)?;
    notes.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
    if let Some(addresses) = &leftovers.name_servers {
        let listens = format!("{}:{}", config.network.bind_address, config.network.listen_port);
        if !addresses.ends_with(&format!(":{}", config.network.listen_port)) {
            tracing::warn!(
                "`-n {addresses}` has no effect: a name server listens where `bindAddress` and `listenPort` say, {listens}"
            );
        }
    }
    Ok(())
}
