//! A transactional outbox: "write to my database and send a message" as one step.
//!
//! An application that saves an order and then sends a message loses the message if it dies in between. With an outbox it writes the
//! message into a table of the same database, in the transaction that saves the order. A [`Relay`] sends what is in the table, and
//! removes it when a broker has stored it. So each message of a committed transaction is sent at least once, and none of any other.
//! A crash between the broker's answer and the removal sends a message again: with the same id, which is its property [`ID`] and one
//! of its keys, so that a receiver can tell.
//!
//! ```no_run
//! use rocketmq_outbox::{OutboxMessage, Relay, SqliteOutbox};
//!
//! # async fn run(pool: sqlx::SqlitePool) -> Result<(), Box<dyn std::error::Error>> {
//! let outbox = SqliteOutbox::open(pool.clone()).await?; // makes its table
//! let client = rocketmq_client::connect("127.0.0.1:9876").await?;
//! let producer = client.producer("order-service").build().await?; // in a starter's application: template.producer().clone()
//! let relay = Relay::new(outbox.clone(), producer).spawn();
//!
//! let mut transaction = pool.begin().await?;
//! sqlx::query("INSERT INTO orders (id) VALUES (7)").execute(&mut *transaction).await?;
//! outbox.put(&mut transaction, &OutboxMessage::json("orders", &7)?.tag("created").key("order-7")).await?;
//! transaction.commit().await?; // from here on the message is sent, whatever dies
//! relay.wake(); // now, and not at the next look
//!
//! relay.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Other databases
//!
//! [`OutboxStore`] is the part that the relay needs: implement it for another database, and write messages as
//! [`OutboxMessage::to_row`] gives them, in the application's transaction.
//!
//! # Features
//!
//! - `sqlite` (default): `SqliteOutbox`, by sqlx. It needs a C compiler.
#![warn(missing_docs)]

mod message;
mod relay;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;

pub use async_trait::async_trait;
pub use message::{ID, InvalidMessage, OutboxMessage, Row};
pub use relay::{Relay, RunningRelay};
#[cfg(feature = "sqlite")]
pub use sqlite::{PutError, SqliteOutbox};
pub use store::{Entry, OutboxStore, StoreError};
