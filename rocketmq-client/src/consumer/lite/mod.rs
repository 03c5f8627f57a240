//! The lite pull consumer: queues are shared out as for a push consumer, or assigned by hand; the application asks for the
//! messages.

mod batch;
mod builder;
mod consumer;
mod member;

pub use batch::Batch;
pub use builder::LiteConsumerBuilder;
pub use consumer::LiteConsumer;
