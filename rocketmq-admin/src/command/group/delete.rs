//! `deleteSubGroup`: removes a consumer group.

use clap::{ArgAction, Args};
use rocketmq_remoting::names;
use rocketmq_remoting::requests::group::DeleteSubscriptionGroupRequest;

use crate::admin::{Admin, Broker};
use crate::command::{Place, Run, Steps};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Delete a consumer group; in a cluster with its retry and dead letter topics
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin deleteSubGroup -n 127.0.0.1:9876 -c DefaultCluster -g billing --yes"
)]
pub struct DeleteSubGroup {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the type has the documentation")]
    pub place: Place,
    /// The group
    #[arg(short = 'g', long = "groupName", value_name = "GROUP")]
    pub group: String,
    /// Delete the offsets of the group too
    #[arg(short = 'r', long = "removeOffset", default_value_t = false, action = ArgAction::Set, value_name = "true|false")]
    pub remove_offset: bool,
}

impl Run for DeleteSubGroup {
    async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        let what = if self.place.cluster.is_some() { ", its retries and its dead letters" } else { "" };
        terminal.confirm(format_args!("delete group {}{what}", self.group))?;
        let (group, mut steps) = (&self.group, Steps::default());
        for Broker { address, .. } in self.place.masters(admin).await? {
            let request = DeleteSubscriptionGroupRequest {
                group_name: group.clone(),
                clean_offset: self.remove_offset,
            };
            admin.call(&address, &request, ()).await?;
            let of =
                self.place.cluster.as_ref().map_or(String::new(), |name| format!(" in cluster [{name}]"));
            steps.at(
                &address,
                format!("delete subscription group [{group}] from broker [{address}]{of} success."),
            );
        }
        if let Some(cluster) = &self.place.cluster {
            admin.delete_topic(cluster, &names::retry_topic(group)).await?;
            admin.delete_topic(cluster, &names::dlq_topic(group)).await?;
        }
        terminal.show(&steps)
    }
}
