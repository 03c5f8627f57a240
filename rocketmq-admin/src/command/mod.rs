//! The commands: a struct of options for each, which makes a report.

pub mod cluster;
pub mod group;
pub mod missing;
pub mod topic;

use std::future::Future;

use clap::Subcommand;

use crate::admin::Admin;
use crate::failure::Failure;
use crate::terminal::Terminal;

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
    "clusterList" = ClusterList(cluster::ClusterList);
    "consumerProgress" = ConsumerProgress(group::ConsumerProgress);
    "topicList" = TopicList(topic::TopicList);
    "topicRoute" = TopicRoute(topic::TopicRoute);
    "topicStatus" = TopicStatus(topic::TopicStatus);
}
