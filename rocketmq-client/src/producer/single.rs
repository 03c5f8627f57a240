//! Sends of single messages.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tracing::Instrument as _;

use super::dispatch::no_route;
use super::outgoing::Outgoing;
use super::sender::Sender;
use super::target::{Options, Target};
use super::watch::Watch;
use crate::clock::{Instant, instant};
use crate::cluster::TopicInfo;
use crate::cluster::route::Purpose;
use crate::error::SendError;
use crate::messages::{Message, Receipt};

impl Sender {
    /// Sends a message by itself. `finish` sets what must hold whatever interceptors made of the message.
    pub(super) async fn send_alone(
        &self,
        mut message: Message,
        options: Options,
        finish: impl FnOnce(&mut Message) + Send,
    ) -> Result<Receipt, SendError> {
        let watch = Watch::begin(self, &mut message);
        // Boxed: it ends up inside futures of the application, whose types must not grow too deep to compile.
        let sending: BoxFuture<'_, _> = Box::pin(async {
            self.admit(&mut message)?;
            finish(&mut message);
            self.send_now(message, options).await
        });
        let result = sending.instrument(watch.span.clone()).await;
        watch.end(result.as_ref().map(Some));
        result
    }

    /// Sends a message that was admitted.
    pub(super) async fn send_now(&self, message: Message, options: Options) -> Result<Receipt, SendError> {
        let begun = instant();
        let deadline = self.deadline(begun, options.timeout);
        let _room = self.room(message.body.len(), deadline).await?;
        let out = Outgoing::message(self, message, begun)?;
        self.route_and_dispatch(&out, options.target, deadline).await
    }

    pub(super) async fn route_and_dispatch(
        &self,
        out: &Outgoing,
        target: Target,
        deadline: Instant,
    ) -> Result<Receipt, SendError> {
        let info = self.publish_info(&out.topic, deadline).await?;
        let bound = target.choose(&self.cluster.names, &info.publish)?;
        self.dispatch(out, &info.publish, bound, deadline).await
    }

    pub(super) async fn publish_info(
        &self,
        topic: &str,
        deadline: Instant,
    ) -> Result<Arc<TopicInfo>, SendError> {
        let purpose = Purpose::Write { queues: self.config.default_topic_queues };
        self.cluster.topic(topic, purpose, Some(deadline)).await.map_err(no_route)
    }

    /// Writes a message to the connection without asking for an answer.
    pub(super) async fn send_oneway(&self, mut message: Message, options: Options) -> Result<(), SendError> {
        let watch = Watch::begin(self, &mut message);
        let result = self.write_oneway(message, options).instrument(watch.span.clone()).await;
        watch.end(result.as_ref().map(|()| None));
        result
    }

    async fn write_oneway(&self, mut message: Message, options: Options) -> Result<(), SendError> {
        self.admit(&mut message)?;
        let begun = instant();
        let deadline = self.deadline(begun, options.timeout);
        let _room = self.room(message.body.len(), deadline).await?;
        let out = Outgoing::message(self, message, begun)?;
        let info = self.publish_info(&out.topic, deadline).await?;
        let bound = options.target.choose(&self.cluster.names, &info.publish)?;
        self.dispatch_oneway(&out, &info.publish, bound, deadline).await
    }
}
