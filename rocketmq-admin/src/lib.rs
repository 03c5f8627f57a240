//! The operator's tool for Apache RocketMQ 4.9 and 5.x: the program `mqadmin`, and its commands as a library.
//!
//! The commands bear Apache's names, options, columns and defaults, so that runbooks go on working. A command flows
//! through four steps:
//!
//! 1. [`program`] reads the command line: a struct of [`command`] holds the options of one command.
//! 2. The command asks the cluster through [`Admin`], which sends typed requests by `rocketmq-client`.
//! 3. The answers become a report: a struct that is [`Serialize`](serde::Serialize) and prints itself as Apache's table
//!    by [`Display`](std::fmt::Display).
//! 4. [`Terminal`] shows the report: the table, or with `--json` its JSON.
//!
//! A command that fails returns a [`Failure`]: the program prints it and its remedy on one line of standard error, and
//! its kind is the exit code.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use rocketmq_admin::{Access, Admin};
//! use rocketmq_admin::command::topic::TopicStatus;
//!
//! let admin = Admin::connect("127.0.0.1:9876", Access::default()).await?;
//! let status = TopicStatus { topic: "orders".into(), cluster: None }.report(&admin).await?;
//! println!("{status}");
//! for queue in &status.queues {
//!     println!("{} has {} messages", queue.queue_id, queue.max_offset - queue.min_offset);
//! }
//! # Ok(())
//! # }
//! ```
#![deny(unreachable_pub)]

mod admin;
pub mod command;
mod failure;
pub mod program;
mod terminal;
mod text;

pub use admin::{Access, Admin, Broker, MessageTrack};
pub use failure::{Failure, FailureKind};
pub use terminal::Terminal;
