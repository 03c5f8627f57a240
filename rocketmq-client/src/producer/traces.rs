//! The producers of message traces: like other producers, but unobserved.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::builder::ProducerBuilder;
use super::config::ProducerConfig;
use super::handle::Producer;
use crate::error::{SendError, StartError};
use crate::membership::Membership;
use crate::messages::Message;
use crate::observe::trace::{Carrier, MAX_TEXT, SEND_TIMEOUT};

/// Starts the producer of the traces of one member.
pub(crate) fn open_carrier(
    membership: Arc<Membership>,
    group: String,
) -> BoxFuture<'static, Result<Arc<dyn Carrier>, StartError>> {
    let producer = ProducerBuilder::unobserved(membership, group).config(ProducerConfig {
        send_timeout: SEND_TIMEOUT,
        max_message_size: MAX_TEXT,
        ..ProducerConfig::default()
    });
    async move { Ok(Arc::new(producer.build().await?) as Arc<dyn Carrier>) }.boxed()
}

impl Carrier for Producer {
    fn send(&self, message: Message) -> BoxFuture<'static, Result<(), SendError>> {
        let sending = Producer::send(self, message);
        async move { sending.await.map(drop) }.boxed()
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        Producer::shutdown(self).boxed()
    }
}
