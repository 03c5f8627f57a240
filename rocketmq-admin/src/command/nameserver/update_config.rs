//! `updateNamesrvConfig`: changes a setting of the name servers.

use clap::Args;
use rocketmq_remoting::requests::route::UpdateNamesrvConfigRequest;

use crate::admin::Admin;
use crate::command::{Steps, reports};
use crate::failure::Failure;
use crate::text::property;

/// Change a setting of all name servers
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin updateNamesrvConfig -n 127.0.0.1:9876 -k waitSecondsForService -v 45"
)]
pub struct UpdateNamesrvConfig {
    /// The setting
    #[arg(short = 'k', long)]
    pub key: String,
    /// The value
    #[arg(short = 'v', long, allow_hyphen_values = true)]
    pub value: String,
}

reports!(UpdateNamesrvConfig);

impl UpdateNamesrvConfig {
    /// Tells the name servers.
    ///
    /// # Errors
    /// A name server refuses or does not answer; the others were told all the same.
    pub async fn report(&self, admin: &Admin) -> Result<Steps, Failure> {
        let text = property(&self.key, &self.value)?;
        let told = admin.tell_name_servers(&UpdateNamesrvConfigRequest {}, text).await?;
        let servers: Vec<_> = told.into_iter().map(|(server, ())| server).collect();
        let mut steps = Steps::default();
        steps.say(format!("update name server config success![{}]", servers.join(", ")));
        steps.say(format!("{} : {}", self.key, self.value));
        Ok(steps)
    }
}
