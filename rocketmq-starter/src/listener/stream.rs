//! Listeners that take their messages one after the other from a stream.

use super::call::Single;
use crate::context::Context;
use crate::extract::FromMessage;
use crate::outcome::{Handled, IntoOutcome, Verdict};
use futures_util::future::BoxFuture;
use futures_util::stream::Stream;
use rocketmq_client::consumer::catch_panic;
use rocketmq_client::{Delivery, Outcome};
use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, ready};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The messages of a listener that is written as a loop; [`Listener::stream`](super::Listener::stream) gives them.
///
/// A message is done when the next one is asked for. It is delivered again when the function ends before, and after
/// [`settle`](Self::settle) with another outcome.
///
/// ```
/// use rocketmq_starter::listener::Messages;
/// use rocketmq_starter::{App, BoxError, Context, Json, Listener};
///
/// /// Adds up the numbers of each second.
/// async fn sum(mut numbers: Messages<Json<i64>>, _context: Context) -> Result<(), BoxError> {
///     let mut total = 0;
///     while let Some(Json(number)) = numbers.next().await {
///         total += number;
///     }
///     println!("{total}"); // the application shuts down
///     Ok(())
/// }
///
/// let app = App::new().listener(Listener::stream("numbers", "sums", sum));
/// # drop(app);
/// ```
pub struct Messages<T> {
    incoming: mpsc::Receiver<Waiting<T>>,
    /// Takes the answer about the message that was given last.
    open: Option<oneshot::Sender<Handled>>,
}

/// A message on its way into a stream.
struct Waiting<T> {
    message: T,
    answer: oneshot::Sender<Handled>,
}

impl<T> Messages<T> {
    /// Waits for the next message. The message before is done. Returns `None` when the application shuts down.
    ///
    /// ```
    /// use rocketmq_starter::listener::Messages;
    /// use rocketmq_starter::{BoxError, Context, Text};
    ///
    /// async fn print(mut lines: Messages<Text>, _context: Context) -> Result<(), BoxError> {
    ///     while let Some(Text(line)) = lines.next().await {
    ///         println!("{line}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<T> {
        std::future::poll_fn(|context| self.poll_message(context)).await
    }

    /// Decides about the message that was given last, in place of [`Outcome::Ack`].
    ///
    /// ```
    /// use rocketmq_starter::listener::Messages;
    /// use rocketmq_starter::{Context, Outcome, Text};
    ///
    /// async fn read(mut lines: Messages<Text>, _context: Context) {
    ///     while let Some(Text(line)) = lines.next().await {
    ///         if line.is_empty() {
    ///             lines.settle(Outcome::DeadLetter);
    ///         }
    ///     }
    /// }
    /// ```
    pub fn settle(&mut self, outcome: Outcome) {
        if let Some(open) = self.open.take() {
            // Nobody waits for the answer any more when the consumer was cut.
            let _ = open.send(Handled::decided(outcome));
        }
    }

    fn poll_message(&mut self, context: &mut TaskContext<'_>) -> Poll<Option<T>> {
        self.settle(Outcome::Ack);
        let next = ready!(self.incoming.poll_recv(context));
        Poll::Ready(next.map(|Waiting { message, answer }| {
            self.open = Some(answer);
            message
        }))
    }
}

impl<T> Stream for Messages<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Option<T>> {
        self.get_mut().poll_message(context)
    }
}

impl<T> Unpin for Messages<T> {}

impl<T> fmt::Debug for Messages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}

/// Gives each message to a function that runs beside the consumer. A message starts the function if it does not run.
pub(super) struct Streaming<T, F> {
    function: F,
    running: Mutex<Option<Running<T>>>,
}

struct Running<T> {
    sender: mpsc::Sender<Waiting<T>>,
    task: JoinHandle<()>,
}

impl<T, F, Fut> Streaming<T, F>
where
    T: FromMessage,
    F: Fn(Messages<T>, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoOutcome> + Send + 'static,
{
    pub(super) fn new(function: F) -> Self {
        Streaming { function, running: Mutex::new(None) }
    }

    /// Passes a message on, and waits until it is done.
    async fn pass(&self, message: T, context: &Context) -> Handled {
        let (answer, answered) = oneshot::channel();
        let unanswered = || Handled::failed("the function ended before it asked for the next message");
        match self.sender(context).send(Waiting { message, answer }).await {
            Ok(()) => answered.await.unwrap_or_else(|_| unanswered()),
            Err(_) => unanswered(),
        }
    }

    fn sender(&self, context: &Context) -> mpsc::Sender<Waiting<T>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Running { sender, .. }) = running.as_ref().filter(|running| !running.sender.is_closed()) {
            return sender.clone();
        }
        let (sender, incoming) = mpsc::channel(1);
        let future = (self.function)(Messages { incoming, open: None }, context.clone());
        let task = tokio::spawn(async move {
            let ended = catch_panic(async move { future.await.into_outcome() }).await;
            let Handled { verdict, .. } = ended.unwrap_or_else(Handled::panicked);
            if !matches!(verdict, Verdict::Decided(_)) {
                tracing::warn!("a stream listener ended, and the next message starts it again: {verdict}");
            }
        });
        *running = Some(Running { sender: sender.clone(), task });
        sender
    }
}

impl<T, F, Fut> Single for Streaming<T, F>
where
    T: FromMessage,
    F: Fn(Messages<T>, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoOutcome> + Send + 'static,
{
    fn answer<'a>(&'a self, message: &'a Delivery, context: &'a Context) -> BoxFuture<'a, Handled> {
        Box::pin(async move {
            match T::from_message(message, context) {
                Ok(read) => self.pass(read, context).await,
                Err(rejection) => Handled::rejected(rejection),
            }
        })
    }

    fn end(&self) -> BoxFuture<'_, ()> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            let Some(Running { sender, task }) = running else { return };
            drop(sender);
            // A panic of the function was logged; the task itself has none.
            let _ = task.await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Text;
    use crate::listener::Listener;
    use crate::outcome::BoxError;
    use rocketmq_client::Message;
    use std::time::Duration;
    use tokio::time::timeout;

    const LIMIT: Duration = Duration::from_secs(30);

    /// Tells each line, and how the function ends. It fails at "fail".
    fn telling(told: mpsc::UnboundedSender<String>) -> Listener {
        Listener::stream("lines", "readers", move |mut lines: Messages<Text>, _| {
            let told = told.clone();
            async move {
                while let Some(Text(line)) = lines.next().await {
                    told.send(line.clone())?;
                    match line.as_str() {
                        "fail" => return Err(BoxError::from("no more")),
                        "later" => lines.settle(Outcome::Retry),
                        _ => {}
                    }
                }
                told.send("the end".to_owned())?;
                Ok(())
            }
        })
    }

    async fn deliver(listener: &Listener, line: &'static str) -> String {
        let message = [Delivery::sample(Message::new("lines", line), 0)];
        let answers = timeout(LIMIT, listener.call.answers(&message, &Context::default())).await;
        answers.expect("in time").pop().expect("an answer").verdict.to_string()
    }

    #[tokio::test]
    async fn a_message_is_done_when_the_next_is_asked_for_and_the_end_is_waited_for() {
        let (sender, mut told) = mpsc::unbounded_channel();
        let listener = telling(sender);
        assert_eq!(deliver(&listener, "a").await, "the handler decided Ack");
        assert_eq!(deliver(&listener, "later").await, "the handler decided Retry");
        assert_eq!(deliver(&listener, "b").await, "the handler decided Ack");
        timeout(LIMIT, listener.call.end()).await.expect("in time");
        let mut lines = Vec::new();
        while let Ok(line) = told.try_recv() {
            lines.push(line);
        }
        assert_eq!(lines, ["a", "later", "b", "the end"]);
    }

    #[tokio::test]
    async fn a_function_that_ended_starts_again_and_its_message_is_delivered_again() {
        let (sender, mut told) = mpsc::unbounded_channel();
        let listener = telling(sender);
        let failed = deliver(&listener, "fail").await;
        assert!(failed.contains("the function ended before"), "{failed}");
        assert_eq!(deliver(&listener, "a").await, "the handler decided Ack");
        assert_eq!((told.recv().await.as_deref(), told.recv().await.as_deref()), (Some("fail"), Some("a")));
        let nobody = Listener::stream("t", "g", |_: Messages<Text>, _| async {});
        assert!(deliver(&nobody, "a").await.contains("the function ended before"));
        timeout(LIMIT, nobody.call.end()).await.expect("in time");
    }
}
