//! Commands about the name servers' key-value configuration, with the order of queues that is kept there.

use clap::Args;
use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::requests::route::{DeleteKvConfigRequest, GetKvConfigRequest, PutKvConfigRequest};

use crate::admin::Admin;
use crate::command::{Run, Steps, reports};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The namespace of orders.
const ORDERS: &str = "ORDER_TOPIC_CONFIG";

/// Set a value of the name servers' key-value configuration
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin updateKvConfig -n 127.0.0.1:9876 -s ORDER_TOPIC_CONFIG -k orders -v broker-a:4"
)]
pub struct UpdateKvConfig {
    /// The namespace
    #[arg(short = 's', long)]
    pub namespace: String,
    /// The key
    #[arg(short = 'k', long)]
    pub key: String,
    /// The value
    #[arg(short = 'v', long, allow_hyphen_values = true)]
    pub value: String,
}

/// Delete a value of the name servers' key-value configuration
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Example:\n  mqadmin deleteKvConfig -n 127.0.0.1:9876 -s ORDER_TOPIC_CONFIG -k orders --yes"
)]
pub struct DeleteKvConfig {
    /// The namespace
    #[arg(short = 's', long)]
    pub namespace: String,
    /// The key
    #[arg(short = 'k', long)]
    pub key: String,
}

reports!(UpdateKvConfig);

impl UpdateKvConfig {
    /// Tells the name servers.
    ///
    /// # Errors
    /// A name server refuses or does not answer; the others were told all the same.
    pub async fn report(&self, admin: &Admin) -> Result<Steps, Failure> {
        admin.put_kv(&self.namespace, &self.key, &self.value).await?;
        let mut steps = Steps::default();
        steps.say("create or update kv config to namespace success.");
        Ok(steps)
    }
}

impl Run for DeleteKvConfig {
    async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        terminal.confirm(format_args!("delete the value of {} in namespace {}", self.key, self.namespace))?;
        let request = DeleteKvConfigRequest { namespace: self.namespace.clone(), key: self.key.clone() };
        admin.tell_name_servers(&request, ()).await?;
        let mut steps = Steps::default();
        steps.say("delete kv config from namespace success.");
        terminal.show(&steps)
    }
}

impl Admin {
    async fn put_kv(&self, namespace: &str, key: &str, value: &str) -> Result<(), Failure> {
        let request = PutKvConfigRequest {
            namespace: namespace.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        };
        self.tell_name_servers(&request, ()).await.map(drop)
    }

    /// Sets the order of a topic's queues, such as `broker-a:4;broker-b:4`.
    pub(crate) async fn put_order(&self, topic: &str, order: &str) -> Result<(), Failure> {
        self.put_kv(ORDERS, topic, order).await
    }

    /// Sets the order of one broker, and keeps those of the others.
    pub(crate) async fn add_order(&self, topic: &str, order: &str) -> Result<(), Failure> {
        let request = GetKvConfigRequest { namespace: ORDERS.to_owned(), key: topic.to_owned() };
        let old = match self.ask_name_server(&request).await {
            Ok(found) => found.value.unwrap_or_default(),
            Err(failure) if failure.is(ResponseCode::QUERY_NOT_FOUND) => String::new(),
            Err(failure) => return Err(failure),
        };
        self.put_order(topic, &replaced(&old, order)).await
    }
}

fn replaced(old: &str, order: &str) -> String {
    let name = |order: &str| order.split(':').next().unwrap_or_default().to_owned();
    let kept = old.split(';').filter(|it| !it.is_empty() && name(it) != name(order));
    kept.chain([order]).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_takes_the_place_of_its_brokers() {
        assert_eq!(replaced("", "a:4"), "a:4");
        assert_eq!(replaced("a:8;b:8", "a:4"), "b:8;a:4");
        assert_eq!(replaced("b:8;", "a:4"), "b:8;a:4");
    }
}
