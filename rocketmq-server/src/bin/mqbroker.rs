//! The broker as a program.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use rocketmq_server::Node;
use rocketmq_server::clock::System;
use rocketmq_server::config::{BrokerConfig, NamesrvConfig};
use rocketmq_server::namesrv::NameServer;
use rocketmq_server::program::{self, Leftovers, StopRequests, say};

/// Takes messages, keeps them, hands them on.
#[derive(Debug, Parser)]
#[command(name = "mqbroker", version)]
struct Args {
    /// Settings, as Java properties or TOML
    #[arg(short = 'c', long, alias = "configFile", value_name = "FILE")]
    config_file: Option<PathBuf>,
    /// Name servers, such as "127.0.0.1:9876;192.168.0.1:9876"; before `namesrvAddr` of the file. With --dev: where its
    /// name server listens
    #[arg(short = 'n', long, alias = "namesrvAddr", value_name = "ADDRESSES")]
    namesrv_addr: Option<String>,
    /// Print every setting and exit
    #[arg(short = 'p', long, alias = "printConfigItem")]
    print_config_item: bool,
    /// Print the settings an operator looks at first and exit
    #[arg(short = 'm', long, alias = "printImportantConfig")]
    print_important_config: bool,
    /// Run a name server too, on this machine only, with a store that is removed at the end
    #[arg(long)]
    dev: bool,
    /// Settings; before those of the file
    #[arg(value_name = "KEY=VALUE")]
    rest: Vec<String>,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    program::run(serve(Args::parse_from(program::arguments())))
}

async fn serve(args: Args) -> Outcome<()> {
    let folder =
        if args.dev { Some(tempfile::Builder::new().prefix("rocketmq-dev-").tempdir()?) } else { None };
    let mut config =
        folder.as_ref().map_or_else(BrokerConfig::default, |folder| for_development(folder.path()));
    let leftovers = Leftovers::read(args.namesrv_addr.as_deref(), &args.rest)?;
    configure(&mut config, &args, &leftovers)?;
    if args.print_config_item {
        say(config.properties().trim_end());
    } else if args.print_important_config {
        say(config.important().trim_end());
    } else if args.dev {
        run_with_name_server(config, leftovers.name_servers.as_deref()).await?;
    } else {
        run(config).await?;
    }
    Ok(())
}

fn for_development(folder: &std::path::Path) -> BrokerConfig {
    let mut config = BrokerConfig::loopback(folder);
    config.network.listen_port = BrokerConfig::DEFAULT_PORT;
    config
}

fn configure(config: &mut BrokerConfig, args: &Args, leftovers: &Leftovers) -> Outcome<()> {
    if let Ok(addresses) = std::env::var("NAMESRV_ADDR") {
        set_name_servers(config, &addresses)?;
    }
    if let Some(path) = &args.config_file {
        config.load(path)?.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        say(format_args!("load config properties file OK, {}", path.display()));
    }
    config.load_tls_file()?.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
    if let Some(addresses) = leftovers.name_servers.as_deref().filter(|_| !args.dev) {
        set_name_servers(config, addresses)?;
    }
    let notes = config.apply_from("the command line", &leftovers.settings)?;
    notes.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(())
}

fn set_name_servers(config: &mut BrokerConfig, addresses: &str) -> Outcome<()> {
    let set = config.apply(&format!("namesrvAddr={addresses}"));
    set.map(drop).map_err(|_| {
        format!(
            "The Name Server Address[{addresses}] illegal, please set it as follows, \
             \"127.0.0.1:9876;192.168.0.1:9876\""
        )
        .into()
    })
}

async fn run_with_name_server(mut config: BrokerConfig, address: Option<&str>) -> Outcome<()> {
    let mut settings = NamesrvConfig::ephemeral();
    settings.network.listen_port = NamesrvConfig::DEFAULT_PORT;
    if let Some(address) = address {
        let one: SocketAddr = address.parse().map_err(|_| {
            format!("-n is {address:?}, but with --dev must be one address, such as 127.0.0.1:9876")
        })?;
        settings.network.bind_address = one.ip();
        settings.network.listen_port = one.port();
    }
    let server = NameServer::start(settings, Arc::new(System)).await;
    let server = server.map_err(|error| format!("{error}, with --dev: `-n 127.0.0.1:PORT`"))?;
    say(format_args!("The Name Server boot success. serializeType=JSON, address {}", server.address()));
    config.name_servers = vec![server.address().to_string()];
    run(config).await?;
    server.shutdown().await;
    Ok(())
}

async fn run(mut config: BrokerConfig) -> Outcome<()> {
    program::make_room(&mut config.network);
    let name = config.settings.fixed.broker_name.clone();
    let name_servers = config.name_servers.join(";");
    let node = Node::start(config, Arc::new(System)).await?;
    let known_to =
        if name_servers.is_empty() { String::new() } else { format!(" and name server is {name_servers}") };
    let mut stop = StopRequests::listen()?;
    say(format_args!("The broker[{name}, {}] boot success. serializeType=JSON{known_to}", node.advertised()));
    stop.next().await;
    tokio::select! {
        stopped = node.shutdown() => stopped?,
        () = stop.next() => return Err("stopped at once: the next start recovers what was not on the disk".into()),
    }
    say("shutdown complete");
    Ok(())
}
