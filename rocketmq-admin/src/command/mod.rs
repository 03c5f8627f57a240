//! The commands: a struct of options for each, which makes a report.

pub mod broker;
pub mod cluster;
pub mod group;
pub mod kv;
pub mod message;
pub mod missing;
pub mod nameserver;
pub mod offset;
mod place;
pub mod stats;
mod steps;
pub mod topic;

use std::future::Future;

use clap::Subcommand;

use crate::admin::Admin;
use crate::failure::Failure;
use crate::terminal::Terminal;

pub use place::Place;
pub use steps::{Step, Steps};

/// Carries out a command and shows its report.
pub trait Run {
    /// Carries out the command and shows its report.
    ///
    /// # Errors
    /// The command fails; what it showed before stays.
    fn run(
        &self,
        admin: &Admin,
        terminal: &mut Terminal<'_>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Implements [`Run`] for commands that make one report.
macro_rules! reports {
    ($($command:ty),* $(,)?) => {$(
        impl $crate::command::Run for $command {
            async fn run(
                &self,
                admin: &$crate::admin::Admin,
                terminal: &mut $crate::terminal::Terminal<'_>,
            ) -> Result<(), $crate::failure::Failure> {
                terminal.show(&self.report(admin).await?)
            }
        }
    )*};
}
use reports;

/// Declares the commands: the name of each, and the struct that holds its options.
macro_rules! commands {
    ($($name:literal = $command:ident($options:ty);)*) => {
        /// Names a command and holds its options.
        #[derive(Debug, Clone, Subcommand)]
        pub enum Command {
            $(
                #[allow(missing_docs, reason = "the options have the documentation, and clap takes it from there")]
                #[command(name = $name)]
                $command($options),
            )*
        }

        impl Run for Command {
            async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
                match self {
                    $(Self::$command(options) => options.run(admin, terminal).await,)*
                }
            }
        }

        /// The names of all commands.
        pub const NAMES: &[&str] = &[$($name),*];
    };
}

commands! {
    "addWritePerm" = AddWritePerm(nameserver::AddWritePerm);
    "allocateMQ" = AllocateMq(topic::AllocateMq);
    "brokerConsumeStats" = BrokerConsumeStats(broker::BrokerConsumeStats);
    "brokerStatus" = BrokerStatus(broker::BrokerStatus);
    "cleanExpiredCQ" = CleanExpiredCq(broker::CleanExpiredCq);
    "cleanUnusedTopic" = CleanUnusedTopic(broker::CleanUnusedTopic);
    "clusterList" = ClusterList(cluster::ClusterList);
    "consumerConnection" = ConsumerConnection(group::ConsumerConnection);
    "consumerProgress" = ConsumerProgress(group::ConsumerProgress);
    "deleteExpiredCommitLog" = DeleteExpiredCommitLog(broker::DeleteExpiredCommitLog);
    "deleteKvConfig" = DeleteKvConfig(kv::DeleteKvConfig);
    "deleteSubGroup" = DeleteSubGroup(group::DeleteSubGroup);
    "deleteTopic" = DeleteTopic(topic::DeleteTopic);
    "getBrokerConfig" = GetBrokerConfig(broker::GetBrokerConfig);
    "getConsumerConfig" = GetConsumerConfig(group::GetConsumerConfig);
    "getNamesrvConfig" = GetNamesrvConfig(nameserver::GetNamesrvConfig);
    "producer" = Producer(broker::Producer);
    "producerConnection" = ProducerConnection(group::ProducerConnection);
    "queryMsgById" = QueryMsgById(message::QueryMsgById);
    "queryMsgByKey" = QueryMsgByKey(message::QueryMsgByKey);
    "queryMsgByOffset" = QueryMsgByOffset(message::QueryMsgByOffset);
    "queryMsgByUniqueKey" = QueryMsgByUniqueKey(message::QueryMsgByUniqueKey);
    "resetOffsetByTime" = ResetOffsetByTime(offset::ResetOffsetByTime);
    "skipAccumulatedMessage" = SkipAccumulatedMessage(offset::SkipAccumulatedMessage);
    "statsAll" = StatsAll(stats::StatsAll);
    "topicClusterList" = TopicClusterList(topic::TopicClusterList);
    "topicList" = TopicList(topic::TopicList);
    "topicRoute" = TopicRoute(topic::TopicRoute);
    "topicStatus" = TopicStatus(topic::TopicStatus);
    "updateBrokerConfig" = UpdateBrokerConfig(broker::UpdateBrokerConfig);
    "updateKvConfig" = UpdateKvConfig(kv::UpdateKvConfig);
    "updateNamesrvConfig" = UpdateNamesrvConfig(nameserver::UpdateNamesrvConfig);
    "updateSubGroup" = UpdateSubGroup(group::UpdateSubGroup);
    "updateTopic" = UpdateTopic(topic::UpdateTopic);
    "updateTopicPerm" = UpdateTopicPerm(topic::UpdateTopicPerm);
    "wipeWritePerm" = WipeWritePerm(nameserver::WipeWritePerm);
}
