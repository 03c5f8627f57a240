//! One error type per operation: [`Error`] is generic over the kinds that operation can end with.
//!
//! The kind says what to do next, the text says which name, value and broker, and
//! [`is_retryable`](Error::is_retryable) is the very method the client's own retry loop asks.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::ResponseCode;

/// Any error, boxed: what interceptors and handlers may fail with.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// The kinds of failure of one operation.
pub trait ErrorKind: Copy + Eq + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// Whether the same call may succeed later with nothing changed by the caller.
    fn is_transient(self) -> bool;
}

/// Why an operation failed: its kind, a sentence, and where known the broker's refusal and every attempt.
///
/// Cheap to clone, so that one failed batch can tell each of its senders.
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
    /// A failure of this kind, told by a sentence; for what is built on this crate, and for tests.
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

    /// Built errors are not shared yet, so the edit always reaches the detail.
    fn edit(mut self, change: impl FnOnce(&mut Detail)) -> Self {
        if let Some(detail) = Arc::get_mut(&mut self.detail) {
            change(detail);
        }
        self
    }

    /// The same failure as part of another operation.
    pub(crate) fn map_kind<T: ErrorKind>(self, kind: impl FnOnce(K) -> T) -> Error<T> {
        Error { kind: kind(self.kind), detail: self.detail }
    }

    /// What went wrong, to match on.
    pub fn kind(&self) -> K {
        self.kind
    }

    /// What the broker answered, when it was the broker that refused.
    pub fn refusal(&self) -> Option<&BrokerRefusal> {
        self.detail.refusal.as_ref()
    }

    /// Every try, in order; empty when the operation failed before it reached a broker.
    pub fn attempts(&self) -> &[Attempt] {
        &self.detail.attempts
    }

    /// Whether the same call may succeed later with nothing changed. The client has already retried as
    /// far as its configuration and time budget let it.
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

/// A broker (or name server) answered, and the answer was no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRefusal {
    /// The response code; a code this client does not know is kept as it came.
    pub code: ResponseCode,
    /// The reason in the server's words; may be empty.
    pub remark: String,
    /// Who answered: a broker name, or the address where no name is known.
    pub broker: String,
    /// The topic the request was about; empty when it was about none.
    pub topic: String,
}

impl BrokerRefusal {
    /// Whether another broker, or this one later, may take the same request: the codes Java's producer
    /// retries, save flow control.
    pub fn is_retryable(&self) -> bool {
        !self.is_flow_control() && !self.is_access_denied() && RETRYABLE_CODES.contains(&self.code)
    }

    /// Whether the broker's access control refuses: no such user, a wrong signature, or no permission. Another broker
    /// would say the same, so this is not tried again, unlike the same codes for other reasons.
    pub fn is_access_denied(&self) -> bool {
        match self.code {
            ResponseCode::NO_PERMISSION => ACCESS_DENIED.iter().any(|words| self.remark.contains(words)),
            ResponseCode::SYSTEM_ERROR => self.remark.contains("AclException: "),
            _ => false,
        }
    }

    /// Whether the broker asks to be left alone for a while. A request that was thrown out of the send
    /// queue has already waited there; sending it again at once only makes the queue longer.
    pub fn is_flow_control(&self) -> bool {
        FLOW_CONTROL_CODES.contains(&self.code)
            || (self.code == ResponseCode::SYSTEM_BUSY && self.remark.contains("_CLEAN_QUEUE]"))
    }
}

/// What Java's producer tries again on another broker (`retryResponseCodes`): topic missing there, not
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

/// What 5.x brokers say with code 16 when it is about the user; 4.x brokers say `AclException` with code 1.
const ACCESS_DENIED: [&str; 6] = [
    "username cannot be null",
    "check signature failed",
    "no permission to access",
    "User:",
    "Authentication failed",
    "Authorization failed",
];

/// 215 is what proxies and cloud brokers throttle with; 216 its sibling for one message too many.
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

/// One try of an operation that may take several.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The broker's name.
    pub broker: String,
    /// Its address; empty when the route holds no master for it.
    pub address: String,
    /// How long the try took.
    pub elapsed: Duration,
    /// Why it failed.
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

/// Names for the flag in `error_kinds!`.
pub(crate) mod nature {
    pub(crate) const TRANSIENT: bool = true;
    pub(crate) const FINAL: bool = false;
}

error_kinds! {
    /// Why a client could not be built.
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
    /// Why a topic's route is not known.
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
    /// Why a call to a broker failed: what offset, lock, admin and similar calls end with.
    pub enum CallErrorKind {
        /// The connection could not be made or broke.
        Unreachable = "the broker could not be reached", TRANSIENT;
        /// The broker did not answer in time; whether it acted is unknown.
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
    /// Why a message was not (as far as is known) stored.
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
        /// The answer cannot be read: it does not say where the message is, which may be stored all the same.
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
    /// Why a producer or consumer could not be started.
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
    /// The kind of a call that ended with this refusal.
    pub(crate) fn of(refusal: &BrokerRefusal) -> Self {
        if refusal.is_access_denied() { Self::NotPermitted } else { Self::Refused }
    }
}

impl CallError {
    /// The broker said no.
    pub(crate) fn refused_by(refusal: BrokerRefusal) -> Self {
        Self::refused(CallErrorKind::of(&refusal), refusal)
    }

    /// Nobody knows which broker to ask.
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

/// A client could not be built.
pub type ConnectError = Error<ConnectErrorKind>;
/// A route is not known.
pub type RouteError = Error<RouteErrorKind>;
/// A call to a broker failed.
pub type CallError = Error<CallErrorKind>;
/// A message was not stored.
pub type SendError = Error<SendErrorKind>;
/// A producer or consumer could not be started.
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
