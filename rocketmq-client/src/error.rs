//! Errors: one type for each operation, [`Error`] over the kinds that the operation can end with.
//!
//! The kind says what to do next. The text names the value, the topic and the broker. [`Error::is_retryable`] is the
//! method that the client's own retries ask.
//!
//! ```
//! use rocketmq_client::error::{ConnectError, ConnectErrorKind};
//!
//! let error = ConnectError::new(ConnectErrorKind::Unreachable, "127.0.0.1:9876 refused the connection");
//! assert_eq!(error.kind(), ConnectErrorKind::Unreachable);
//! assert!(error.is_retryable() && error.attempts().is_empty() && error.refusal().is_none());
//! assert_eq!(error.to_string(), "no name server could be reached: 127.0.0.1:9876 refused the connection");
//! ```

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::ResponseCode;

/// Any error, boxed: handlers and interceptors fail with it.
///
/// ```
/// use rocketmq_client::BoxError;
///
/// fn read(text: &str) -> Result<u64, BoxError> {
///     if text.is_empty() {
///         return Err("no amount".into());
///     }
///     Ok(text.parse()?)
/// }
/// assert_eq!(read("").unwrap_err().to_string(), "no amount");
/// ```
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// Lists the kinds of failure of one operation.
///
/// ```
/// use rocketmq_client::SendErrorKind;
/// use rocketmq_client::error::ErrorKind;
///
/// assert!(SendErrorKind::FlowControl.is_transient());
/// assert!(!SendErrorKind::InvalidMessage.is_transient());
/// ```
pub trait ErrorKind: Copy + Eq + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// Tells whether the same call may succeed later, unchanged.
    fn is_transient(self) -> bool;
}

/// Says why an operation failed: its kind, a sentence, and where known the broker's refusal and every attempt.
///
/// Clones share the text, so that each sender of a failed batch gets the error.
///
/// ```no_run
/// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_client::{Message, SendErrorKind};
///
/// if let Err(error) = producer.send(Message::new("orders", "42")).await {
///     match error.kind() {
///         SendErrorKind::TopicNotFound => println!("create the topic first"),
///         _ if error.is_retryable() => println!("later, perhaps"),
///         _ => {}
///     }
///     for attempt in error.attempts() {
///         println!("{attempt}"); // broker, address, duration, cause
///     }
///     if let Some(refusal) = error.refusal() {
///         println!("{} answered {}: {}", refusal.broker, refusal.code, refusal.remark);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Error<K> {
    kind: K,
    detail: Arc<Detail>,
}

#[derive(Default)]
struct Detail {
    message: String,
    refusal: Option<BrokerRefusal>,
    attempts: Vec<Attempt>,
    source: Option<BoxError>,
}

impl<K: ErrorKind> Error<K> {
    /// Makes an error of a kind and a sentence: for libraries on top of this crate, and for tests.
    ///
    /// ```
    /// use rocketmq_client::{SendError, SendErrorKind};
    ///
    /// let error = SendError::new(SendErrorKind::Vetoed, "no orders on Sundays");
    /// assert_eq!(error.to_string(), "an interceptor refused the message: no orders on Sundays");
    /// ```
    pub fn new(kind: K, message: impl Into<String>) -> Self {
        Self { kind, detail: Arc::new(Detail { message: message.into(), ..Detail::default() }) }
    }

    pub(crate) fn refused(kind: K, refusal: BrokerRefusal) -> Self {
        Self { kind, detail: Arc::new(Detail { refusal: Some(refusal), ..Detail::default() }) }
    }

    pub(crate) fn with_source(self, source: impl Into<BoxError>) -> Self {
        self.edit(|detail| detail.source = Some(source.into()))
    }

    pub(crate) fn with_attempts(self, attempts: Vec<Attempt>) -> Self {
        self.edit(|detail| detail.attempts = attempts)
    }

    /// Edits the detail. A new error is not shared yet, so the edit always reaches the detail.
    fn edit(mut self, change: impl FnOnce(&mut Detail)) -> Self {
        if let Some(detail) = Arc::get_mut(&mut self.detail) {
            change(detail);
        }
        self
    }

    /// Makes this the failure of another operation.
    pub(crate) fn map_kind<T: ErrorKind>(self, kind: impl FnOnce(K) -> T) -> Error<T> {
        Error { kind: kind(self.kind), detail: self.detail }
    }

    /// Returns the kind, to match on.
    ///
    /// ```
    /// use rocketmq_client::{SendError, SendErrorKind};
    ///
    /// assert_eq!(SendError::new(SendErrorKind::Timeout, "").kind(), SendErrorKind::Timeout);
    /// ```
    pub fn kind(&self) -> K {
        self.kind
    }

    /// Returns the broker's answer, when a broker refused.
    ///
    /// ```
    /// use rocketmq_client::{SendError, SendErrorKind};
    ///
    /// assert!(SendError::new(SendErrorKind::Timeout, "").refusal().is_none());
    /// ```
    pub fn refusal(&self) -> Option<&BrokerRefusal> {
        self.detail.refusal.as_ref()
    }

    /// Returns every try in order. It is empty when the operation failed before it reached a broker.
    ///
    /// ```
    /// use rocketmq_client::{SendError, SendErrorKind};
    ///
    /// assert!(SendError::new(SendErrorKind::InvalidMessage, "no topic").attempts().is_empty());
    /// ```
    pub fn attempts(&self) -> &[Attempt] {
        &self.detail.attempts
    }

    /// Tells whether the same call may succeed later, unchanged. The client has already tried again as often and as
    /// long as it is configured to.
    ///
    /// ```
    /// use rocketmq_client::{SendError, SendErrorKind};
    ///
    /// assert!(SendError::new(SendErrorKind::Timeout, "").is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match &self.detail.refusal {
            Some(refusal) => refusal.is_retryable(),
            None => self.kind.is_transient(),
        }
    }
}

impl<K: ErrorKind> fmt::Display for Error<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.detail.message.is_empty() {
            write!(f, ": {}", self.detail.message)?;
        }
        if let Some(refusal) = &self.detail.refusal {
            write!(f, ": {refusal}")?;
        }
        for (n, attempt) in self.detail.attempts.iter().enumerate() {
            write!(f, "; attempt {}: {attempt}", n + 1)?;
        }
        Ok(())
    }
}

impl<K: ErrorKind> fmt::Debug for Error<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.kind)
    }
}

impl<K: ErrorKind> StdError for Error<K> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.detail.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Holds the answer of a broker or name server that refused.
///
/// ```
/// use rocketmq_client::error::BrokerRefusal;
/// use rocketmq_client::remoting::ResponseCode;
///
/// let busy = BrokerRefusal {
///     code: ResponseCode::SYSTEM_BUSY,
///     remark: "[OVERLOAD]system busy".into(),
///     broker: "broker-a".into(),
///     topic: "orders".into(),
/// };
/// assert!(busy.is_retryable() && !busy.is_flow_control() && !busy.is_access_denied());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRefusal {
    /// The response code, also one that this client does not know.
    pub code: ResponseCode,
    /// The reason in the server's words; may be empty.
    pub remark: String,
    /// The broker's name, or its address where no name is known.
    pub broker: String,
    /// The topic of the request; empty when it has none.
    pub topic: String,
}

impl BrokerRefusal {
    /// Tells whether another broker, or this one later, may accept the same request: the codes that Java's producer
    /// tries again, without flow control and denied access.
    ///
    /// ```
    /// use rocketmq_client::error::BrokerRefusal;
    /// use rocketmq_client::remoting::ResponseCode;
    ///
    /// let refusal = |code, remark: &str| BrokerRefusal { code, remark: remark.into(), broker: "a".into(), topic: "t".into() };
    /// assert!(refusal(ResponseCode::SYSTEM_ERROR, "the disk is full").is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        !self.is_flow_control() && !self.is_access_denied() && RETRYABLE_CODES.contains(&self.code)
    }

    /// Tells whether access control refused: no such user, a wrong signature, or a missing permission. Every broker
    /// would answer the same, so the client does not try again.
    ///
    /// ```
    /// use rocketmq_client::error::BrokerRefusal;
    /// use rocketmq_client::remoting::ResponseCode;
    ///
    /// let refusal = |code, remark: &str| BrokerRefusal { code, remark: remark.into(), broker: "a".into(), topic: "t".into() };
    /// assert!(refusal(ResponseCode::NO_PERMISSION, "check signature failed").is_access_denied());
    /// ```
    pub fn is_access_denied(&self) -> bool {
        match self.code {
            ResponseCode::NO_PERMISSION => ACCESS_DENIED.iter().any(|words| self.remark.contains(words)),
            ResponseCode::SYSTEM_ERROR => self.remark.contains("AclException: "),
            _ => false,
        }
    }

    /// Tells whether the broker asks to slow down. A request that was thrown out of the send queue has waited there
    /// already; sending it again at once would lengthen the queue.
    ///
    /// ```
    /// use rocketmq_client::error::BrokerRefusal;
    /// use rocketmq_client::remoting::ResponseCode;
    ///
    /// let refusal = |code, remark: &str| BrokerRefusal { code, remark: remark.into(), broker: "a".into(), topic: "t".into() };
    /// assert!(refusal(ResponseCode::FLOW_CONTROL, "").is_flow_control());
    /// ```
    pub fn is_flow_control(&self) -> bool {
        FLOW_CONTROL_CODES.contains(&self.code)
            || (self.code == ResponseCode::SYSTEM_BUSY && self.remark.contains("_CLEAN_QUEUE]"))
    }
}

/// The answers that Java's producer tries again on another broker (`retryResponseCodes`): topic missing there, not
/// writable, system error, busy, no permission, no buyer id, other unit, going away.
pub(crate) const RETRYABLE_CODES: [ResponseCode; 8] = [
    ResponseCode::TOPIC_NOT_EXIST,
    ResponseCode::SERVICE_NOT_AVAILABLE,
    ResponseCode::SYSTEM_ERROR,
    ResponseCode::SYSTEM_BUSY,
    ResponseCode::NO_PERMISSION,
    ResponseCode::NO_BUYER_ID,
    ResponseCode::NOT_IN_CURRENT_UNIT,
    ResponseCode::GO_AWAY,
];

/// The remarks of 5.x brokers with code 16 that concern the user; 4.x brokers send `AclException` with code 1.
const ACCESS_DENIED: [&str; 6] = [
    "username cannot be null",
    "check signature failed",
    "no permission to access",
    "User:",
    "Authentication failed",
    "Authorization failed",
];

/// Proxies and cloud brokers throttle with 215, and with 216 for one message too many.
const FLOW_CONTROL_CODES: [ResponseCode; 2] = [ResponseCode::FLOW_CONTROL, ResponseCode(216)];

impl fmt::Display for BrokerRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {}", self.broker, self.code)?;
        if !self.remark.is_empty() {
            write!(f, " \"{}\"", self.remark)?;
        }
        if !self.topic.is_empty() {
            write!(f, " (topic {})", self.topic)?;
        }
        Ok(())
    }
}

impl StdError for BrokerRefusal {}

/// Describes one try of an operation that may take several; [`Error::attempts`] returns them.
///
/// ```no_run
/// # async fn example(error: rocketmq_client::SendError) -> Result<(), Box<dyn std::error::Error>> {
/// for attempt in error.attempts() {
///     println!("{} at {}: {} after {:?}", attempt.broker, attempt.address, attempt.cause, attempt.elapsed);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The broker's name.
    pub broker: String,
    /// The broker's address; empty when the route holds no master for it.
    pub address: String,
    /// The duration of the try.
    pub elapsed: Duration,
    /// The cause of the failure, as text.
    pub cause: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) after {} ms: {}", self.broker, self.address, self.elapsed.as_millis(), self.cause)
    }
}

/// Declares the kinds of one operation with the sentence and the nature of each.
macro_rules! error_kinds {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal, $nature:ident;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        $vis enum $name { $($(#[$vdoc])* $variant,)* }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)* })
            }
        }

        impl $crate::error::ErrorKind for $name {
            fn is_transient(self) -> bool {
                match self { $(Self::$variant => $crate::error::nature::$nature,)* }
            }
        }
    };
}
pub(crate) use error_kinds;

/// Names the values of the flag in `error_kinds!`.
pub(crate) mod nature {
    pub(crate) const TRANSIENT: bool = true;
    pub(crate) const FINAL: bool = false;
}

error_kinds! {
    /// Lists the reasons why a client cannot be built.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::error::ConnectErrorKind;
    ///
    /// match rocketmq_client::connect("127.0.0.1:9876").await {
    ///     Err(error) if error.kind() == ConnectErrorKind::Unreachable => println!("no cluster yet: {error}"),
    ///     client => drop(client?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub enum ConnectErrorKind {
        /// An option has a value it cannot have.
        InvalidConfig = "invalid configuration", FINAL;
        /// No name server could be reached.
        Unreachable = "no name server could be reached", TRANSIENT;
        /// Certificates or keys are unusable, or a name server's cannot be verified.
        Tls = "no encrypted connection", FINAL;
    }
}

error_kinds! {
    /// Lists the reasons why a topic's route is not known.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::error::RouteErrorKind;
    ///
    /// match client.route("orders").await {
    ///     Err(error) if error.kind() == RouteErrorKind::TopicNotFound => println!("no such topic"),
    ///     route => println!("{} brokers", route?.broker_datas.len()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub enum RouteErrorKind {
        /// No name server address is configured or discovered.
        NoNameServer = "no name server is configured", FINAL;
        /// Every name server failed to answer.
        Unreachable = "no name server could be reached", TRANSIENT;
        /// The time ran out.
        Timeout = "the route lookup took too long", TRANSIENT;
        /// The name servers know no such topic.
        TopicNotFound = "the topic does not exist", FINAL;
        /// The name servers answer, but no broker has registered there.
        NoBroker = "the name servers know no broker", TRANSIENT;
        /// The answer cannot be read.
        Malformed = "the name server's answer cannot be read", FINAL;
        /// The name server refused.
        Refused = "the name server refused", FINAL;
        /// The client was shut down.
        Closed = "the client is shut down", FINAL;
    }
}

error_kinds! {
    /// Lists the reasons why a call to a broker failed: of offset, lock, administration and similar calls.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::CallErrorKind;
    ///
    /// match client.consumer_connection("billing").await {
    ///     Err(error) if error.kind() == CallErrorKind::Refused => println!("nobody is online"),
    ///     members => println!("{} members", members?.connection_set.len()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub enum CallErrorKind {
        /// The connection could not be made or broke.
        Unreachable = "the broker could not be reached", TRANSIENT;
        /// The broker did not answer in time; it may have acted all the same.
        Timeout = "the broker did not answer in time", TRANSIENT;
        /// The broker refused; see [`Error::refusal`](crate::Error::refusal).
        Refused = "the broker refused", FINAL;
        /// The broker's access control refused; [`Error::refusal`](crate::Error::refusal) says which user lacks what.
        NotPermitted = "the broker denies access (check the access key, its secret and its permissions)", FINAL;
        /// The answer cannot be read.
        Malformed = "the broker's answer cannot be read", FINAL;
        /// The route names no such broker.
        UnknownBroker = "the broker is not known", TRANSIENT;
        /// The name servers know no such topic.
        TopicNotFound = "the topic does not exist", FINAL;
        /// The request cannot be written, or the cluster cannot do what it asks for.
        InvalidRequest = "the request cannot be sent", FINAL;
        /// The client was shut down.
        Closed = "the client is shut down", FINAL;
    }
}

error_kinds! {
    /// Lists the reasons why a message was not stored, as far as is known.
    ///
    /// ```no_run
    /// # async fn example(producer: rocketmq_client::Producer) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::{Message, SendErrorKind};
    ///
    /// match producer.send(Message::new("orders", "42")).await {
    ///     Err(error) if error.kind() == SendErrorKind::FlowControl => println!("slow down"),
    ///     receipt => drop(receipt?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub enum SendErrorKind {
        /// The message breaks a rule; the text names it.
        InvalidMessage = "the message cannot be sent", FINAL;
        /// Neither the topic nor the template for new topics exists.
        TopicNotFound = "the topic does not exist", FINAL;
        /// The route could not be looked up.
        NoRoute = "the topic's route could not be looked up", TRANSIENT;
        /// No broker takes writes for the topic, or not the one asked for.
        NoQueue = "no queue takes the message", TRANSIENT;
        /// No connection could be made, or it broke; the message may be stored all the same.
        Unreachable = "the broker could not be reached", TRANSIENT;
        /// The budget ran out; the message may be stored all the same.
        Timeout = "the send took too long", TRANSIENT;
        /// The broker refused; see [`Error::refusal`](crate::Error::refusal).
        Refused = "the broker refused the message", FINAL;
        /// The broker's access control refused; [`Error::refusal`](crate::Error::refusal) says which user lacks what.
        NotPermitted = "the broker denies access (check the access key, its secret and its permissions)", FINAL;
        /// The answer cannot be read. The message may be stored all the same.
        Malformed = "the broker's answer cannot be read", FINAL;
        /// The broker throttles; slow down before trying again.
        FlowControl = "the broker asks to slow down", TRANSIENT;
        /// The producer's own limits of messages in flight left no room within the budget.
        Overloaded = "too many messages are in flight", TRANSIENT;
        /// An interceptor refused the message.
        Vetoed = "an interceptor refused the message", FINAL;
        /// The half message was stored without the durability asked for, and was rolled back.
        HalfNotDurable = "the half message was rolled back", TRANSIENT;
        /// The producer was shut down.
        Closed = "the producer is shut down", FINAL;
    }
}

error_kinds! {
    /// Lists the reasons why a producer or consumer cannot be started.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_client::error::StartErrorKind;
    ///
    /// match client.producer("order-service").build().await {
    ///     Err(error) if error.kind() == StartErrorKind::GroupInUse => println!("it runs already"),
    ///     producer => drop(producer?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub enum StartErrorKind {
        /// A group, topic or option is illegal; the text names it.
        InvalidConfig = "invalid configuration", FINAL;
        /// The client already has a member of this group.
        GroupInUse = "the group is in use", FINAL;
        /// A topic's route is needed at start and was not found.
        NoRoute = "a topic's route could not be looked up", TRANSIENT;
        /// A broker refused, for instance a filter expression it cannot parse.
        Refused = "a broker refused", FINAL;
        /// The client was shut down.
        Closed = "the client is shut down", FINAL;
    }
}

impl CallErrorKind {
    /// Returns the kind of a call that ended with this refusal.
    pub(crate) fn of(refusal: &BrokerRefusal) -> Self {
        if refusal.is_access_denied() { Self::NotPermitted } else { Self::Refused }
    }
}

impl CallError {
    /// Makes the error of a refusal.
    pub(crate) fn refused_by(refusal: BrokerRefusal) -> Self {
        Self::refused(CallErrorKind::of(&refusal), refusal)
    }

    /// Makes the error of a call whose route is not known.
    pub(crate) fn no_route(error: RouteError) -> Self {
        error.map_kind(|kind| match kind {
            RouteErrorKind::TopicNotFound => CallErrorKind::TopicNotFound,
            RouteErrorKind::NoNameServer | RouteErrorKind::Unreachable | RouteErrorKind::NoBroker => {
                CallErrorKind::Unreachable
            }
            RouteErrorKind::Timeout => CallErrorKind::Timeout,
            RouteErrorKind::Malformed => CallErrorKind::Malformed,
            RouteErrorKind::Refused => CallErrorKind::Refused,
            RouteErrorKind::Closed => CallErrorKind::Closed,
        })
    }
}

/// Says why a client cannot be built; [`ConnectErrorKind`] has an example.
pub type ConnectError = Error<ConnectErrorKind>;
/// Says why a route is not known; [`RouteErrorKind`] has an example.
pub type RouteError = Error<RouteErrorKind>;
/// Says why a call to a broker failed; [`CallErrorKind`] has an example.
pub type CallError = Error<CallErrorKind>;
/// Says why a message was not stored; [`SendErrorKind`] has an example.
pub type SendError = Error<SendErrorKind>;
/// Says why a producer or consumer cannot be started; [`StartErrorKind`] has an example.
pub type StartError = Error<StartErrorKind>;

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: i32, remark: &str) -> BrokerRefusal {
        BrokerRefusal {
            code: ResponseCode(code),
            remark: remark.into(),
            broker: "broker-a".into(),
            topic: "orders".into(),
        }
    }

    #[test]
    fn busy_is_retryable_until_the_request_has_waited_in_the_queue() {
        assert!(refusal(2, "[OVERLOAD]system busy").is_retryable());
        assert!(!refusal(2, "[TIMEOUT_CLEAN_QUEUE]broker busy").is_retryable());
        assert!(!refusal(2, "[PCBUSY_CLEAN_QUEUE]broker busy").is_retryable());
        assert!(!refusal(215, "").is_retryable());
        assert!(!refusal(13, "too long").is_retryable());
    }

    #[test]
    fn a_lack_of_rights_is_told_from_a_topic_that_takes_no_writes() {
        let exception = "org.apache.rocketmq.acl.common.AclException: No accessKey is configured, x.java";
        for (code, remark, denied) in [
            (16, "check signature failed.", true),
            (16, "User:bob has no permission to access Topic:t from 127.0.0.1, no matched policies.", true),
            (16, "User:bob is disabled.", true),
            (1, exception, true),
            (16, "the broker[10.0.0.1] sending message is forbidden", false),
            (1, "the store is closed", false),
        ] {
            let refusal = refusal(code, remark);
            assert_eq!((refusal.is_access_denied(), refusal.is_retryable()), (denied, !denied), "{remark}");
        }
    }

    #[test]
    fn the_text_names_broker_code_remark_topic_and_every_attempt() {
        let attempt = Attempt {
            broker: "broker-b".into(),
            address: "10.0.0.5:10911".into(),
            elapsed: Duration::from_millis(12),
            cause: "connection refused".into(),
        };
        let error =
            SendError::refused(SendErrorKind::Refused, refusal(13, "too long")).with_attempts(vec![attempt]);
        let text = error.to_string();
        for part in
            ["broker-a", "too long", "orders", "attempt 1", "broker-b", "10.0.0.5:10911", "12 ms", "refused"]
        {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
    }

    #[test]
    fn a_refusal_decides_before_the_kind() {
        let error = SendError::refused(SendErrorKind::Refused, refusal(14, "disk full"));
        assert!(error.is_retryable());
    }
}
