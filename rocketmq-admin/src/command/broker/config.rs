//! `getBrokerConfig`: the settings of brokers.

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;
use rocketmq_remoting::requests::broker::GetBrokerConfigRequest;
use serde::Serialize;

use crate::admin::{Admin, Broker};
use crate::command::{Place, reports};
use crate::failure::Failure;
use crate::text::properties;

/// Show the settings of a broker, or of all brokers of a cluster
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin getBrokerConfig -n 127.0.0.1:9876 -b 10.0.0.5:10911")]
pub struct GetBrokerConfig {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the type has the documentation")]
    pub place: Place,
}

reports!(GetBrokerConfig);

impl GetBrokerConfig {
    /// Asks for the settings.
    ///
    /// # Errors
    /// There is no such cluster, or a broker does not answer.
    pub async fn report(&self, admin: &Admin) -> Result<BrokerConfigs, Failure> {
        let (mut brokers, mut master) = (Vec::new(), None);
        for broker in self.place.brokers(admin).await? {
            let (_, text) = admin.call(&broker.address, &GetBrokerConfigRequest {}, ()).await?;
            if broker.id == 0 {
                master = Some(broker.clone());
            }
            let master = master.as_ref().filter(|it| it.name == broker.name).map(|it| it.address.clone());
            brokers.push(BrokerConfig { master, config: properties(&text), broker });
        }
        Ok(BrokerConfigs { brokers })
    }
}

/// The settings of brokers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokerConfigs {
    /// By cluster, name and id.
    pub brokers: Vec<BrokerConfig>,
}

/// The settings of one broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokerConfig {
    /// The broker; of one that was named by its address, only the address.
    #[serde(flatten)]
    pub broker: Broker,
    /// The address of its master, which may be itself.
    pub master: Option<String>,
    /// Values by key.
    pub config: BTreeMap<String, String>,
}

impl fmt::Display for BrokerConfigs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for it in &self.brokers {
            let (Broker { cluster, id, address, .. }, bar) = (&it.broker, "============");
            let master = it.master.as_deref().unwrap_or("NO_MASTER");
            match (cluster.is_empty(), id) {
                (true, _) => writeln!(f, "{bar}{address}{bar}")?,
                (false, 0) => writeln!(f, "{bar}Master: {address}{bar}")?,
                (false, _) => writeln!(f, "{bar}My Master: {master}=====Slave: {address}{bar}")?,
            }
            it.config.iter().try_for_each(|(key, value)| writeln!(f, "{key:<50}=  {value}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}
