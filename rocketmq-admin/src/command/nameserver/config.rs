//! `getNamesrvConfig`: the settings of the name servers.

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;
use rocketmq_remoting::requests::route::GetNamesrvConfigRequest;
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;
use crate::text::properties;

/// Show the settings of all name servers
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin getNamesrvConfig -n 127.0.0.1:9876")]
pub struct GetNamesrvConfig {}

reports!(GetNamesrvConfig);

impl GetNamesrvConfig {
    /// Asks for the settings.
    ///
    /// # Errors
    /// A name server does not answer.
    pub async fn report(&self, admin: &Admin) -> Result<NamesrvConfigs, Failure> {
        let answers = admin.tell_name_servers(&GetNamesrvConfigRequest {}, ()).await?;
        let server = |(address, text): (String, String)| NamesrvConfig { address, config: properties(&text) };
        Ok(NamesrvConfigs { name_servers: answers.into_iter().map(server).collect() })
    }
}

/// The settings of the name servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamesrvConfigs {
    /// In the order in which they were named.
    pub name_servers: Vec<NamesrvConfig>,
}

/// The settings of one name server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamesrvConfig {
    /// Its `host:port`.
    pub address: String,
    /// Values by key.
    pub config: BTreeMap<String, String>,
}

impl fmt::Display for NamesrvConfigs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for NamesrvConfig { address, config } in &self.name_servers {
            writeln!(f, "============{address}============")?;
            config.iter().try_for_each(|(key, value)| writeln!(f, "{key:<50}=  {value}"))?;
        }
        Ok(())
    }
}
