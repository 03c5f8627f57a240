//! Receiving: the consumers and their options.
//!
//! | consumer | use it when |
//! |---|---|
//! | [`PushConsumerBuilder`], [`Running`] | a handler is called for each message: concurrently, in order, by POP, or as a broadcast |
//! | [`LiteConsumer`] | the application asks for batches and commits them; queues are shared out or assigned |
//! | [`SimpleConsumer`] | messages are taken for a time and acknowledged one by one (5.x brokers) |
//! | [`PullConsumer`] | the application keeps queues and offsets itself |
//!
//! ```no_run
//! # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use rocketmq_client::{Delivery, Outcome};
//!
//! let running = client
//!     .push_consumer("billing")
//!     .subscribe("orders", "created || paid")
//!     .orderly()
//!     .listen(|delivery: Delivery| async move {
//!         println!("{}", delivery.message_id());
//!         Ok::<_, std::convert::Infallible>(Outcome::Ack)
//!     })
//!     .await?;
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```

pub(crate) mod calls;
mod config;
mod handling;
mod health;
mod lite;
mod member;
mod pop;
pub(crate) mod pull;
mod push;
mod queue;
mod rebalance;
mod start;
mod stats;
mod subscriptions;
#[cfg(test)]
mod testing;
mod tools;

pub use config::{ConsumerConfig, PopConfig};
pub use handling::listen::{Listen, ListenBatch};
pub use handling::panics::catch_panic;
pub use health::{HealthChange, LastError, TopicHealth, TopicState};
pub use lite::{Batch, LiteConsumer, LiteConsumerBuilder};
pub use pop::popped::Popped;
pub use pop::simple::{Receiving, SimpleConsumer, SimpleConsumerBuilder};
pub use pull::consumer::{Offset, PullConsumer, PullConsumerBuilder, Pulled, Pulling, ResetOffsets};
pub use push::builder::PushConsumerBuilder;
pub use push::health::ConsumerHealth;
pub use push::running::Running;
pub use queue::flow::FlowLimits;
pub use rebalance::allocate::{
    AllocateError, AllocateStrategy, Allocation, Averagely, AveragelyByCircle, Configured, ConsistentHash,
    MachineRoom, MachineRoomNearby, RoomResolver,
};
pub use rocketmq_remoting::body::MessageModel;
pub use rocketmq_remoting::route::MessageQueue;
pub use start::FromWhere;
