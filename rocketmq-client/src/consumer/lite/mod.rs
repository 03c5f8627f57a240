//! The lite pull consumer: the application asks for the messages. Queues are shared out as for a push consumer, or
//! assigned by hand.

mod batch;
mod builder;
mod consumer;
mod member;

pub use batch::Batch;
pub use builder::LiteConsumerBuilder;
pub use consumer::LiteConsumer;
