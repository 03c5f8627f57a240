//! Receiving: what the consumers share, and the consumers.

mod assign;
mod at_work;
pub(crate) mod calls;
mod concurrent;
mod config;
mod flow;
mod group;
mod handler;
mod health;
mod incoming;
mod info;
mod lite;
mod locks;
mod member;
mod offsets;
mod orderly;
mod owned;
mod permits;
mod pop;
mod pop_calls;
mod pop_push;
mod process_queue;
pub(crate) mod pull;
mod pull_loop;
mod puller;
mod push;
mod rebalance;
mod receipt;
mod retry;
mod running;
mod send_back;
mod service;
mod settings;
mod start;
mod stats;
mod subscriptions;
#[cfg(test)]
mod testing;
mod watch;

pub use assign::{
    AllocateError, AllocateStrategy, Allocation, Averagely, AveragelyByCircle, Configured, ConsistentHash,
    MachineRoom, MachineRoomNearby, RoomResolver,
};
pub use config::{ConsumerConfig, PopConfig};
pub use flow::FlowLimits;
pub use handler::{Listen, ListenBatch};
pub use health::{ConsumerHealth, HealthChange, LastError, TopicHealth, TopicState};
pub(crate) use incoming::inflate_or_leave;
pub use lite::{Batch, LiteConsumer, LiteConsumerBuilder};
pub use pop::{Popped, Receiving, SimpleConsumer, SimpleConsumerBuilder};
pub(crate) use pull::to_ms;
pub use pull::{Offset, PullConsumer, PullConsumerBuilder, Pulled, Pulling, ResetOffsets};
pub use push::PushConsumerBuilder;
pub use rocketmq_remoting::body::MessageModel;
pub use rocketmq_remoting::route::MessageQueue;
pub use running::Running;
pub use start::FromWhere;
