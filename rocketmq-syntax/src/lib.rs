//! The texts that people write for RocketMQ: names of topics and groups, tag expressions, SQL92 conditions.
//!
//! Broker, client and attribute macros parse them with this crate, so the compiler accepts exactly what the broker
//! accepts. The crate has no dependencies, because the macros build it for the compiler.
//!
//! ```
//! use rocketmq_syntax::{names, sql, tags};
//!
//! assert!(names::check_topic("orders").is_ok());
//! assert!(tags::check("created || paid").is_ok());
//! let error = sql::check("amount >").unwrap_err();
//! assert_eq!(
//!     error.drawn("amount >"),
//!     "amount >\n        ^ a value is missing here",
//! );
//! ```

#![warn(missing_docs)]

mod error;
pub mod names;
pub mod spring;
pub mod sql;
pub mod tags;

pub use error::SyntaxError;
