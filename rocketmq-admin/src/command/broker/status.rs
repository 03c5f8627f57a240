//! `brokerStatus`: the figures of brokers.

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;
use serde::Serialize;

use crate::admin::Admin;
use crate::command::{Place, Run};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Show the figures of a broker, or of all brokers of a cluster
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin brokerStatus -n 127.0.0.1:9876 -b 10.0.0.5:10911")]
pub struct BrokerStatus {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the type has the documentation")]
    pub place: Place,
}

impl Run for BrokerStatus {
    async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        let mut report =
            BrokerStatusReport { brokers: Vec::new(), with_address: self.place.cluster.is_some() };
        for broker in self.place.brokers(admin).await? {
            match admin.runtime_info(&broker.address).await {
                Ok(figures) => report.brokers.push(Figures { address: broker.address, figures }),
                Err(failure) if self.place.broker.is_some() => return Err(failure),
                Err(failure) => terminal.warn(failure),
            }
        }
        terminal.show(&report)
    }
}

/// The figures of brokers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokerStatusReport {
    /// Those that answered.
    pub brokers: Vec<Figures>,
    #[serde(skip)]
    with_address: bool,
}

/// The figures of one broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Its `host:port`.
    pub address: String,
    /// By the broker's names.
    pub figures: BTreeMap<String, String>,
}

impl fmt::Display for BrokerStatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Figures { address, figures } in &self.brokers {
            for (name, value) in figures {
                if self.with_address {
                    write!(f, "{address:<24} ")?;
                }
                writeln!(f, "{name:<32}: {value}")?;
            }
        }
        Ok(())
    }
}
