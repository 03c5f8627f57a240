//! `producer`: the producers of a broker.

use std::fmt;

use clap::Args;
use rocketmq_remoting::Json;
use rocketmq_remoting::body::ProducerInfo;
use rocketmq_remoting::requests::group::GetAllProducerInfoRequest;
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;

/// List the producers that are connected to a broker
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin producer -n 127.0.0.1:9876 -b 10.0.0.5:10911")]
pub struct Producer {
    /// The broker
    #[arg(short = 'b', long = "broker", value_name = "HOST:PORT")]
    pub broker: String,
}

reports!(Producer);

impl Producer {
    /// Asks for the producers.
    ///
    /// # Errors
    /// The broker does not answer.
    pub async fn report(&self, admin: &Admin) -> Result<ProducersReport, Failure> {
        let Json(table) = admin.call(&self.broker, &GetAllProducerInfoRequest {}, ()).await?;
        let groups = table.data.into_iter().map(|(group, producers)| ProducerGroup { group, producers });
        Ok(ProducersReport { groups: groups.collect() })
    }
}

/// The producers of a broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProducersReport {
    /// By name.
    pub groups: Vec<ProducerGroup>,
}

/// The producers of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProducerGroup {
    /// The group.
    pub group: String,
    /// Its members.
    pub producers: Vec<ProducerInfo>,
}

impl fmt::Display for ProducersReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ProducerGroup { group, producers } in &self.groups {
            if producers.is_empty() {
                writeln!(f, "producer group ({group}) instances are empty")?;
            }
            for it in producers {
                writeln!(
                    f,
                    "producer group ({group}) instance : clientId={},remoteIP={}, language={}, version={}, lastUpdateTimestamp={}",
                    it.client_id,
                    it.remote_ip,
                    it.language.as_deref().unwrap_or("null"),
                    it.version,
                    it.last_update_timestamp
                )?;
            }
        }
        Ok(())
    }
}
