//! Sends as values: options first, then `.await`.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, Either};
use rocketmq_remoting::route::MessageQueue;
use tracing::Instrument as _;

use super::Shared;
use super::batch::{self, BatchError};
use super::dispatch::no_route;
use super::outgoing::Outgoing;
use super::select::{SharedQueue, index_of_key};
use super::watch::Watch;
use crate::error::{SendError, SendErrorKind};
use crate::messages::Message;
use crate::messages::Receipt;

/// A user's own choice among the queues.
type Selector = Box<dyn FnOnce(&[Arc<MessageQueue>]) -> usize + Send>;

/// Which queue a send is bound to.
#[derive(Default)]
pub(super) enum Target {
    /// None: whichever is next.
    #[default]
    Any,
    Key(String),
    Queue(MessageQueue),
    Selector(Selector),
}

impl Target {
    /// The queue among `queues`; `None` when any will do.
    pub(super) fn choose(
        self,
        shared: &Shared,
        queues: &[SharedQueue],
    ) -> Result<Option<SharedQueue>, SendError> {
        let index = match self {
            Self::Any => return Ok(None),
            Self::Queue(queue) => {
                let topic = shared.client.inner.names.wrap(&queue.topic);
                return Ok(Some(Arc::new(MessageQueue { topic, ..queue })));
            }
            // Without queues there is nothing to divide by; the lookup below reports it.
            Self::Key(key) => index_of_key(&key, queues.len().max(1)),
            Self::Selector(select) => select(queues),
        };
        let queue = queues.get(index).cloned();
        queue.map(Some).ok_or_else(|| {
            let text = format!("queue {index} was chosen of {}", queues.len());
            SendError::new(SendErrorKind::NoQueue, text)
        })
    }
}

/// What all sends can be told.
#[derive(Default)]
pub(super) struct Options {
    pub(super) timeout: Option<Duration>,
    pub(super) target: Target,
}

/// The setters of one kind of send.
macro_rules! options {
    ($type:ident) => {
        impl $type {
            /// How long it may take in all, instead of the producer's `send_timeout`.
            pub fn timeout(mut self, timeout: Duration) -> Self {
                self.options.timeout = Some(timeout);
                self
            }

            /// Messages with equal keys go to the same queue, in the order they are awaited one after the
            /// other. The queue is the one Java's producer picks for the same key. Not retried on failure.
            pub fn ordered_by(mut self, key: impl std::fmt::Display) -> Self {
                self.options.target = Target::Key(key.to_string());
                self
            }

            /// To this queue and no other. Not retried on failure.
            pub fn to_queue(mut self, queue: &MessageQueue) -> Self {
                self.options.target = Target::Queue(queue.clone());
                self
            }

            /// To the queue whose index `select` returns. Not retried on failure.
            pub fn select_with(
                mut self,
                select: impl FnOnce(&[Arc<MessageQueue>]) -> usize + Send + 'static,
            ) -> Self {
                self.options.target = Target::Selector(Box::new(select));
                self
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    };
}

/// A send that was asked for and not begun; await it.
#[must_use = "a message is sent only when this is awaited"]
pub struct Sending {
    shared: Arc<Shared>,
    message: Message,
    options: Options,
}

options!(Sending);

impl Sending {
    pub(super) fn new(shared: Arc<Shared>, message: Message) -> Self {
        Self { shared, message, options: Options::default() }
    }
}

impl IntoFuture for Sending {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { shared, message, options } = self;
        Box::pin(shared.send(message, options))
    }
}

/// A one-way send that was asked for and not begun; await it.
#[must_use = "a message is sent only when this is awaited"]
pub struct SendingOneway {
    shared: Arc<Shared>,
    message: Message,
    options: Options,
}

options!(SendingOneway);

impl SendingOneway {
    pub(super) fn new(shared: Arc<Shared>, message: Message) -> Self {
        Self { shared, message, options: Options::default() }
    }
}

impl IntoFuture for SendingOneway {
    type Output = Result<(), SendError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { shared, message, options } = self;
        Box::pin(async move { shared.send_oneway(message, options).await })
    }
}

/// A batch that was asked for and not begun; await it.
#[must_use = "messages are sent only when this is awaited"]
pub struct SendingBatch {
    shared: Arc<Shared>,
    messages: Vec<Message>,
    options: Options,
}

options!(SendingBatch);

impl SendingBatch {
    pub(super) fn new(shared: Arc<Shared>, messages: Vec<Message>) -> Self {
        Self { shared, messages, options: Options::default() }
    }
}

impl IntoFuture for SendingBatch {
    type Output = Result<Vec<Receipt>, BatchError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { shared, messages, options } = self;
        Box::pin(async move { batch::send(&shared, messages, options).await })
    }
}

impl Shared {
    pub(super) async fn send(
        self: Arc<Self>,
        mut message: Message,
        options: Options,
    ) -> Result<Receipt, SendError> {
        let watch = Watch::begin(&self, &mut message);
        let result = match watch.span.in_scope(|| self.admit(&mut message)) {
            Ok(()) => self.send_admitted(message, options).instrument(watch.span.clone()).await,
            Err(error) => Err(error),
        };
        watch.end(result.as_ref().map(Some));
        result
    }

    /// In company where the producer gathers messages and this one may wait for others, by itself otherwise.
    fn send_admitted<'a>(
        self: &'a Arc<Self>,
        message: Message,
        options: Options,
    ) -> impl Future<Output = Result<Receipt, SendError>> + Send + use<'a> {
        let free = options.timeout.is_none() && matches!(options.target, Target::Any);
        match self.accumulator.as_ref().filter(|_| free) {
            Some(accumulator) => {
                let gathered: BoxFuture<'_, _> = Box::pin(accumulator.send(self, message));
                Either::Left(gathered)
            }
            None => Either::Right(self.send_now(message, options)),
        }
    }

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
        let begun = Instant::now();
        let deadline = self.deadline(begun, options.timeout);
        let _room = self.room(message.body.len(), deadline).await?;
        let out = Outgoing::message(self, message)?;
        let receipt = self.route_and_dispatch(&out, options.target, deadline).await?;
        self.trace(&out, &receipt, begun.elapsed());
        Ok(receipt)
    }

    pub(super) async fn route_and_dispatch(
        &self,
        out: &Outgoing,
        target: Target,
        deadline: std::time::Instant,
    ) -> Result<Receipt, SendError> {
        let info = self.publish_info(&out.topic, deadline).await?;
        let bound = target.choose(self, &info.publish)?;
        self.dispatch(out, &info.publish, bound, deadline).await
    }

    async fn publish_info(
        &self,
        topic: &str,
        deadline: std::time::Instant,
    ) -> Result<Arc<crate::cluster::route::table::TopicInfo>, SendError> {
        let known = self.client.inner.routes.topic(topic);
        if let Some(info) = known.filter(|info| !info.publish.is_empty()) {
            return Ok(info);
        }
        let lookup = self.client.inner.publish_info(topic, self.config.default_topic_queues);
        match tokio::time::timeout_at(deadline.into(), lookup).await {
            Ok(found) => found.map_err(no_route),
            Err(_) => Err(SendError::new(SendErrorKind::Timeout, format!("looking up the route of {topic}"))),
        }
    }

    async fn send_oneway(&self, mut message: Message, options: Options) -> Result<(), SendError> {
        let watch = Watch::begin(self, &mut message);
        let result = self.write_oneway(message, options).instrument(watch.span.clone()).await;
        watch.end(result.as_ref().map(|()| None));
        result
    }

    async fn write_oneway(&self, mut message: Message, options: Options) -> Result<(), SendError> {
        self.admit(&mut message)?;
        let deadline = self.deadline(Instant::now(), options.timeout);
        let _room = self.room(message.body.len(), deadline).await?;
        let out = Outgoing::message(self, message)?;
        let info = self.publish_info(&out.topic, deadline).await?;
        let bound = options.target.choose(self, &info.publish)?;
        self.dispatch_oneway(&out, &info.publish, bound, deadline).await
    }
}
