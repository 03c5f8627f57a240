//! `updateBrokerConfig`: changes a setting of running brokers.

use clap::Args;
use rocketmq_remoting::requests::broker::UpdateBrokerConfigRequest;

use crate::admin::{Admin, Broker};
use crate::command::{Place, Run, Steps};
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::text::property;

/// Change a setting of a broker, or of the masters of a cluster
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin updateBrokerConfig -n 127.0.0.1:9876 -b 10.0.0.5:10911 -k fileReservedTime -v 48"
)]
pub struct UpdateBrokerConfig {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the type has the documentation")]
    pub place: Place,
    /// Change the slaves of the cluster too
    #[arg(short = 'a', long = "updateAllBroker", requires = "cluster")]
    pub all: bool,
    /// The setting
    #[arg(short = 'k', long)]
    pub key: String,
    /// The value
    #[arg(short = 'v', long, allow_hyphen_values = true)]
    pub value: String,
}

impl Run for UpdateBrokerConfig {
    async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        let (text, mut steps) = (property(&self.key, &self.value)?, Steps::default());
        let brokers =
            if self.all { self.place.brokers(admin).await? } else { self.place.masters(admin).await? };
        for Broker { address, .. } in brokers {
            match admin.call(&address, &UpdateBrokerConfigRequest {}, text.clone()).await {
                Ok(()) => steps.at(&address, format!("update broker config success, {address}")),
                Err(failure) if self.place.broker.is_some() => return Err(failure),
                Err(failure) => terminal.warn(failure),
            }
        }
        terminal.show(&steps)
    }
}
