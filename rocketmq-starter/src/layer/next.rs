//! The way through layers to the handler, and to the producer.

use super::Layer;
use crate::context::Context;
use crate::listener::Call;
use crate::outcome::{BoxError, Handled};
use futures_util::future::BoxFuture;
use rocketmq_client::consumer::catch_panic;
use rocketmq_client::{Delivery, Message, SendError, SendErrorKind};
use std::fmt;
use std::sync::Arc;

/// Layers, the outermost first.
#[derive(Clone, Default)]
pub(crate) struct Layers(Arc<[Arc<dyn Layer>]>);

impl Layers {
    /// Adds a layer inside the others.
    pub(crate) fn with(&self, layer: Arc<dyn Layer>) -> Self {
        Layers(self.0.iter().cloned().chain([layer]).collect())
    }

    /// Puts these layers around others.
    pub(crate) fn around(&self, inner: &Layers) -> Self {
        Layers(self.0.iter().chain(inner.0.iter()).cloned().collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layers({})", self.0.len())
    }
}

/// The layers below one around a handler, and the handler.
#[derive(Clone, Copy)]
pub struct Next<'n> {
    layers: &'n [Arc<dyn Layer>],
    group: &'n str,
    call: &'n Call,
    context: &'n Context,
}

impl Next<'_> {
    /// Hands deliveries on. The result has one answer for each, in their order.
    ///
    /// # Cancel safety
    /// Dropping the future cuts the handler; its messages are delivered again.
    pub async fn handle(self, deliveries: &[Delivery]) -> Vec<Handled> {
        let Some((layer, layers)) = self.layers.split_first() else {
            return self.call.answers(deliveries, self.context).await;
        };
        let mut handled = layer.handle(self.group, deliveries, Next { layers, ..self }).await;
        handled.resize_with(deliveries.len(), || Handled::failed("a layer gave no answer for this message"));
        handled
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("layers", &self.layers.len()).finish_non_exhaustive()
    }
}

/// Hands deliveries through all layers to the handler. A panic of a layer is one of the handler.
pub(crate) async fn handled_by(
    layers: &Layers,
    group: &str,
    call: &Call,
    context: &Context,
    deliveries: &[Delivery],
) -> Vec<Handled> {
    let next = Next { layers: &layers.0, group, call, context };
    let answers = catch_panic(next.handle(deliveries)).await;
    answers.unwrap_or_else(|text| deliveries.iter().map(|_| Handled::panicked(text.clone())).collect())
}

type Send<'n> = Box<dyn FnOnce(Vec<Message>) -> BoxFuture<'n, Result<(), BoxError>> + std::marker::Send + 'n>;

/// The layers below one around a send, and the producer.
pub struct NextSend<'n> {
    layers: &'n [Arc<dyn Layer>],
    send: Send<'n>,
}

impl NextSend<'_> {
    /// Hands messages on. The caller of the send gets its own error; the error here has the same words.
    ///
    /// # Errors
    /// The messages were not sent, or nobody knows.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open if the messages are sent.
    pub async fn send(self, messages: Vec<Message>) -> Result<(), BoxError> {
        match self.layers.split_first() {
            Some((layer, layers)) => layer.send(messages, NextSend { layers, send: self.send }).await,
            None => (self.send)(messages).await,
        }
    }
}

impl fmt::Debug for NextSend<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextSend").field("layers", &self.layers.len()).finish_non_exhaustive()
    }
}

/// Hands messages through all layers to `send`, whose result the caller gets.
pub(crate) async fn sent_through<T, E, F>(
    layers: &Layers,
    messages: Vec<Message>,
    send: impl FnOnce(Vec<Message>) -> F + std::marker::Send,
) -> Result<T, E>
where
    T: std::marker::Send,
    E: From<SendError> + fmt::Display + std::marker::Send,
    F: Future<Output = Result<T, E>> + std::marker::Send,
{
    if layers.is_empty() {
        return send(messages).await;
    }
    let mut sent = None;
    let slot = &mut sent;
    let last: Send<'_> = Box::new(move |messages| {
        Box::pin(async move {
            let result = send(messages).await;
            let told = result.as_ref().map(|_| ()).map_err(|error| error.to_string().into());
            *slot = Some(result);
            told
        })
    });
    let passed = NextSend { layers: &layers.0, send: last }.send(messages).await;
    match (sent, passed) {
        (Some(Ok(result)), Err(error)) => {
            tracing::warn!(%error, "a layer failed after the message was sent");
            Ok(result)
        }
        (Some(result), _) => result,
        (None, Err(error)) => Err(vetoed(&format!("a layer kept the message back: {error}"))),
        (None, Ok(())) => Err(vetoed("a layer kept the message back")),
    }
}

/// Returns the only message of a send that is no batch.
pub(crate) fn single(messages: Vec<Message>) -> Result<Message, SendError> {
    let count = messages.len();
    let only = messages.into_iter().next().filter(|_| count == 1);
    only.ok_or_else(|| vetoed(&format!("a layer made {count} messages of one; only a batch can have others")))
}

fn vetoed<E: From<SendError>>(text: &str) -> E {
    SendError::new(SendErrorKind::Vetoed, text.to_owned()).into()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::async_trait;
    use super::*;
    use crate::listener::Listener;
    use crate::outcome::Verdict;
    use rocketmq_client::Outcome;
    use std::sync::Mutex;

    pub(crate) fn keyed(key: &str) -> Delivery {
        let message = Message::new("t", "b");
        Delivery::sample(if key.is_empty() { message } else { message.key(key) }, 0)
    }

    /// Hands deliveries through the listener's own layers.
    pub(crate) async fn handle(listener: &Listener, deliveries: &[Delivery]) -> Vec<Handled> {
        handled_by(&listener.layers, "g", &listener.call, &Context::default(), deliveries).await
    }

    /// Notes what passes, and does what its name says.
    struct Noting(&'static str, Arc<Mutex<Vec<String>>>);

    #[async_trait]
    impl Layer for Noting {
        async fn handle(&self, group: &str, deliveries: &[Delivery], next: Next<'_>) -> Vec<Handled> {
            self.1.lock().unwrap().push(format!("{} before {group}", self.0));
            let handled = match self.0 {
                "panics" => panic!("a layer may panic"),
                "forgets" => Vec::new(),
                _ => next.handle(deliveries).await,
            };
            self.1.lock().unwrap().push(format!("{} after {}", self.0, handled.len()));
            handled
        }

        async fn send(&self, messages: Vec<Message>, next: NextSend<'_>) -> Result<(), BoxError> {
            self.1.lock().unwrap().push(format!("{} sends {}", self.0, messages.len()));
            match self.0 {
                "refuses" => Err("not today".into()),
                "forgets" => Ok(()),
                "fails after" => next.send(messages).await.and(Err("too late".into())),
                _ => next.send(messages.into_iter().map(|message| message.tag("seen")).collect()).await,
            }
        }
    }

    fn layers(names: &[&'static str]) -> (Layers, Arc<Mutex<Vec<String>>>) {
        let notes = Arc::<Mutex<Vec<String>>>::default();
        let noting = |name: &&'static str| Arc::new(Noting(name, notes.clone()));
        let layers = names.iter().map(noting).fold(Layers::default(), |all, layer| all.with(layer));
        (layers, notes)
    }

    #[tokio::test]
    async fn the_first_layer_is_the_outermost() {
        let (outer, notes) = layers(&["a", "b"]);
        let call = Listener::new("t", "g", || async {}).call;
        let handled = handled_by(&outer, "g", &call, &Context::default(), &[keyed("x"), keyed("y")]).await;
        assert!(handled.iter().all(Handled::is_done));
        assert_eq!(*notes.lock().unwrap(), ["a before g", "b before g", "b after 2", "a after 2"]);
    }

    #[tokio::test]
    async fn a_layer_that_panics_or_forgets_answers_costs_a_retry() {
        for (name, words) in [("panics", "a layer may panic"), ("forgets", "no answer for this message")] {
            let (layers, _) = layers(&[name]);
            let call = Listener::new("t", "g", || async {}).call;
            let handled = handled_by(&layers, "g", &call, &Context::default(), &[keyed("x")]).await;
            assert_eq!(handled.len(), 1);
            assert!(handled[0].verdict.to_string().contains(words), "{handled:?}");
            assert!(!matches!(handled[0].verdict, Verdict::Decided(Outcome::Ack)));
        }
    }

    async fn sent(names: &[&'static str], result: Result<u8, SendError>) -> Result<u8, SendError> {
        let (layers, _) = layers(names);
        let send = |messages: Vec<Message>| async move {
            assert!(names.is_empty() || messages[0].properties().tags() == Some("seen"));
            result
        };
        sent_through(&layers, vec![Message::new("t", "b").tag("seen")], send).await
    }

    #[tokio::test]
    async fn the_caller_gets_the_result_of_the_send_or_the_veto() {
        let timeout = || SendError::new(SendErrorKind::Timeout, "too slow".to_owned());
        for names in [&[][..], &["a"], &["a", "b"], &["fails after"]] {
            assert_eq!(sent(names, Ok(7)).await.unwrap(), 7, "{names:?}");
            assert_eq!(sent(names, Err(timeout())).await.unwrap_err().kind(), SendErrorKind::Timeout);
        }
        for (name, words) in [("refuses", "not today"), ("forgets", "kept the message back")] {
            let error = sent(&["a", name], Ok(7)).await.unwrap_err();
            assert_eq!(error.kind(), SendErrorKind::Vetoed);
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn a_single_send_stays_one_message() {
        assert!(single(vec![Message::new("t", "b")]).is_ok());
        assert!(single(Vec::new()).is_err());
        let error = single(vec![Message::new("t", "b"), Message::new("t", "c")]).unwrap_err();
        assert!(error.to_string().contains("2 messages of one"), "{error}");
    }
}
