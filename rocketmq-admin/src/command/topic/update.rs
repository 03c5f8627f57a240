//! `updateTopic`: creates a topic, or changes its settings.

use clap::{ArgAction, Args};
use rocketmq_remoting::body::TopicConfig;
use rocketmq_remoting::names;
use rocketmq_remoting::requests::topic::UpdateTopicRequest;
use rocketmq_remoting::route::Perm;

use crate::admin::{Admin, Broker};
use crate::command::{Place, Steps, reports};
use crate::failure::Failure;

const UNIT: i32 = 1;
const UNIT_SUB: i32 = 2;

/// Create a topic, or change its settings
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin updateTopic -n 127.0.0.1:9876 -c DefaultCluster -t orders -r 16 -w 16"
)]
pub struct UpdateTopic {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the type has the documentation")]
    pub place: Place,
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// The queues for consumers
    #[arg(short = 'r', long = "readQueueNums", default_value_t = 8, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(1..))]
    pub read_queues: i32,
    /// The queues for producers
    #[arg(short = 'w', long = "writeQueueNums", default_value_t = 8, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(1..))]
    pub write_queues: i32,
    /// The permission: 2 to write, 4 to read, 6 for both
    #[arg(short = 'p', long, default_value_t = 6, value_name = "2|4|6", value_parser = clap::value_parser!(i32).range(1..8))]
    pub perm: i32,
    /// Keep the order of queues in the name servers' configuration
    #[arg(short = 'o', long, default_value_t = false, action = ArgAction::Set, value_name = "true|false")]
    pub order: bool,
    /// The topic belongs to a unit
    #[arg(short = 'u', long, default_value_t = false, action = ArgAction::Set, value_name = "true|false")]
    pub unit: bool,
    /// Units subscribe to the topic
    #[arg(short = 's', long = "hasUnitSub", default_value_t = false, action = ArgAction::Set, value_name = "true|false")]
    pub has_unit_sub: bool,
    /// Attributes to set and to remove, such as "+message.type=FIFO,-cleanup.policy"
    #[arg(short = 'a', long, value_name = "CHANGES", allow_hyphen_values = true)]
    pub attributes: Option<String>,
}

reports!(UpdateTopic);

impl UpdateTopic {
    /// Tells the masters.
    ///
    /// # Errors
    /// The name or an attribute is illegal, there is no such cluster, or a broker refuses; those before it have the topic.
    pub async fn report(&self, admin: &Admin) -> Result<Steps, Failure> {
        names::check_topic(&self.topic).map_err(|error| Failure::usage(error.to_string()))?;
        let config = self.config()?;
        let (masters, mut steps) = (self.place.masters(admin).await?, Steps::default());
        if self.order && self.place.broker.is_some() {
            self.order_on(admin, &masters, &mut steps, &config).await?;
        }
        for Broker { address, .. } in &masters {
            admin.update_topic(address, &config).await?;
            steps.at(address, format!("create topic to {address} success."));
        }
        if self.order && self.place.cluster.is_some() {
            self.order_on(admin, &masters, &mut steps, &config).await?;
        }
        steps.say(text(&config));
        Ok(steps)
    }

    fn config(&self) -> Result<TopicConfig, Failure> {
        let flag = if self.unit { UNIT } else { 0 } | if self.has_unit_sub { UNIT_SUB } else { 0 };
        let attributes = self.attributes.as_deref().map(changes).transpose()?.unwrap_or_default();
        Ok(TopicConfig {
            topic_name: self.topic.clone(),
            read_queue_nums: self.read_queues,
            write_queue_nums: self.write_queues,
            perm: Perm(self.perm),
            order: self.order,
            topic_sys_flag: flag,
            attributes: attributes.into_iter().collect(),
            ..TopicConfig::default()
        })
    }

    /// Keeps the order of queues: that of one broker beside the others', that of a cluster in their place.
    async fn order_on(
        &self,
        admin: &Admin,
        masters: &[Broker],
        steps: &mut Steps,
        config: &TopicConfig,
    ) -> Result<(), Failure> {
        let of = |name: &str| format!("{name}:{}", config.write_queue_nums);
        match &self.place.broker {
            Some(address) => {
                let all = admin.brokers(None).await?;
                let broker = all.into_iter().find(|broker| broker.address == *address);
                let broker = broker.ok_or_else(|| {
                    Failure::refused(format!("no broker {address} is registered"))
                        .with_remedy("`mqadmin clusterList` lists the brokers")
                })?;
                admin.add_order(&self.topic, &of(&broker.name)).await?;
                steps.say(format!("set broker orderConf. isOrder=true, orderConf=[{}]", of(&broker.name)));
            }
            None => {
                let order = masters.iter().map(|broker| of(&broker.name)).collect::<Vec<_>>().join(";");
                admin.put_order(&self.topic, &order).await?;
                steps.say(format!("set cluster orderConf. isOrder=true, orderConf=[{order}]"));
            }
        }
        Ok(())
    }
}

/// Reads changes such as `+key=value,-key`.
pub(crate) fn changes(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut read: Vec<(String, String)> = Vec::new();
    for change in text.split(',') {
        let (key, value) = change.split_once('=').unwrap_or((change, ""));
        let legal = if change.contains('=') { key.starts_with('+') } else { key.starts_with('-') };
        if !legal || key.len() < 2 {
            return Err(Failure::usage(format!("\"{change}\" is no change of an attribute"))
                .with_remedy("write +KEY=VALUE to set one and -KEY to remove one, separated by commas"));
        }
        if read.iter().any(|(it, _)| it == key) {
            return Err(Failure::usage(format!("attribute \"{key}\" stands twice in \"{text}\"")));
        }
        read.push((key.to_owned(), value.to_owned()));
    }
    Ok(read)
}

/// The settings as Java writes them.
pub(crate) fn text(config: &TopicConfig) -> String {
    let attributes = config.attributes.iter().map(|(key, value)| format!("{key}={value}"));
    format!(
        "TopicConfig [topicName={}, readQueueNums={}, writeQueueNums={}, perm={}, topicFilterType={}, topicSysFlag={}, \
         order={}, attributes={{{}}}]",
        config.topic_name,
        config.read_queue_nums,
        config.write_queue_nums,
        letters(config.perm),
        config.topic_filter_type.name(),
        config.topic_sys_flag,
        config.order,
        attributes.collect::<Vec<_>>().join(", ")
    )
}

fn letters(perm: Perm) -> String {
    let bits = [(perm.is_readable(), 'R'), (perm.is_writable(), 'W'), (perm.is_inherited(), 'X')];
    bits.map(|(is_set, letter)| if is_set { letter } else { '-' }).iter().collect()
}

impl Admin {
    /// Creates a topic on a broker, or changes its settings.
    ///
    /// # Errors
    /// The broker does not answer, or refuses.
    pub async fn update_topic(&self, address: &str, config: &TopicConfig) -> Result<(), Failure> {
        let attributes: Vec<_> = config
            .attributes
            .iter()
            .map(|(key, value)| match value.is_empty() {
                true => key.clone(),
                false => format!("{key}={value}"),
            })
            .collect();
        let request = UpdateTopicRequest {
            topic: config.topic_name.clone(),
            default_topic: "TBW102".into(),
            read_queue_nums: config.read_queue_nums,
            write_queue_nums: config.write_queue_nums,
            perm: config.perm.0,
            topic_filter_type: config.topic_filter_type.name().into(),
            topic_sys_flag: Some(config.topic_sys_flag),
            order: config.order,
            attributes: Some(attributes.join(",")),
            force: None,
        };
        self.call(address, &request, ()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_signed() {
        let read = changes("+a=b,-c,+d=").unwrap();
        assert_eq!(
            read,
            [("+a", "b"), ("-c", ""), ("+d", "")].map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        for wrong in ["", "a=b", "a", "+a", "-a=b", "+=x", "-", "+a=b,+a=c"] {
            assert!(changes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn permissions_are_letters() {
        assert_eq!([0, 2, 4, 6, 7].map(|perm| letters(Perm(perm))), ["---", "-W-", "R--", "RW-", "RWX"]);
    }
}
