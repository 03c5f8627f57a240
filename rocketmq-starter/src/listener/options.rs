//! What a listener may be told, and where: its attribute, overridden by `[rocketmq.consumer.groups.<group>]`;
//! what both leave open comes from `[rocketmq.consumer]`.

use super::Spec;
use super::tuning::ConsumerTuning;
use crate::config::reader::{parse, unknown_key, wrong_value};
use crate::config::sources::{Found, Sources, canonical};
use crate::config::{Access, MsgTrace, Secret};
use crate::error::{Mistake, MistakeKind};
use rocketmq_client::DelayLevel;
use rocketmq_client::consumer::FromWhere;
use std::time::Duration;

/// Every option, as it is spelt in configuration; the attribute writes `_` for `-`.
pub(crate) const OPTION_KEYS: &[&str] = &[
    "mode",
    "model",
    "concurrency",
    "batch",
    "max-reconsume-times",
    "consume-timeout",
    "retry-delay",
    "suspend-time",
    "on-error",
    "on-unreadable",
    "from",
    "pull-batch-size",
    "pull-interval",
    "reply-timeout",
    "await-termination",
    "enabled",
    "name-server",
    "access-key",
    "secret-key",
    "security-token",
    "tls-enable",
    "namespace",
    "namespace-v2",
    "instance-name",
    "allocate",
    "consumer-idcs",
    "client-rebalance",
    "pop-invisible-time",
    "pop-batch-nums",
    "pop-threshold-for-queue",
    "pull-threshold-for-queue",
    "pull-threshold-size-for-queue",
    "pull-threshold-for-topic",
    "pull-threshold-size-for-topic",
    "consume-concurrently-max-span",
    "local-offset-store-dir",
    "enable-msg-trace",
    "customized-trace-topic",
];

/// The delays of a broker's default ladder, by level.
const DELAYS: [&str; 18] = [
    "1s", "5s", "10s", "30s", "1m", "2m", "3m", "4m", "5m", "6m", "7m", "8m", "9m", "10m", "20m", "30m",
    "1h", "2h",
];

/// How many messages a batch listener takes at once when nothing says so.
const DEFAULT_BATCH: u32 = 32;
/// The client takes at most this many handlers, and at most this many messages at once.
const MAX_CONCURRENCY: u32 = 1000;
const MAX_BATCH: u32 = 1024;

/// Whether a queue's messages are handled side by side or one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConsumeMode {
    /// Side by side.
    #[default]
    Concurrent,
    /// One after another, in the order of their queue.
    Orderly,
}

/// Who gets a message.
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
        parse::word(&[("clustering", MessageModel::Clustering), ("broadcasting", MessageModel::Broadcasting)])(
            text,
        )
    }
}

/// What becomes of a message whose handler failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnError {
    #[default]
    Retry,
    DeadLetter,
}

/// What becomes of a message that cannot be read as the type its handler takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnUnreadable {
    /// It will never be readable.
    #[default]
    DeadLetter,
    Retry,
    Skip,
}

/// Where a group begins that has consumed nothing yet.
fn start_point(text: &str) -> Result<FromWhere, String> {
    match text.trim() {
        "first" => Ok(FromWhere::FirstOffset),
        "last" => Ok(FromWhere::LastOffset),
        time => humantime::parse_rfc3339_weak(time)
            .map(FromWhere::Timestamp)
            .map_err(|_| "\"first\", \"last\", or a UTC time such as \"2026-01-31T12:00:00Z\",".to_owned()),
    }
}

/// How one listener judges its messages.
#[derive(Debug, Clone, Default)]
pub(crate) struct HandlerOptions {
    pub(crate) on_error: OnError,
    pub(crate) on_unreadable: OnUnreadable,
    /// The next try, when the handler only says "retry".
    pub(crate) retry_delay: Option<DelayLevel>,
    pub(crate) reply_timeout: Option<Duration>,
}

/// How the consumer of one group works; its listeners share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct GroupOptions {
    pub(crate) mode: ConsumeMode,
    pub(crate) model: MessageModel,
    pub(crate) concurrency: Option<u32>,
    pub(crate) batch: u32,
    pub(crate) max_reconsume_times: Option<u32>,
    pub(crate) consume_timeout: Option<Duration>,
    pub(crate) suspend_time: Option<Duration>,
    pub(crate) from: Option<FromWhere>,
    pub(crate) pull_batch_size: Option<u32>,
    pub(crate) pull_interval: Option<Duration>,
    pub(crate) await_termination: Option<Duration>,
    pub(crate) name_server: Option<String>,
    pub(crate) access: Access,
    pub(crate) tuning: ConsumerTuning,
    pub(crate) trace: MsgTrace,
}

impl HandlerOptions {
    pub(crate) fn read(options: &mut Options<'_>) -> Self {
        HandlerOptions {
            on_error: options
                .read(
                    "on-error",
                    parse::word(&[("retry", OnError::Retry), ("dead-letter", OnError::DeadLetter)]),
                )
                .unwrap_or_default(),
            on_unreadable: options.read("on-unreadable", on_unreadable).unwrap_or_default(),
            retry_delay: options.read("retry-delay", delay_level),
            reply_timeout: options.read("reply-timeout", parse::period),
        }
    }
}

impl GroupOptions {
    /// `batches`: one of the group's listeners takes many messages at once.
    pub(crate) fn read(options: &mut Options<'_>, batches: bool) -> Self {
        let batch = options.read("batch", parse::count_within(1, MAX_BATCH));
        let read = GroupOptions {
            mode: options.read("mode", mode).unwrap_or_default(),
            model: options.read("model", MessageModel::parse).unwrap_or_default(),
            concurrency: options.read("concurrency", parse::count_within(1, MAX_CONCURRENCY)),
            batch: batch.unwrap_or(if batches { DEFAULT_BATCH } else { 1 }),
            max_reconsume_times: options.read("max-reconsume-times", parse::count_within(0, i32::MAX as u32)),
            consume_timeout: options.read("consume-timeout", parse::period),
            suspend_time: options.read("suspend-time", parse::period),
            from: options.read("from", start_point),
            pull_batch_size: options.read("pull-batch-size", parse::count_within(1, MAX_BATCH)),
            pull_interval: options.read("pull-interval", parse::period),
            await_termination: options.read("await-termination", parse::period),
            name_server: options.read("name-server", parse::text),
            access: access(options),
            tuning: ConsumerTuning::read(options),
            trace: MsgTrace {
                enable_msg_trace: options.read("enable-msg-trace", parse::switch),
                customized_trace_topic: options.read("customized-trace-topic", parse::text),
            },
        };
        if read.mode == ConsumeMode::Orderly && read.model == MessageModel::Broadcasting {
            options.mistake(MistakeKind::Listener, "orderly needs clustering: broadcasting keeps no order");
        }
        read
    }
}

fn access(options: &mut Options<'_>) -> Access {
    let secret = |text: &str| parse::text(text).map(Secret::new);
    Access {
        access_key: options.read("access-key", secret),
        secret_key: options.read("secret-key", secret),
        security_token: options.read("security-token", secret),
        namespace: options.read("namespace", parse::text),
        namespace_v2: options.read("namespace-v2", parse::text),
        tls_enable: options.read("tls-enable", parse::switch),
        instance_name: options.read("instance-name", parse::text),
    }
}

fn mode(text: &str) -> Result<ConsumeMode, String> {
    parse::word(&[
        ("concurrent", ConsumeMode::Concurrent),
        ("orderly", ConsumeMode::Orderly),
        ("CONCURRENTLY", ConsumeMode::Concurrent),
    ])(text)
}

fn on_unreadable(text: &str) -> Result<OnUnreadable, String> {
    parse::word(&[
        ("dead-letter", OnUnreadable::DeadLetter),
        ("retry", OnUnreadable::Retry),
        ("skip", OnUnreadable::Skip),
    ])(text)
}

fn delay_level(text: &str) -> Result<DelayLevel, String> {
    let level =
        DELAYS.iter().position(|delay| *delay == text.trim()).and_then(|at| u16::try_from(at + 1).ok());
    level.map(DelayLevel::new).ok_or_else(|| format!("one of {}", DELAYS.join(", ")))
}

/// Reads the options of some listeners of one group.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    sources: &'a Sources,
    group: &'a str,
    specs: &'a [&'a Spec],
    mistakes: &'a mut Vec<Mistake>,
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
        self.mistakes.push(Mistake::new(kind, format!("the listeners of group `{}`: {message}", self.group)));
    }

    pub(crate) fn read<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let found = self.found(key)?;
        parse(&found.text).map_err(|expected| self.mistakes.push(wrong_value(key, &found, &expected))).ok()
    }

    /// Reads what only the attribute can say.
    pub(crate) fn own<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let found = self.attributes_say(key)?;
        parse(&found.text).map_err(|expected| self.mistakes.push(wrong_value(key, &found, &expected))).ok()
    }

    fn found(&mut self, key: &str) -> Option<Found> {
        let group = format!("rocketmq.consumer.groups.{}.{key}", self.group);
        let found = self
            .configured(&group)
            .or_else(|| self.attributes_say(key))
            .or_else(|| self.configured(&format!("rocketmq.consumer.{key}")));
        found.filter(|found| !found.text.trim().is_empty())
    }

    fn configured(&mut self, path: &str) -> Option<Found> {
        self.sources.find(path).unwrap_or_else(|error| {
            self.mistakes.push(Mistake::new(MistakeKind::Placeholder, format!("`{path}`: {error}")));
            None
        })
    }

    /// What the attributes agree on. One consumer cannot follow two that differ.
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
                    self.mistake(MistakeKind::Subscription, &message);
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
            Ok(text) => Some(Found { text, origin: spec.described() }),
            Err(error) => {
                let message = format!("`{key}` of {}: {error}", spec.described());
                self.mistakes.push(Mistake::new(MistakeKind::Placeholder, message));
                None
            }
        }
    }
}

/// Reports the keys of `[rocketmq.consumer.groups.<group>]` that are no options.
pub(crate) fn check_group_keys(sources: &Sources, group: &str, mistakes: &mut Vec<Mistake>) {
    let path = format!("rocketmq.consumer.groups.{group}");
    let known: Vec<String> = OPTION_KEYS.iter().map(|key| (*key).to_owned()).collect();
    for (key, origin) in sources.keys(&path) {
        if !known.iter().any(|name| canonical(name) == canonical(&key)) {
            mistakes.push(unknown_key(&path, &key, &origin, &known));
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
        let sources = Sources::from_toml(toml, &[]);
        let mut mistakes = Vec::new();
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
    fn an_unknown_key_of_a_group_is_named() {
        let sources = Sources::from_toml("[rocketmq.consumer.groups.g]\nconcurency=3", &[]);
        let mut mistakes = Vec::new();
        check_group_keys(&sources, "g", &mut mistakes);
        assert!(mistakes[0].to_string().contains("nearest known key is `concurrency`"), "{mistakes:?}");
    }
}
