//! The lines of the log that sum up an application: one for each listener and producer that has started.

use super::groups::{Filter, GroupPlan, Subscription};
use super::producers::ProducerPlan;
use crate::listener::options::{ConsumeMode, GroupOptions, MessageModel};

/// The listeners of one group, before their consumer takes them.
#[derive(Debug)]
pub(super) struct Listeners {
    group: String,
    mode: String,
    lines: Vec<Line>,
}

/// One listener.
#[derive(Debug)]
struct Line {
    listener: String,
    topic: String,
    filter: String,
    settings: String,
}

impl Listeners {
    pub(super) fn of(plan: &GroupPlan) -> Self {
        let line = |it: &Subscription| Line {
            listener: it.listener.name().to_owned(),
            topic: it.topic.clone(),
            filter: match &it.filter {
                Filter::Tags(tags) => tags.clone(),
                Filter::Sql(condition) => format!("sql: {condition}"),
            },
            settings: it.settings.clone(),
        };
        Listeners {
            group: plan.group.clone(),
            mode: mode(&plan.options),
            lines: plan.subscriptions.iter().map(line).collect(),
        }
    }

    /// Logs them. `concurrency`: the number of messages that the group handles at once.
    pub(super) fn log(&self, cluster: &str, concurrency: usize) {
        let Listeners { group, mode, lines } = self;
        for Line { listener, topic, filter, settings } in lines {
            tracing::info!(
                listener,
                group,
                topic,
                filter,
                mode,
                concurrency,
                cluster,
                settings,
                "listener started"
            );
        }
    }
}

/// Logs that a producer has started.
pub(super) fn log_producer(plan: &ProducerPlan, cluster: &str) {
    let producer = plan.name.as_deref().unwrap_or("rocketmq.producer");
    let ProducerPlan { group, settings, .. } = plan;
    tracing::info!(producer, group, cluster, settings, "producer started");
}

/// Names the way in which a group gets its messages: `concurrent`, `orderly`, `broadcasting`, `pop`, each perhaps in batches.
fn mode(options: &GroupOptions) -> String {
    let mode = match (options.mode, options.model) {
        (ConsumeMode::Orderly, _) => "orderly",
        (_, MessageModel::Broadcasting) => "broadcasting",
        _ if options.tuning.is_assigned_by_broker() => "pop",
        _ => "concurrent",
    };
    if options.batch > 1 { format!("{mode}, up to {} at once", options.batch) } else { mode.to_owned() }
}
