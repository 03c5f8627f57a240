//! `getConsumerConfig`: the settings of a consumer group.

use std::fmt;

use clap::Args;
use rocketmq_remoting::body::{GroupRetryPolicy, SubscriptionGroupConfig};
use rocketmq_remoting::requests::group::GetSubscriptionGroupConfigRequest;
use rocketmq_remoting::{Json, ResponseCode};
use serde::Serialize;

use crate::admin::{Admin, Broker};
use crate::command::reports;
use crate::failure::Failure;

/// Show the settings of a consumer group on each broker
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin getConsumerConfig -n 127.0.0.1:9876 -g billing")]
pub struct GetConsumerConfig {
    /// The group
    #[arg(short = 'g', long = "groupName", value_name = "GROUP")]
    pub group: String,
}

reports!(GetConsumerConfig);

impl GetConsumerConfig {
    /// Asks the broker of each name for the settings.
    ///
    /// # Errors
    /// A broker does not answer, or none has the group.
    pub async fn report(&self, admin: &Admin) -> Result<GroupConfigs, Failure> {
        let mut brokers = admin.brokers(None).await?;
        brokers.dedup_by(|next, first| next.name == first.name);
        let mut configs = Vec::new();
        for broker in brokers {
            let request = GetSubscriptionGroupConfigRequest { group: self.group.clone() };
            match admin.call(&broker.address, &request, ()).await {
                Ok(Json(config)) => configs.push(GroupConfig { broker, config }),
                Err(failure) if failure.is(ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST) => {}
                Err(failure) => return Err(failure),
            }
        }
        match configs.is_empty() {
            true => Err(Failure::refused(format!("no broker has group \"{}\"", self.group))
                .with_remedy("`mqadmin consumerProgress` lists the groups")),
            false => Ok(GroupConfigs { configs }),
        }
    }
}

/// The settings of a group on each broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupConfigs {
    /// By cluster and broker.
    pub configs: Vec<GroupConfig>,
}

/// The settings of a group on one broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupConfig {
    /// The broker.
    pub broker: Broker,
    /// The settings.
    pub config: SubscriptionGroupConfig,
}

impl fmt::Display for GroupConfigs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bar = "=".repeat(29);
        for GroupConfig { broker, config } in &self.configs {
            writeln!(f, "{bar}{}:{}{bar}", broker.cluster, broker.name)?;
            for (name, value) in fields(config) {
                writeln!(f, "{name:<40}=  {}", value.unwrap_or_default())?;
            }
        }
        Ok(())
    }
}

/// The settings in the order of Java's class, each as Java writes it; `None` for null.
pub(crate) fn fields(config: &SubscriptionGroupConfig) -> [(&'static str, Option<String>); 15] {
    let subscriptions = config.subscription_data_set.as_ref();
    let subscriptions = subscriptions
        .map(|all| format!("[{}]", all.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join(", ")));
    let attributes = config.attributes.iter().map(|(key, value)| format!("{key}={value}"));
    let attributes = format!("{{{}}}", attributes.collect::<Vec<_>>().join(", "));
    [
        ("groupName", Some(config.group_name.clone())),
        ("consumeEnable", Some(config.consume_enable.to_string())),
        ("consumeFromMinEnable", Some(config.consume_from_min_enable.to_string())),
        ("consumeBroadcastEnable", Some(config.consume_broadcast_enable.to_string())),
        ("consumeMessageOrderly", Some(config.consume_message_orderly.to_string())),
        ("retryQueueNums", Some(config.retry_queue_nums.to_string())),
        ("retryMaxTimes", Some(config.retry_max_times.to_string())),
        ("groupRetryPolicy", Some(policy(&config.group_retry_policy))),
        ("brokerId", Some(config.broker_id.to_string())),
        ("whichBrokerWhenConsumeSlowly", Some(config.which_broker_when_consume_slowly.to_string())),
        ("notifyConsumerIdsChangedEnable", Some(config.notify_consumer_ids_changed_enable.to_string())),
        ("groupSysFlag", Some(config.group_sys_flag.to_string())),
        ("consumeTimeoutMinute", Some(config.consume_timeout_minute.to_string())),
        ("subscriptionDataSet", subscriptions),
        ("attributes", Some(attributes)),
    ]
}

fn policy(policy: &GroupRetryPolicy) -> String {
    let exponential = policy.exponential_retry_policy.as_ref().map_or("null".into(), |it| {
        format!(
            "ExponentialRetryPolicy{{initial={}, max={}, multiplier={}}}",
            it.initial, it.max, it.multiplier
        )
    });
    let customized = policy
        .customized_retry_policy
        .as_ref()
        .map_or("null".into(), |it| format!("CustomizedRetryPolicy{{next={:?}}}", it.next));
    let kind = policy.kind.name();
    format!(
        "GroupRetryPolicy{{type={kind}, exponentialRetryPolicy={exponential}, customizedRetryPolicy={customized}}}"
    )
}
