//! The messages that both programs can send.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A payload of each kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "lowercase")]
pub enum Body {
    /// An object, sent as JSON.
    Order(Order),
    /// A list of objects, sent as JSON.
    Orders(Vec<Order>),
    /// A text, sent as it is.
    Text(String),
    /// A number, sent as JSON.
    Number(i64),
    /// A constant of an enum, sent as JSON.
    Status(Status),
    /// Bytes, sent as they are.
    #[serde(serialize_with = "as_base64")]
    Bytes(Vec<u8>),
}

fn as_base64<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&base64(bytes))
}

/// Returns bytes as the programs tell them.
pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

impl Body {
    /// Returns the tag, and the name of the listener, for this kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Body::Order(_) => "order",
            Body::Orders(_) => "orders",
            Body::Text(_) => "text",
            Body::Number(_) => "number",
            Body::Status(_) => "status",
            Body::Bytes(_) => "bytes",
        }
    }

    /// Returns the value as a listener that read it tells it.
    ///
    /// # Panics
    /// Panics for a value without a JSON form.
    pub fn told(&self) -> serde_json::Value {
        let mut body = serde_json::to_value(self).expect("a body has a JSON form");
        body["value"].take()
    }
}

/// A record such as both programs declare it. Java's names are in camel case, its dates are ISO texts, and its absent values
/// are `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Number of the order.
    pub id: u64,
    /// A text.
    pub item: String,
    /// A `BigDecimal` in Java.
    pub price: f64,
    /// A `LocalDate` in Java.
    pub day: String,
    /// A `LocalDateTime` in Java.
    pub placed_at: String,
    /// A constant of an enum.
    pub status: Status,
    /// A list.
    pub labels: Vec<String>,
    /// A value that may be absent.
    pub note: Option<String>,
}

/// Java names its constants in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Not paid yet.
    Open,
    /// Paid.
    Paid,
}

/// The reply to an [`Order`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// Number of the order.
    pub order: u64,
    /// Ten times its price.
    pub total: f64,
}

/// A way to send.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(tag = "as", rename_all = "lowercase")]
pub enum How {
    /// The sender waits for the broker's answer.
    #[default]
    Plain,
    /// Spring's `asyncSend`; ours sends in a task.
    Later,
    /// The sender waits for nothing.
    Oneway,
    /// In the order of the sends with this key.
    Ordered {
        /// The key.
        key: String,
    },
    /// After a delay level of the broker.
    Level {
        /// The level, 1 for the first.
        level: u8,
    },
    /// After a time.
    Delay {
        /// Milliseconds.
        millis: u64,
    },
    /// At a time.
    At {
        /// Milliseconds of the UNIX epoch.
        millis: u64,
    },
    /// All bodies in one batch.
    Batch,
    /// As a half message, about which the local transaction decides `COMMIT`, `ROLLBACK` or `UNKNOWN`.
    Transaction {
        /// The decision.
        local: &'static str,
    },
}

/// A message to send.
#[derive(Debug, Clone, Serialize)]
pub struct Letter {
    /// The way to send it.
    pub how: How,
    /// Its payload; several make a batch.
    pub bodies: Vec<Body>,
    /// Spring's headers. `KEYS` are the keys, all others properties.
    pub headers: BTreeMap<String, String>,
}

impl Letter {
    /// Makes a message without headers that is sent plainly.
    pub fn new(body: Body) -> Self {
        Letter { how: How::default(), bodies: vec![body], headers: BTreeMap::new() }
    }

    /// Makes a message with a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Body::Text(text.into()))
    }

    /// Changes the way of sending.
    #[must_use]
    pub fn how(self, how: How) -> Self {
        Letter { how, ..self }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// The broker's answer to a send.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Sent {
    /// The queue; absent for a one-way message.
    pub queue: Option<i32>,
}
