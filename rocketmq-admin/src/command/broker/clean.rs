//! `cleanExpiredCQ`, `cleanUnusedTopic` and `deleteExpiredCommitLog`: clean the stores of brokers.

use clap::Args;
use rocketmq_remoting::Request;
use rocketmq_remoting::requests::broker::{
    CleanExpiredConsumeQueueRequest, CleanUnusedTopicRequest, DeleteExpiredCommitLogRequest,
};
use serde::Serialize;
use std::fmt;

use crate::admin::{Admin, Broker};
use crate::command::{Run, reports};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The brokers to clean: one, those of a cluster, or all.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
#[allow(missing_docs, reason = "the fields are what they are called")]
pub struct Brokers {
    /// One broker
    #[arg(short = 'b', long = "brokerAddr", value_name = "HOST:PORT")]
    pub broker: Option<String>,
    /// All brokers of a cluster. Default: of all clusters
    #[arg(short = 'c', long = "cluster", value_name = "CLUSTER")]
    pub cluster: Option<String>,
}

/// Delete the consume queues whose messages are gone
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin cleanExpiredCQ -n 127.0.0.1:9876 -c DefaultCluster")]
pub struct CleanExpiredCq {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the type has the documentation")]
    pub brokers: Brokers,
}

/// Delete the consume queues of deleted topics
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin cleanUnusedTopic -n 127.0.0.1:9876 -c DefaultCluster")]
pub struct CleanUnusedTopic {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the type has the documentation")]
    pub brokers: Brokers,
}

/// Delete the commit log files that are older than their time
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin deleteExpiredCommitLog -n 127.0.0.1:9876 -c DefaultCluster --yes"
)]
pub struct DeleteExpiredCommitLog {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the type has the documentation")]
    pub brokers: Brokers,
}

reports!(CleanExpiredCq, CleanUnusedTopic);

impl CleanExpiredCq {
    /// Tells the brokers.
    ///
    /// # Errors
    /// There is no such cluster, or a broker refuses.
    pub async fn report(&self, admin: &Admin) -> Result<Cleaned, Failure> {
        clean(admin, &self.brokers, &CleanExpiredConsumeQueueRequest {}).await
    }
}

impl CleanUnusedTopic {
    /// Tells the brokers.
    ///
    /// # Errors
    /// There is no such cluster, or a broker refuses.
    pub async fn report(&self, admin: &Admin) -> Result<Cleaned, Failure> {
        clean(admin, &self.brokers, &CleanUnusedTopicRequest {}).await
    }
}

impl Run for DeleteExpiredCommitLog {
    async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        terminal.confirm("delete the messages that are older than fileReservedTime")?;
        terminal.show(&clean(admin, &self.brokers, &DeleteExpiredCommitLogRequest {}).await?)
    }
}

async fn clean<R>(admin: &Admin, wanted: &Brokers, request: &R) -> Result<Cleaned, Failure>
where
    R: Request<Body = (), Response = ()>,
{
    let brokers = match &wanted.broker {
        Some(address) => vec![address.clone()],
        None => {
            let all = admin.brokers(wanted.cluster.as_deref()).await?;
            all.into_iter().map(|Broker { address, .. }| address).collect()
        }
    };
    for address in &brokers {
        admin.call_long(3, address, request, ()).await?;
    }
    Ok(Cleaned { brokers })
}

/// The brokers that were cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cleaned {
    /// The `host:port` of each.
    pub brokers: Vec<String>,
}

impl fmt::Display for Cleaned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.brokers.is_empty() { "false" } else { "success" })?;
        writeln!(f)
    }
}
