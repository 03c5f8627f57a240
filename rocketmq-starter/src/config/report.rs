//! The report of every effective value, and of the place where each was written.

use super::keys::key::{Default, Key, Table};
use super::keys::{self, Node};
use super::origin::Origin;
use super::secret::Secret;
use super::section::found;
use super::sources::{Found, Sources};
use crate::error::Mistake;
use std::fmt;

/// The effective value of every key, and the place where each was written; returned by
/// [`App::config_report`](crate::App::config_report). `Display` writes one line for each key. Secrets are never shown.
///
/// The key `rocketmq.config-report = true`, or the variable `ROCKETMQ_CONFIG_REPORT=true`, logs it at the start, also if the
/// application cannot start.
///
/// ```
/// use rocketmq_starter::App;
///
/// # fn main() -> Result<(), rocketmq_starter::StartError> {
/// let app = App::new().environment([("ROCKETMQ_PRODUCER_SECRET_KEY", "s3cret")]).set("rocketmq.producer.group", "shop");
/// let report = app.config_report()?;
/// println!("{report}"); // rocketmq.producer.group = "shop" (App::set at src/main.rs:6) …
/// let timeout = report.get("rocketmq.producer.send-message-timeout").expect("a key");
/// assert_eq!((timeout.value(), timeout.origin().to_string()), ("3s", "default".to_owned()));
/// assert_eq!(report.get("rocketmq.producer.secret-key").expect("a key").value(), "(hidden)");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigReport {
    pub(crate) values: Vec<ConfigValue>,
}

/// One line of a [`ConfigReport`].
///
/// ```
/// use rocketmq_starter::App;
///
/// # fn main() -> Result<(), rocketmq_starter::StartError> {
/// let report = App::new().environment([("ROCKETMQ_PRODUCER_GROUP", "shop")]).config_report()?;
/// let group = report.get("rocketmq.producer.group").expect("a key");
/// println!("{} = {}, from {}", group.key(), group.value(), group.origin());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigValue {
    key: String,
    value: String,
    /// The value that is not shown; a change of it is noticed.
    secret: Option<Secret>,
    origin: Origin,
}

impl ConfigReport {
    /// Returns the values, in the order of the documentation.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// # fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let report = App::new().environment([("ROCKETMQ_PRODUCER_GROUP", "shop")]).config_report()?;
    /// for value in report.values() {
    ///     println!("{} = {}", value.key(), value.value());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn values(&self) -> &[ConfigValue] {
        &self.values
    }

    /// Returns the value of a key such as `rocketmq.consumer.groups.billing.concurrency`, or `None` for a key that nothing
    /// reads.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// # fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let report = App::new().environment([("ROCKETMQ_PRODUCER_GROUP", "shop")]).config_report()?;
    /// assert!(report.get("rocketmq.producer.gruop").is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(&self, key: &str) -> Option<&ConfigValue> {
        self.values.iter().find(|value| value.key == key)
    }
}

impl ConfigValue {
    /// Makes a line of what was found, else of the default.
    pub(crate) fn new(path: String, key: &Key, found: Option<Found>) -> Self {
        let Some(Found { text, origin, .. }) = found else {
            let (Default::Value(text) | Default::Words(text)) = key.default;
            return ConfigValue { key: path, value: text.to_owned(), secret: None, origin: Origin::Default };
        };
        match key.node {
            Node::Secret(_) => {
                let secret = Some(Secret::new(text));
                ConfigValue { key: path, value: "(hidden)".to_owned(), secret, origin }
            }
            _ => ConfigValue { key: path, value: text.trim().to_owned(), secret: None, origin },
        }
    }

    /// Returns the whole key.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// # fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let report = App::new().environment([("ROCKETMQ_PRODUCER_GROUP", "shop")]).config_report()?;
    /// let group = report.get("rocketmq.producer.group").expect("a key");
    /// assert_eq!(group.key(), "rocketmq.producer.group");
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value as it was written, placeholders resolved; of a default that is no fixed value, words that tell what
    /// happens. A secret is "(hidden)".
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// # fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let report = App::new().environment([("ROCKETMQ_PRODUCER_GROUP", "shop")]).config_report()?;
    /// let group = report.get("rocketmq.producer.group").expect("a key");
    /// assert_eq!(group.value(), "shop");
    /// # Ok(())
    /// # }
    /// ```
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the place where the value was written.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// # fn main() -> Result<(), rocketmq_starter::StartError> {
    /// let report = App::new().environment([("ROCKETMQ_PRODUCER_GROUP", "shop")]).config_report()?;
    /// let group = report.get("rocketmq.producer.group").expect("a key");
    /// println!("written in {}", group.origin());
    /// # Ok(())
    /// # }
    /// ```
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns the text if one was set.
    pub(crate) fn set(&self) -> Option<&str> {
        (self.origin != Origin::Default).then_some(self.value.as_str())
    }

    /// Tells whether both have the same value, wherever it was written.
    pub(crate) fn equals(&self, other: &ConfigValue) -> bool {
        (&self.key, &self.value, &self.secret) == (&other.key, &other.value, &other.secret)
    }
}

impl fmt::Display for ConfigReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values.iter().try_for_each(|value| writeln!(f, "{value}"))
    }
}

impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConfigValue { key, value, origin, .. } = self;
        match origin {
            Origin::Default => write!(f, "{key}: {value} (default)"),
            _ => write!(f, "{key} = \"{value}\" ({origin})"),
        }
    }
}

/// Collects the lines of the tables that belong to no listener.
pub(crate) fn of_tables(sources: &Sources, mistakes: &mut Vec<Mistake>) -> Vec<ConfigValue> {
    let mut lines = Lines { sources, mistakes, values: Vec::new() };
    for table in ["", "client"] {
        lines.table(table, None);
    }
    lines.table("producer", None);
    lines.named("producers", Some("rocketmq.producer"));
    lines.table("pull-consumer", None);
    lines.named("pull-consumers", None);
    lines.named("clusters", None);
    for table in ["tls", "management", "embedded"] {
        lines.table(table, None);
    }
    lines.values
}

/// Returns a key of a cluster's account.
pub(crate) fn of_cluster(
    sources: &Sources,
    cluster: &str,
    key: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<Found> {
    let has = key == "name-server" || keys::is_access(key);
    has.then(|| found(sources, &format!("rocketmq.clusters.{}.{key}", cluster.trim()), mistakes)).flatten()
}

struct Lines<'a> {
    sources: &'a Sources,
    mistakes: &'a mut Vec<Mistake>,
    values: Vec<ConfigValue>,
}

impl Lines<'_> {
    fn find(&mut self, path: &str) -> Option<Found> {
        found(self.sources, path, self.mistakes)
    }

    /// `base`: the table from which it takes missing values.
    fn named(&mut self, table: &str, base: Option<&str>) {
        for (name, _) in self.sources.names(&format!("rocketmq.{table}")) {
            self.table(&format!("{table}.{name}"), base);
        }
    }

    fn table(&mut self, table: &str, base: Option<&str>) {
        let segments = table.split('.').filter(|segment| !segment.is_empty());
        let Ok(keys::Place { path, node: Node::Table(known) }) = keys::follow(segments) else { return };
        let place = Placed::of(self, &path, base);
        for key in values(known) {
            let whole = format!("{path}.{}", key.name);
            let found = self.find(&whole).or_else(|| self.inherited(key.name, base, &place));
            self.values.push(ConfigValue::new(whole, key, found));
        }
        if known.keys().any(|key| key.name == "tls") && table.starts_with("clusters.") {
            self.table(&format!("{table}.tls"), None);
        }
    }

    /// Finds what a producer takes from `[rocketmq.producer]`, as `ProducerProperties::inheriting` says, and from its cluster.
    fn inherited(&mut self, key: &str, base: Option<&str>, place: &Placed) -> Option<Found> {
        let taken = match key {
            "group" => false,
            "name-server" | "cluster" => !place.says_where,
            _ => !(place.elsewhere && keys::is_access(key)),
        };
        let of_base = base.filter(|_| taken).and_then(|base| self.find(&format!("{base}.{key}")));
        of_base.or_else(|| of_cluster(self.sources, place.cluster.as_deref()?, key, self.mistakes))
    }
}

/// The cluster of a producer or consumer.
struct Placed {
    cluster: Option<String>,
    /// It does not follow `[rocketmq.producer]`.
    says_where: bool,
    /// It goes to another cluster than `[rocketmq.producer]`.
    elsewhere: bool,
}

impl Placed {
    fn of(lines: &mut Lines<'_>, path: &str, base: Option<&str>) -> Self {
        let mut text = |path: &str, key: &str| {
            let path = format!("{path}.{key}");
            keys::follow(path.split('.').skip(1)).ok()?;
            lines.find(&path).map(|found| found.text.trim().to_owned())
        };
        let (cluster, server) = (text(path, "cluster"), text(path, "name-server"));
        let says_where = cluster.is_some() || server.is_some();
        let Some(base) = base else { return Placed { cluster, says_where, elsewhere: false } };
        let base_cluster = text(base, "cluster");
        let near = text(base, "name-server").or_else(|| text("rocketmq", "name-server"));
        let elsewhere = match (&cluster, &server) {
            (Some(own), _) => base_cluster.as_ref() != Some(own),
            (None, Some(own)) => base_cluster.is_some() || near.as_ref() != Some(own),
            (None, None) => false,
        };
        let cluster = if says_where { cluster } else { base_cluster };
        Placed { cluster, says_where, elsewhere }
    }
}

/// The keys of a table that take one value.
pub(crate) fn values(table: &Table) -> impl Iterator<Item = &'static Key> + use<> {
    table.keys().filter(|key| matches!(key.node, Node::Value(_) | Node::Secret(_)))
}
