//! `wipeWritePerm` and `addWritePerm`: close a broker to producers, and open it again.

use clap::Args;
use rocketmq_remoting::requests::route::{AddWritePermRequest, WipeWritePermRequest};

use crate::admin::Admin;
use crate::command::{Steps, reports};
use crate::failure::Failure;

/// Close all topics of a broker to producers, as before its shutdown
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin wipeWritePerm -n 127.0.0.1:9876 -b broker-a")]
pub struct WipeWritePerm {
    /// The name of the broker
    #[arg(short = 'b', long = "brokerName", value_name = "NAME")]
    pub broker: String,
}

/// Open all topics of a broker to producers
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin addWritePerm -n 127.0.0.1:9876 -b broker-a")]
pub struct AddWritePerm {
    /// The name of the broker
    #[arg(short = 'b', long = "brokerName", value_name = "NAME")]
    pub broker: String,
}

reports!(WipeWritePerm, AddWritePerm);

impl WipeWritePerm {
    /// Tells the name servers.
    ///
    /// # Errors
    /// A name server refuses or does not answer; the others were told all the same.
    pub async fn report(&self, admin: &Admin) -> Result<Steps, Failure> {
        let (request, mut steps) =
            (WipeWritePermRequest { broker_name: self.broker.clone() }, Steps::default());
        for (server, done) in admin.tell_name_servers(&request, ()).await? {
            steps.at(&server, said("wipe", &self.broker, &server, done.wipe_topic_count));
        }
        Ok(steps)
    }
}

impl AddWritePerm {
    /// Tells the name servers.
    ///
    /// # Errors
    /// A name server refuses or does not answer; the others were told all the same.
    pub async fn report(&self, admin: &Admin) -> Result<Steps, Failure> {
        let (request, mut steps) =
            (AddWritePermRequest { broker_name: self.broker.clone() }, Steps::default());
        for (server, done) in admin.tell_name_servers(&request, ()).await? {
            steps.at(&server, said("add", &self.broker, &server, done.add_topic_count));
        }
        Ok(steps)
    }
}

fn said(verb: &str, broker: &str, server: &str, topics: i32) -> String {
    format!("{verb} write perm of broker[{broker}] in name server[{server}] OK, {topics}")
}
