//! The options of a listener. `[rocketmq.consumer.groups.<group>]` overrides its attribute, and `[rocketmq.consumer]` fills in
//! for both.

use super::Spec;
use super::tuning::ConsumerTuning;
use crate::config::keys::{ATTRIBUTE, hint, is_access};
use crate::config::origin::Origin;
use crate::config::parse;
use crate::config::section::found;
use crate::config::sources::{Found, Sources, in_file, read_secret, wrong_value};
use crate::config::{Access, MsgTrace, Secret};
use crate::error::{Mistake, MistakeKind};
use rocketmq_client::DelayLevel;
use rocketmq_client::consumer::FromWhere;
use rocketmq_client::remoting::{self as syntax, SyntaxError};
use std::time::Duration;

/// The delays of a broker's default ladder, by level.
pub(crate) const DELAYS: [&str; 18] = [
    "1s", "5s", "10s", "30s", "1m", "2m", "3m", "4m", "5m", "6m", "7m", "8m", "9m", "10m", "20m", "30m",
    "1h", "2h",
];

/// The options that are never shown.
const SECRETS: [&str; 3] = ["access-key", "secret-key", "security-token"];

/// The default number of messages in one call of a batch listener.
const DEFAULT_BATCH: u32 = 32;

/// The order in which the messages of a queue are handled.
///
/// ```
/// use rocketmq_starter::{App, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "prices", group = "screens", mode = "orderly")]
/// async fn show() {}
///
/// let app = App::new().listener(show);
/// # drop(app);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConsumeMode {
    /// Side by side.
    #[default]
    Concurrent,
    /// One after another, in the order of their queue.
    Orderly,
}

/// The members of a group that get a message.
///
/// ```
/// use rocketmq_starter::{App, rocketmq_listener};
///
/// #[rocketmq_listener(topic = "prices", group = "screens", model = "broadcasting")]
/// async fn show() {}
///
/// let app = App::new().listener(show);
/// # drop(app);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageModel {
    /// One member of the group.
    #[default]
    Clustering,
    /// Every member of the group.
    Broadcasting,
}

impl MessageModel {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let models = [("clustering", MessageModel::Clustering), ("broadcasting", MessageModel::Broadcasting)];
        parse::word(&models, text)
    }
}

/// The fate of a message whose handler failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnError {
    #[default]
    Retry,
    DeadLetter,
}

/// The fate of a message that cannot be read as the type its handler takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnUnreadable {
    #[default]
    DeadLetter,
    Retry,
    Skip,
}

/// Reads the place where a new group begins.
pub(crate) fn start_point(text: &str) -> Result<FromWhere, String> {
    match text.trim() {
        "first" => Ok(FromWhere::FirstOffset),
        "last" => Ok(FromWhere::LastOffset),
        time => humantime::parse_rfc3339_weak(time)
            .map(FromWhere::Timestamp)
            .map_err(|_| "\"first\", \"last\", or a UTC time such as \"2026-01-31T12:00:00Z\"".to_owned()),
    }
}

/// The options of one listener.
#[derive(Debug, Clone, Default)]
pub(crate) struct HandlerOptions {
    pub(crate) on_error: OnError,
    pub(crate) on_unreadable: OnUnreadable,
    /// The time before the next try, unless the handler gives one.
    pub(crate) retry_delay: Option<DelayLevel>,
    pub(crate) reply_timeout: Option<Duration>,
}

/// The options of the consumer of one group, shared by its listeners.
#[derive(Debug, Clone, Default)]
pub(crate) struct GroupOptions {
    pub(crate) mode: ConsumeMode,
    pub(crate) model: MessageModel,
    pub(crate) concurrency: Option<u32>,
    pub(crate) batch: u32,
    pub(crate) max_reconsume_times: Option<u32>,
    pub(crate) paused: bool,
    pub(crate) consume_timeout: Option<Duration>,
    pub(crate) suspend_time: Option<Duration>,
    pub(crate) from: Option<FromWhere>,
    pub(crate) pull_batch_size: Option<u32>,
    pub(crate) pull_interval: Option<Duration>,
    pub(crate) await_termination: Option<Duration>,
    pub(crate) name_server: Option<String>,
    /// The name of a cluster, and where it was written.
    pub(crate) cluster: Option<Found>,
    pub(crate) access: Access,
    pub(crate) tuning: ConsumerTuning,
    pub(crate) trace: MsgTrace,
}

impl HandlerOptions {
    pub(crate) fn read(options: &mut Options<'_>) -> Self {
        HandlerOptions {
            on_error: options.read("on-error", on_error).unwrap_or_default(),
            on_unreadable: options.read("on-unreadable", on_unreadable).unwrap_or_default(),
            retry_delay: options.read("retry-delay", delay_level),
            reply_timeout: options.read("reply-timeout", parse::interval),
        }
    }
}

impl GroupOptions {
    /// `batches`: one of the group's listeners takes many messages at once.
    pub(crate) fn read(options: &mut Options<'_>, batches: bool) -> Self {
        let batch = options.read("batch", parse::count_within::<1, 1024>);
        let (cluster, name_server) = options.place();
        let read = GroupOptions {
            mode: options.read("mode", mode).unwrap_or_default(),
            model: options.read("model", MessageModel::parse).unwrap_or_default(),
            concurrency: options.read("concurrency", parse::count_within::<1, 1000>),
            batch: batch.unwrap_or(if batches { DEFAULT_BATCH } else { 1 }),
            max_reconsume_times: options
                .read("max-reconsume-times", parse::count_within::<0, { i32::MAX as u32 }>),
            paused: options.read("paused", parse::switch).unwrap_or_default(),
            consume_timeout: options.read("consume-timeout", parse::consume_timeout),
            suspend_time: options.read("suspend-time", parse::period),
            from: options.read("from", start_point),
            pull_batch_size: options.read("pull-batch-size", parse::count_within::<1, 1024>),
            pull_interval: options.read("pull-interval", parse::period),
            await_termination: options.read("await-termination", parse::period),
            name_server,
            cluster,
            access: options.access(),
            tuning: ConsumerTuning::read(options),
            trace: MsgTrace {
                enable_msg_trace: options.read("enable-msg-trace", parse::switch),
                customized_trace_topic: options.read("customized-trace-topic", parse::topic),
            },
        };
        read.check(options);
        read
    }

    /// Reports settings that do not go together.
    fn check(&self, options: &mut Options<'_>) {
        let orderly = self.mode == ConsumeMode::Orderly;
        if orderly && self.model == MessageModel::Broadcasting {
            options.mistake(MistakeKind::Listener, "orderly needs clustering: broadcasting keeps no order");
        }
        if orderly && self.tuning.is_assigned_by_broker() {
            let text = "orderly needs `client-rebalance = true`: groups in POP mode keep no order";
            options.mistake(MistakeKind::Listener, text);
        }
    }
}

pub(crate) fn mode(text: &str) -> Result<ConsumeMode, String> {
    let modes = [
        ("concurrent", ConsumeMode::Concurrent),
        ("orderly", ConsumeMode::Orderly),
        ("CONCURRENTLY", ConsumeMode::Concurrent),
    ];
    parse::word(&modes, text)
}

pub(crate) fn on_error(text: &str) -> Result<OnError, String> {
    parse::word(&[("retry", OnError::Retry), ("dead-letter", OnError::DeadLetter)], text)
}

pub(crate) fn on_unreadable(text: &str) -> Result<OnUnreadable, String> {
    let ways = [
        ("dead-letter", OnUnreadable::DeadLetter),
        ("retry", OnUnreadable::Retry),
        ("skip", OnUnreadable::Skip),
    ];
    parse::word(&ways, text)
}

pub(crate) fn delay_level(text: &str) -> Result<DelayLevel, String> {
    let level =
        DELAYS.iter().position(|delay| *delay == text.trim()).and_then(|at| u16::try_from(at + 1).ok());
    level.map(DelayLevel::new).ok_or_else(|| format!("one of {}", DELAYS.join(", ")))
}

/// Checks tags by the broker's grammar, but strictly.
pub(crate) fn tags(selector: &str) -> Result<String, String> {
    syntax::tags::check(selector)
        .map_err(|error| format!("tags such as \"created || paid\"{}", drawn(selector, &error)))?;
    Ok(selector.trim().to_owned())
}

/// Checks a condition by the broker's grammar, but strictly.
pub(crate) fn sql(condition: &str) -> Result<String, String> {
    syntax::sql::check(condition)
        .map_err(|error| format!("an SQL92 condition{}", drawn(condition, &error)))?;
    Ok(condition.to_owned())
}

/// Draws a caret below the mistake.
fn drawn(text: &str, error: &SyntaxError) -> String {
    format!(":\n\n      {}\n", error.drawn(text).replace('\n', "\n      "))
}

/// Reads the options of some listeners of one group. Texts that an option does not take are reported by
/// [`check_attribute`] and by the check of the sources.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    sources: &'a Sources,
    group: &'a str,
    specs: &'a [&'a Spec],
    mistakes: &'a mut Vec<Mistake>,
}

/// The places of an option; the first one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// `[rocketmq.consumer.groups.<group>]`.
    Group,
    Attribute,
    /// `[rocketmq.consumer]`.
    Shared,
}

/// The cluster to which a consumer connects.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// One of `[rocketmq.clusters]`.
    Cluster(String),
    /// The one behind this name server.
    Server(Option<String>),
}

impl Level {
    const ALL: [Level; 3] = [Level::Group, Level::Attribute, Level::Shared];
}

impl<'a> Options<'a> {
    pub(crate) fn new(
        sources: &'a Sources,
        group: &'a str,
        specs: &'a [&'a Spec],
        mistakes: &'a mut Vec<Mistake>,
    ) -> Self {
        Options { sources, group, specs, mistakes }
    }

    pub(crate) fn mistake(&mut self, kind: MistakeKind, message: &str) {
        let listeners: Vec<_> = self.specs.iter().map(|spec| spec.described()).collect();
        let message = format!("{} (group `{}`): {message}", listeners.join(" and "), self.group);
        self.mistakes.push(Mistake::new(kind, message));
    }

    pub(crate) fn read<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let found = Level::ALL.into_iter().find_map(|level| self.said_at(level, key))?;
        parse(&found.text).ok()
    }

    /// Reads an option that only the attribute has.
    pub(crate) fn own<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        parse(&self.said_at(Level::Attribute, key)?.text).ok()
    }

    fn place(&mut self) -> (Option<Found>, Option<String>) {
        let (cluster, server) = self.first_place();
        (cluster.map(trimmed), server.map(|found| trimmed(found).text))
    }

    /// Returns the cluster and the name server of the first level that says where the consumer connects.
    fn first_place(&mut self) -> (Option<Found>, Option<Found>) {
        let mut said = Level::ALL
            .into_iter()
            .map(|level| (self.said_at(level, "cluster"), self.said_at(level, "name-server")));
        said.find(|(cluster, server)| cluster.is_some() || server.is_some()).unwrap_or_default()
    }

    fn access(&mut self) -> Access {
        Access {
            access_key: self.credential("access-key"),
            secret_key: self.credential("secret-key"),
            security_token: self.credential("security-token"),
            namespace: self.identity("namespace", parse::text),
            namespace_v2: self.identity("namespace-v2", parse::text),
            tls_enable: self.identity("tls-enable", parse::switch),
            instance_name: self.identity("instance-name", parse::text),
        }
    }

    /// Returns the text of an option that counts, and the place where it was written.
    pub(crate) fn said(&mut self, key: &str) -> Option<Found> {
        let of_cluster = is_access(key) && matches!(self.place_from(0), Place::Cluster(_));
        if SECRETS.contains(&key) || of_cluster {
            return self.written_for_its_cluster(key);
        }
        match key {
            "cluster" => self.first_place().0,
            "name-server" => self.first_place().1,
            _ => Level::ALL.into_iter().find_map(|level| self.said_at(level, key)),
        }
    }

    /// Reads a credential. It goes only to the cluster for which it was written.
    fn credential(&mut self, key: &str) -> Option<Secret> {
        self.written_for_its_cluster(key).map(|found| Secret::new(found.text.trim()))
    }

    /// Reads another value of the access. Where a cluster has a name, the values of other places are not meant for it.
    fn identity<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match self.place_from(0) {
            Place::Cluster(_) => parse(&self.written_for_its_cluster(key)?.text).ok(),
            Place::Server(_) => self.read(key, parse),
        }
    }

    /// Returns the text of a key if the place of the text speaks of the cluster to which the consumer connects.
    fn written_for_its_cluster(&mut self, key: &str) -> Option<Found> {
        let place = self.place_from(0);
        let (at, found) = Level::ALL
            .into_iter()
            .enumerate()
            .find_map(|(at, level)| Some((at, self.said_at(level, key)?)))?;
        (self.place_from(at) == place).then_some(found)
    }

    /// Returns the cluster that holds from this level on.
    fn place_from(&mut self, level: usize) -> Place {
        for level in &Level::ALL[level..] {
            if let Some(cluster) = self.said_at(*level, "cluster") {
                return Place::Cluster(trimmed(cluster).text);
            }
            if let Some(server) = self.said_at(*level, "name-server") {
                return Place::Server(Some(trimmed(server).text));
            }
        }
        let everywhere = found(self.sources, "rocketmq.name-server", self.mistakes);
        Place::Server(everywhere.map(|found| trimmed(found).text))
    }

    /// Returns the text of an option; an empty text counts as none.
    fn said_at(&mut self, level: Level, key: &str) -> Option<Found> {
        let configured = match level {
            Level::Group => format!("rocketmq.consumer.groups.{}.{key}", self.group),
            Level::Attribute => {
                let said = |found: &Found| !found.text.trim().is_empty();
                return self.attributes_say(key).filter(said).or_else(|| self.secret_in_file(key));
            }
            Level::Shared => format!("rocketmq.consumer.{key}"),
        };
        found(self.sources, &configured, self.mistakes)
    }

    /// Reads a credential from the file that an attribute names.
    fn secret_in_file(&mut self, key: &str) -> Option<Found> {
        let node = ATTRIBUTE.get(key).filter(|_| SECRETS.contains(&key))?.node;
        let file = self.attributes_say(&in_file(key)).filter(|file| !file.text.trim().is_empty())?;
        read_secret(file, node).map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    /// Returns the value on which the attributes agree. One consumer cannot follow two that differ.
    fn attributes_say(&mut self, key: &str) -> Option<Found> {
        let mut agreed: Option<Found> = None;
        for spec in self.specs {
            let Some(found) = self.attribute_says(spec, key) else { continue };
            match &agreed {
                Some(first) if first.text != found.text => {
                    let message = format!(
                        "`{key}` is \"{}\" in {} but \"{}\" in {}; the listeners of a group share one consumer, so \
                         make them equal or give them groups of their own",
                        first.text, first.origin, found.text, found.origin
                    );
                    self.mistakes.push(Mistake::new(MistakeKind::Subscription, message));
                }
                Some(_) => {}
                None => agreed = Some(found),
            }
        }
        agreed
    }

    fn attribute_says(&mut self, spec: &Spec, key: &str) -> Option<Found> {
        let (_, text) = spec.options.iter().find(|(name, _)| *name == key)?;
        match self.sources.resolve(text) {
            Ok(text) => {
                let origin = Origin::Listener(spec.described());
                Some(Found { text, written: key.replace('-', "_"), origin })
            }
            Err(error) => {
                let message = format!("`{}` of {}: {error}", key.replace('-', "_"), spec.described());
                self.mistakes.push(Mistake::new(MistakeKind::Placeholder, message));
                None
            }
        }
    }
}

fn trimmed(found: Found) -> Found {
    Found { text: found.text.trim().to_owned(), ..found }
}

/// Reports unknown options of a listener and texts that an option does not take. The macro has checked literals; placeholders
/// and [`Listener::option`](super::Listener::option) are left.
pub(crate) fn check_attribute(spec: &Spec, sources: &Sources, mistakes: &mut Vec<Mistake>) {
    for (key, text) in &spec.options {
        let written = key.replace('-', "_");
        let Some(known) = ATTRIBUTE.get(key) else {
            let message =
                format!("`{written}` of {} is no option; {}", spec.described(), hint(&ATTRIBUTE, key));
            mistakes.push(Mistake::new(MistakeKind::UnknownKey, message));
            continue;
        };
        if SECRETS.contains(&key.as_ref()) && spec.options.iter().any(|(other, _)| *other == in_file(key)) {
            let message = format!(
                "`{written}` and `{written}_file` of {} exclude each other; keep one",
                spec.described()
            );
            mistakes.push(Mistake::new(MistakeKind::WrongValue, message));
        }
        // An option that is read reports a placeholder without a value; others may have none.
        if let Ok(text) = sources.resolve(text)
            && let Some((takes, secret)) = known.node.refuses(&text)
        {
            let origin = Origin::Listener(spec.described());
            mistakes.push(wrong_value(&written, &text, secret, &origin, &takes));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn spec(name: &'static str, options: &'static [(&'static str, &'static str)]) -> Spec {
        Spec::new(name, "here", "t", "g", options)
    }

    fn read(toml: &str, specs: &[&Spec]) -> (GroupOptions, HandlerOptions, Vec<String>) {
        let (sources, mut mistakes) = Sources::from_toml(toml, &[]);
        specs.iter().for_each(|spec| check_attribute(spec, &sources, &mut mistakes));
        let group = GroupOptions::read(&mut Options::new(&sources, "g", specs, &mut mistakes), false);
        let handler = HandlerOptions::read(&mut Options::new(&sources, "g", &specs[..1], &mut mistakes));
        (group, handler, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_groups_table_wins_over_the_attribute_and_that_over_the_default() {
        let listener = spec("a", &[("concurrency", "8"), ("batch", "2")]);
        let toml = "[rocketmq.consumer]\nbatch=9\nmax-reconsume-times=3\n[rocketmq.consumer.groups.g]\nconcurrency=32";
        let (group, _, mistakes) = read(toml, &[&listener]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!((group.concurrency, group.batch, group.max_reconsume_times), (Some(32), 2, Some(3)));
    }

    #[test]
    fn a_number_may_be_a_placeholder() {
        let listener = spec("a", &[("concurrency", "${billing.threads:5}")]);
        assert_eq!(read("", &[&listener]).0.concurrency, Some(5));
        assert_eq!(read("[billing]\nthreads=7", &[&listener]).0.concurrency, Some(7));
    }

    #[test]
    fn listeners_of_one_group_must_agree() {
        let (one, two) = (spec("a", &[("mode", "orderly")]), spec("b", &[("mode", "concurrent")]));
        let (_, _, mistakes) = read("", &[&one, &two]);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].contains("`a`") && mistakes[0].contains("`b`"), "{mistakes:?}");
    }

    #[test]
    fn wrong_values_name_the_listener() {
        let listener = spec("a", &[("concurrency", "${n:0}"), ("retry-delay", "${d:11s}")]);
        let (_, _, mistakes) = read("", &[&listener]);
        assert!(mistakes[0].contains("from 1 to 1000") && mistakes[0].contains("`a`"), "{mistakes:?}");
        assert!(mistakes[1].contains("10s"), "{mistakes:?}");
    }

    #[test]
    fn how_messages_are_judged_can_be_configured() {
        let listener = spec("a", &[("retry-delay", "10s")]);
        let toml = "[rocketmq.consumer.groups.g]\non-unreadable='skip'\non-error='dead-letter'";
        let (_, handler, _) = read(toml, &[&listener]);
        assert_eq!(handler.retry_delay, Some(DelayLevel::S10));
        assert_eq!((handler.on_unreadable, handler.on_error), (OnUnreadable::Skip, OnError::DeadLetter));
    }

    #[test]
    fn a_group_may_begin_at_a_time() {
        assert_eq!(
            start_point("1970-01-01T00:00:02Z"),
            Ok(FromWhere::Timestamp(UNIX_EPOCH + Duration::from_secs(2)))
        );
        assert_eq!(start_point("first"), Ok(FromWhere::FirstOffset));
        assert!(start_point("yesterday").is_err());
    }

    #[test]
    fn credentials_are_shown_to_the_cluster_they_were_written_for_alone() {
        let keys = |toml: &str, options: &'static [(&'static str, &'static str)]| {
            let (group, _, mistakes) = read(toml, &[&spec("a", options)]);
            assert!(mistakes.is_empty(), "{mistakes:?}");
            group.access.access_key.map(|key| key.expose().to_owned())
        };
        const SHARED: &str = "[rocketmq]\nname-server='near:1'\n[rocketmq.consumer]\naccess-key='shared'\n";
        let group = |toml: &str| format!("{SHARED}[rocketmq.consumer.groups.g]\n{toml}");
        let shared = Some("shared".to_owned());
        assert_eq!(keys(SHARED, &[]), shared);
        assert_eq!(keys(SHARED, &[("name-server", "near:1")]), shared, "the same cluster, said twice");
        assert_eq!(keys(SHARED, &[("name-server", "far:1")]), None);
        assert_eq!(keys(&group("name-server='far:1'"), &[]), None);
        assert_eq!(
            keys(&group("name-server='far:1'"), &[("access-key", "mine")]),
            None,
            "written for the near one"
        );
        assert_eq!(keys(&group("name-server='far:1'\naccess-key='far'"), &[]), Some("far".to_owned()));
        let far = &[("name-server", "far:1"), ("access-key", "far")];
        assert_eq!(keys(SHARED, far), Some("far".to_owned()));
        assert_eq!(
            keys(&format!("{SHARED}name-server='far:1'"), &[]),
            shared,
            "that section is about the far one"
        );
    }

    #[test]
    fn a_named_cluster_takes_only_what_was_written_for_it() {
        let seen = |toml: &str, options: &'static [(&'static str, &'static str)]| {
            let (group, _, mistakes) = read(toml, &[&spec("a", options)]);
            assert!(mistakes.is_empty(), "{mistakes:?}");
            let cluster = group.cluster.map(|found| found.text);
            (cluster, group.name_server, group.access.namespace, group.access.access_key.is_some())
        };
        const SHARED: &str = "[rocketmq.consumer]\nnamespace='near'\naccess-key='k'\nname-server='near:1'\n";
        let eu = Some("eu".to_owned());
        assert_eq!(seen(SHARED, &[("cluster", "eu")]), (eu.clone(), None, None, false));
        let own = &[("cluster", "eu"), ("namespace", "n"), ("access-key", "k")];
        assert_eq!(seen(SHARED, own), (eu.clone(), None, Some("n".to_owned()), true));
        let group = format!("{SHARED}[rocketmq.consumer.groups.g]\ncluster='eu'");
        assert_eq!(seen(&group, &[("name-server", "far:1"), ("namespace", "n")]), (eu, None, None, false));
        let back = format!("{SHARED}[rocketmq.consumer.groups.g]\nname-server='near:1'");
        let near = (None, Some("near:1".to_owned()), Some("near".to_owned()), true);
        assert_eq!(seen(&back, &[("cluster", "eu")]), near);
    }

    #[test]
    fn options_of_a_program_are_checked_like_any() {
        let listener = spec("a", &[("concurency", "3"), ("sql", "${s:a >}"), ("consume-thread-number", "4")]);
        let (_, _, mistakes) = read("", &[&listener]);
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(
            mistakes[0].contains("`concurency`") && mistakes[0].contains("`concurrency`"),
            "{mistakes:?}"
        );
        assert!(mistakes[1].contains("a >\n         ^ a value is missing here"), "{}", mistakes[1]);
        assert!(mistakes[2].contains("write `concurrency`"), "{mistakes:?}");
    }

    #[test]
    fn a_shared_value_is_complained_of_once() {
        let (one, two) = (spec("a", &[]), spec("b", &[]));
        let (_, _, mistakes) = read("[rocketmq.consumer]\nconcurrency = 0", &[&one, &two]);
        assert_eq!(
            mistakes,
            [
                "`rocketmq.consumer.concurrency` is \"0\" in application.toml:2; it takes a whole number from 1 to 1000"
            ]
        );
    }
}
