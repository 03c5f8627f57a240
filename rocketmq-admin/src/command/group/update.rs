//! `updateSubGroup`: creates a consumer group, or changes its settings.

use clap::{ArgAction, Args};
use rocketmq_remoting::body::{GroupRetryPolicy, SubscriptionGroupConfig};
use rocketmq_remoting::requests::group::UpdateSubscriptionGroupRequest;
use rocketmq_remoting::{Json, names};

use super::config::fields;
use crate::admin::{Admin, Broker};
use crate::command::topic::changes;
use crate::command::{Place, Steps, reports};
use crate::failure::Failure;

/// Create a consumer group, or change its settings
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin updateSubGroup -n 127.0.0.1:9876 -c DefaultCluster -g billing -r 5"
)]
pub struct UpdateSubGroup {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the type has the documentation")]
    pub place: Place,
    /// The group
    #[arg(short = 'g', long = "groupName", value_name = "GROUP")]
    pub group: String,
    /// The group may consume
    #[arg(short = 's', long = "consumeEnable", default_value_t = true, action = ArgAction::Set, value_name = "true|false")]
    pub consume: bool,
    /// A new group begins at the first message
    #[arg(short = 'm', long = "consumeFromMinEnable", default_value_t = false, action = ArgAction::Set, value_name = "true|false")]
    pub from_min: bool,
    /// Members may broadcast
    #[arg(short = 'd', long = "consumeBroadcastEnable", default_value_t = false, action = ArgAction::Set, value_name = "true|false")]
    pub broadcast: bool,
    /// Members read in order
    #[arg(short = 'o', long = "consumeMessageOrderly", default_value_t = false, action = ArgAction::Set, value_name = "true|false")]
    pub orderly: bool,
    /// The queues of the retry topic
    #[arg(short = 'q', long = "retryQueueNums", default_value_t = 1, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(0..))]
    pub retry_queues: i32,
    /// The retries before a message is dead
    #[arg(
        short = 'r',
        long = "retryMaxTimes",
        default_value_t = 16,
        value_name = "COUNT",
        allow_hyphen_values = true
    )]
    pub retries: i32,
    /// The waits between retries, as JSON; a wrong one shows an example
    #[arg(short = 'p', long = "groupRetryPolicy", value_name = "JSON")]
    pub policy: Option<String>,
    /// The broker id that members read from
    #[arg(short = 'i', long = "brokerId", default_value_t = 0, value_name = "ID")]
    pub broker_id: i64,
    /// The broker id that members read from while they lag far behind
    #[arg(short = 'w', long = "whichBrokerWhenConsumeSlowly", default_value_t = 1, value_name = "ID")]
    pub slow_broker_id: i64,
    /// Brokers tell members about each other
    #[arg(short = 'a', long = "notifyConsumerIdsChanged", default_value_t = true, action = ArgAction::Set, value_name = "true|false")]
    pub notify: bool,
    /// Attributes to set and to remove, such as "+key=value,-key"
    #[arg(long, value_name = "CHANGES", allow_hyphen_values = true)]
    pub attributes: Option<String>,
}

reports!(UpdateSubGroup);

impl UpdateSubGroup {
    /// Tells the masters.
    ///
    /// # Errors
    /// An option is illegal, there is no such cluster, or a broker refuses; those before it have the group.
    pub async fn report(&self, admin: &Admin) -> Result<Steps, Failure> {
        let (config, mut steps) = (self.config()?, Steps::default());
        for Broker { address, .. } in self.place.masters(admin).await? {
            admin.call(&address, &UpdateSubscriptionGroupRequest {}, Json(config.clone())).await?;
            steps.at(&address, format!("create subscription group to {address} success."));
        }
        let fields =
            fields(&config).map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("null")));
        steps.say(format!("SubscriptionGroupConfig{{{}}}", fields.join(", ")));
        Ok(steps)
    }

    fn config(&self) -> Result<SubscriptionGroupConfig, Failure> {
        names::check_group(&self.group).map_err(|error| Failure::usage(error.to_string()))?;
        let attributes = self.attributes.as_deref().map(changes).transpose()?.unwrap_or_default();
        Ok(SubscriptionGroupConfig {
            group_name: self.group.clone(),
            consume_enable: self.consume,
            consume_from_min_enable: self.from_min,
            consume_broadcast_enable: self.broadcast,
            consume_message_orderly: self.orderly,
            retry_queue_nums: self.retry_queues,
            retry_max_times: self.retries,
            group_retry_policy: self.policy.as_deref().map(policy).transpose()?.unwrap_or_default(),
            broker_id: self.broker_id,
            which_broker_when_consume_slowly: self.slow_broker_id,
            notify_consumer_ids_changed_enable: self.notify,
            attributes: attributes.into_iter().collect(),
            ..SubscriptionGroupConfig::default()
        })
    }
}

fn policy(json: &str) -> Result<GroupRetryPolicy, Failure> {
    serde_json::from_str(json).map_err(|error| {
        Failure::usage(format!("-p is no retry policy: {error}"))
            .with_remedy(r#"write {"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[1000,5000,10000]}}"#)
    })
}
