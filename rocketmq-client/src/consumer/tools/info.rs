//! The answer of a consumer to tools (request 307): its queues, rates, subscriptions and settings.

use std::collections::BTreeMap;

use rocketmq_remoting::body::{ConsumeStatus, ConsumeType, ConsumerRunningInfo, ProcessQueueInfo};
use rocketmq_remoting::net::Answer;
use rocketmq_remoting::{Command, DecodeError, RequestCode, ResponseCode, fastjson, version};

use super::settings::{self, Setting};
use crate::cluster::Cluster;
use crate::consumer::member::Member;
use crate::consumer::queue::owned::Snapshot;
use crate::consumer::stats::Rates;

impl Member {
    /// Returns queues, rates, subscriptions, and the settings: the client's and the consumer's `own`.
    pub(crate) fn info(&self, kind: ConsumeType, own: Vec<Setting>) -> ConsumerRunningInfo {
        let limits = self.limits();
        let queues = self.owned();
        let mq_table = queues.iter().map(|owned| (owned.queue.clone(), queue_info(&owned.snapshot(&limits))));
        let rates = self.stats.rates().into_iter().map(|(topic, rates)| (topic, topic_status(&rates)));
        let heartbeat = self.heartbeat(kind);
        let mut properties = properties(&self.calls.cluster, self.name(), kind, self.started_at);
        let of_group =
            [("messageModel", self.model.name()), ("consumeFromWhere", heartbeat.consume_from_where.name())];
        properties.extend(of_group.map(|(name, value)| (name.to_owned(), value.to_owned())));
        properties.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
        ConsumerRunningInfo {
            properties,
            subscription_set: heartbeat.subscription_data_set,
            mq_table: mq_table.collect(),
            status_table: rates.collect(),
            ..ConsumerRunningInfo::default()
        }
    }
}

/// Returns the properties of every consumer: those that tools look for, and the settings of its client.
pub(crate) fn properties(
    cluster: &Cluster,
    group: &str,
    kind: ConsumeType,
    started_at: i64,
) -> BTreeMap<String, String> {
    let mut all = settings::of_client(cluster);
    all.extend([
        (ConsumerRunningInfo::PROP_NAMESERVER_ADDR, cluster.resolver.servers().join(";")),
        (ConsumerRunningInfo::PROP_CONSUME_TYPE, kind.name().to_owned()),
        (ConsumerRunningInfo::PROP_CLIENT_VERSION, version::CURRENT_NAME.to_owned()),
        (ConsumerRunningInfo::PROP_CONSUMER_START_TIMESTAMP, started_at.to_string()),
        ("consumerGroup", group.to_owned()),
    ]);
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Answers with a JSON body.
pub(crate) fn body<T: serde::Serialize>(request: &Command, value: &T) -> Result<Answer, DecodeError> {
    let body = match fastjson::to_vec(value) {
        Ok(body) => body,
        Err(error) => return Ok(refuse(request, &error.to_string())),
    };
    Ok(Answer::Now(Command::response_to(request, ResponseCode::SUCCESS).with_body(body)))
}

/// Refuses with `SYSTEM_ERROR` and a reason.
pub(crate) fn refuse(request: &Command, text: &str) -> Answer {
    Answer::Now(Command::response_to(request, ResponseCode::SYSTEM_ERROR).with_remark(text))
}

/// Answers what members without a handler can: running info.
pub(crate) fn serve(request: &Command, info: impl FnOnce() -> ConsumerRunningInfo, kind: &str) -> Answer {
    if request.request_code() == RequestCode::GET_CONSUMER_RUNNING_INFO {
        return body(request, &info()).unwrap_or_else(|error| refuse(request, &error.to_string()));
    }
    let code = ResponseCode::REQUEST_CODE_NOT_SUPPORTED;
    let remark = format!("a {kind} consumer does not serve this request");
    Answer::Now(Command::response_to(request, code).with_remark(remark))
}

fn queue_info(queue: &Snapshot) -> ProcessQueueInfo {
    ProcessQueueInfo {
        cached_msg_count: queue.usage.count as i32,
        cached_msg_min_offset: queue.min_offset,
        cached_msg_max_offset: queue.max_offset,
        cached_msg_size_in_mib: (queue.usage.bytes >> 20) as i32,
        commit_offset: queue.commit_offset,
        dropped: queue.dropped,
        last_consume_timestamp: queue.last_consume,
        last_lock_timestamp: queue.last_lock,
        last_pull_timestamp: queue.last_pull,
        locked: queue.locked,
        ..ProcessQueueInfo::default()
    }
}

fn topic_status(rates: &Rates) -> ConsumeStatus {
    ConsumeStatus {
        consume_failed_msgs: rates.failed_messages,
        consume_failed_tps: rates.failed_tps,
        consume_ok_tps: rates.ok_tps,
        consume_rt: rates.consume_rt,
        pull_rt: rates.pull_rt,
        pull_tps: rates.pull_tps,
    }
}
