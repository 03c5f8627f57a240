//! `topicRoute`: the brokers and queues of a topic.

use std::fmt;

use clap::Args;
use rocketmq_remoting::fastjson;
use rocketmq_remoting::route::{self, QueueData};
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;
use crate::text::indent;

/// Show the brokers and queues of a topic
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin topicRoute -n 127.0.0.1:9876 -t orders -l")]
pub struct TopicRoute {
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// Show a table
    #[arg(short = 'l', long)]
    pub list: bool,
}

reports!(TopicRoute);

impl TopicRoute {
    /// Finds the route.
    ///
    /// # Errors
    /// There is no such topic, or no name server answers.
    pub async fn report(&self, admin: &Admin) -> Result<RouteReport, Failure> {
        Ok(RouteReport { route: admin.route(&self.topic).await?, list: self.list })
    }
}

/// The route of a topic.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct RouteReport {
    /// The route.
    pub route: route::TopicRoute,
    #[serde(skip)]
    list: bool,
}

impl fmt::Display for RouteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.list {
            return self.table(f);
        }
        let json = fastjson::to_vec(&self.route).map_err(|_| fmt::Error)?;
        writeln!(f, "{}", indent(&String::from_utf8_lossy(&json)))
    }
}

impl RouteReport {
    fn queues(&self, broker: &str) -> QueueData {
        let of_broker = self.route.queue_datas.iter().rfind(|queues| queues.broker_name == broker);
        of_broker.cloned().unwrap_or_default()
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, ["#ClusterName", "#BrokerName", "#BrokerAddrs", "#ReadQueue", "#WriteQueue", "#Perm"])?;
        let mut brokers: Vec<_> = self.route.broker_datas.iter().collect();
        brokers.sort_by(|a, b| a.broker_name.cmp(&b.broker_name));
        let (mut reads, mut writes) = (0i64, 0i64);
        for broker in brokers {
            let queues = self.queues(&broker.broker_name);
            (reads, writes) =
                (reads + i64::from(queues.read_queue_nums), writes + i64::from(queues.write_queue_nums));
            let addresses = broker.broker_addrs.iter().map(|(id, address)| format!("{id}={address}"));
            let addresses = format!("{{{}}}", addresses.collect::<Vec<_>>().join(", "));
            let counts =
                [queues.read_queue_nums, queues.write_queue_nums, queues.perm.0].map(|n| n.to_string());
            row(f, [&broker.cluster, &broker.broker_name, &addresses, &counts[0], &counts[1], &counts[2]])?;
        }
        writeln!(f, "{}", "-".repeat(158))?;
        let mut names: Vec<_> = self.route.queue_datas.iter().map(|queues| &queues.broker_name).collect();
        names.sort();
        names.dedup();
        let totals = [names.len().to_string(), reads.to_string(), writes.to_string()];
        row(f, ["Total:", &totals[0], "", &totals[1], &totals[2], ""])
    }
}

fn row(f: &mut fmt::Formatter<'_>, [a, b, c, d, e, g]: [&str; 6]) -> fmt::Result {
    writeln!(f, "{a:<45} {b:<32} {c:<50} {d:<10} {e:<11} {g:<5}")
}
