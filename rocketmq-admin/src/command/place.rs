//! [`Place`]: the broker or the cluster that a command is for.

use clap::Args;

use crate::admin::{Admin, Broker};
use crate::failure::Failure;

/// Names the broker or the cluster that a command is for.
#[derive(Debug, Clone, Default, Args)]
#[group(required = true, multiple = false)]
pub struct Place {
    /// One broker
    #[arg(short = 'b', long = "brokerAddr", value_name = "HOST:PORT")]
    pub broker: Option<String>,
    /// All brokers of a cluster
    #[arg(short = 'c', long = "clusterName", value_name = "CLUSTER")]
    pub cluster: Option<String>,
}

impl Place {
    /// Names one broker.
    pub fn broker(address: impl Into<String>) -> Self {
        Self { broker: Some(address.into()), cluster: None }
    }

    /// Names a cluster.
    pub fn cluster(name: impl Into<String>) -> Self {
        Self { broker: None, cluster: Some(name.into()) }
    }

    /// Lists the brokers of the place; of a broker only the address is known.
    pub(crate) async fn brokers(&self, admin: &Admin) -> Result<Vec<Broker>, Failure> {
        match &self.broker {
            Some(address) => Ok(vec![alone(address)]),
            None => admin.brokers(self.cluster.as_deref()).await,
        }
    }

    /// Lists the masters of the place.
    pub(crate) async fn masters(&self, admin: &Admin) -> Result<Vec<Broker>, Failure> {
        match (&self.broker, &self.cluster) {
            (Some(address), _) => Ok(vec![alone(address)]),
            (None, cluster) => admin.masters(cluster.as_deref().unwrap_or_default()).await,
        }
    }
}

fn alone(address: &str) -> Broker {
    Broker { cluster: String::new(), name: String::new(), id: 0, address: address.to_owned() }
}
