//! [`Watch`]: tells interceptors, metrics and a span about a send.

use tracing::Span;

use super::sender::Sender;
use crate::clock::{Instant, instant};
use crate::error::SendError;
use crate::messages::Message;
use crate::messages::Receipt;
use crate::observe::{metrics, span};

/// Observes one send, from before its message is checked until its result is known.
pub(super) struct Watch<'a> {
    sender: &'a Sender,
    /// The topic and the begin; `None` without interceptors and metrics.
    observed: Option<(String, Instant)>,
    _running: Option<metrics::Running>,
    pub(super) span: Span,
}

impl<'a> Watch<'a> {
    /// Begins to observe a send, and puts the context of its span into the message for the consumer.
    pub(super) fn begin(sender: &'a Sender, message: &mut Message) -> Self {
        let span = if sender.observed { span::send(&sender.group, message, 1) } else { Span::none() };
        span::inject(&span, message);
        Self::new(sender, &message.topic, span)
    }

    /// Does the same for a batch: one span, one measurement of time, and the interceptors for each message.
    pub(super) fn batch(sender: &'a Sender, messages: &mut [Message]) -> Self {
        let Some(first) = messages.first().filter(|_| sender.observed) else {
            return Self::new(sender, "", Span::none());
        };
        let span = span::send(&sender.group, first, messages.len());
        let watch = Self::new(sender, &first.topic, span);
        messages.iter_mut().for_each(|message| span::inject(&watch.span, message));
        watch
    }

    fn new(sender: &'a Sender, topic: &str, span: Span) -> Self {
        let wanted = sender.observed && (metrics::ENABLED || !sender.interceptors.is_empty());
        let running = sender.observed.then(|| metrics::Running::send(&sender.group));
        let observed = wanted.then(|| (topic.to_owned(), instant()));
        Self { sender, observed, _running: running, span }
    }

    pub(super) fn end(self, result: Result<Option<&Receipt>, &SendError>) {
        span::sent(&self.span, result);
        self.count(1, result.err());
        self.tell(result);
    }

    pub(super) fn end_batch(self, messages: usize, stored: &[Receipt], error: Option<&SendError>) {
        match error {
            Some(error) => span::sent(&self.span, Err(error)),
            None => span::sent(&self.span, Ok(None)),
        }
        self.count(stored.len(), None);
        stored.iter().for_each(|receipt| self.tell(Ok(Some(receipt))));
        if let Some(error) = error {
            self.count(messages - stored.len(), Some(error));
            (stored.len()..messages).for_each(|_| self.tell(Err(error)));
        }
    }

    fn count(&self, messages: usize, error: Option<&SendError>) {
        if let Some((topic, begun)) = self.observed.as_ref().filter(|_| messages > 0) {
            metrics::sent(topic, messages, error, begun.elapsed());
        }
    }

    fn tell(&self, result: Result<Option<&Receipt>, &SendError>) {
        if let Some((topic, _)) = &self.observed {
            self.sender.interceptors.after_send(topic, result);
        }
    }
}
