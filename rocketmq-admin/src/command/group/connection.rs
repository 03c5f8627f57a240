//! `consumerConnection` and `producerConnection`: the members of a group.

use std::fmt;

use clap::Args;
use rocketmq_remoting::body::{Connection, ConsumerConnection as Members, ProducerConnection as Producers};
use rocketmq_remoting::requests::group::GetProducerConnectionListRequest;
use rocketmq_remoting::{Json, version};
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;

/// List the members of a consumer group and their subscriptions
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin consumerConnection -n 127.0.0.1:9876 -g billing")]
pub struct ConsumerConnection {
    /// The group
    #[arg(short = 'g', long = "consumerGroup", value_name = "GROUP")]
    pub group: String,
    /// The broker that is asked; without it each of the group's in turn
    #[arg(short = 'b', long = "brokerAddr", value_name = "HOST:PORT")]
    pub broker: Option<String>,
}

/// List the members of a producer group
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin producerConnection -n 127.0.0.1:9876 -g order-service -t orders")]
pub struct ProducerConnection {
    /// The group
    #[arg(short = 'g', long = "producerGroup", value_name = "GROUP")]
    pub group: String,
    /// A topic that the group sends to
    #[arg(short = 't', long)]
    pub topic: String,
}

reports!(ConsumerConnection, ProducerConnection);

impl ConsumerConnection {
    /// Asks for the members.
    ///
    /// # Errors
    /// No broker has met the group, or none knows a member.
    pub async fn report(&self, admin: &Admin) -> Result<MembersReport, Failure> {
        match &self.broker {
            Some(address) => admin.members_at(address, &self.group).await,
            None => admin.members(&self.group).await,
        }
        .map(MembersReport)
    }
}

impl ProducerConnection {
    /// Asks the brokers of the topic in turn for the members.
    ///
    /// # Errors
    /// There is no such topic, or no broker of it knows a member.
    pub async fn report(&self, admin: &Admin) -> Result<ProducerMembers, Failure> {
        let request = GetProducerConnectionListRequest { producer_group: self.group.clone() };
        let mut failure = Failure::refused(format!("no producer of group \"{}\" is connected", self.group))
            .with_remedy("`mqadmin producer -b BROKER` lists the producers of a broker");
        for (_, address) in admin.homes(&self.topic).await? {
            match admin.call(&address, &request, ()).await {
                Ok(Json(found)) if !found.connection_set.is_empty() => return Ok(ProducerMembers(found)),
                Ok(_) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

/// The members of a consumer group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MembersReport(pub Members);

/// The members of a producer group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ProducerMembers(pub Producers);

fn language(member: &Connection) -> &str {
    member.language.as_deref().unwrap_or("null")
}

impl fmt::Display for MembersReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(members) = self;
        writeln!(f, "{:<36} {:<22} {:<10} #Version", "#ClientId", "#ClientAddr", "#Language")?;
        for it in &members.connection_set {
            let (language, version) = (language(it), version::name(it.version));
            writeln!(f, "{:<36} {:<22} {language:<10} {version}", it.client_id, it.client_addr)?;
        }
        writeln!(f, "\nBelow is subscription:\n{:<20} #SubExpression", "#Topic")?;
        for subscription in members.subscription_table.values() {
            writeln!(f, "{:<20} {}", subscription.topic, subscription.sub_string)?;
        }
        writeln!(f, "\nConsumeType: {}", members.consume_type.name())?;
        writeln!(f, "MessageModel: {}", members.message_model.name())?;
        writeln!(f, "ConsumeFromWhere: {}", members.consume_from_where.name())
    }
}

impl fmt::Display for ProducerMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, it) in (1..).zip(&self.0.connection_set) {
            let (language, version) = (language(it), version::name(it.version));
            writeln!(f, "{number:04}  {:<32} {:<22} {language:<8} {version}", it.client_id, it.client_addr)?;
        }
        Ok(())
    }
}
