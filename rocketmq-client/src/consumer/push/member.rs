//! A push consumer as brokers see it: its part of the heartbeat, and the requests they send to it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use rocketmq_remoting::Request as _;
use rocketmq_remoting::body::{
    ConsumeFromWhere, ConsumeMessageDirectlyResult, ConsumeResult, ConsumeType, ConsumerData,
    ConsumerRunningInfo, GetConsumerStatusBody, ResetOffsetBody,
};
use rocketmq_remoting::message::MessageRecord;
use rocketmq_remoting::net::Answer;
use rocketmq_remoting::requests::group::{GetConsumerRunningInfoRequest, GetConsumerStatusRequest};
use rocketmq_remoting::route::MessageQueue;
use rocketmq_remoting::subscription::SubscriptionData;
use rocketmq_remoting::{Command, DecodeError, RequestCode, ResponseCode, fastjson};

use crate::consumer::config::ConsumerConfig;
use crate::consumer::handling::engine::{Engine, Verdict};
use crate::consumer::handling::service::Service;
use crate::consumer::handling::tries::Tries;
use crate::consumer::health::Backlog;
use crate::consumer::member::Member;
use crate::consumer::pop::push::PopService;
use crate::consumer::pull::incoming::Incoming;
use crate::consumer::pull::puller::PullOptions;
use crate::consumer::start::FromWhere;
use crate::consumer::tools::info::{body, refuse};
use crate::error::CallError;
use crate::membership::ConsumerMember;
use crate::messages::{Delivery, Outcome};

/// A started push consumer.
pub(crate) struct PushMember {
    /// The group as the application calls it.
    pub(crate) name: String,
    pub(crate) group: Arc<Member>,
    pub(crate) service: Service,
    pub(crate) engine: Arc<Engine>,
    pub(crate) tries: Tries,
    /// Set when the broker assigns the queues.
    pub(crate) pop: Option<Arc<PopService>>,
    pub(crate) pull: PullOptions,
    pub(crate) config: ConsumerConfig,
}

impl ConsumerMember for PushMember {
    fn wire_group(&self) -> &str {
        self.group.name()
    }

    fn heartbeat(&self) -> ConsumerData {
        self.group.heartbeat(ConsumeType::Passively)
    }

    fn topics(&self) -> Vec<String> {
        self.group.topics()
    }

    fn rebalance_soon(&self) {
        self.group.rebalance.notify_one();
    }

    fn heard(&self, address: &str, outcome: Result<(), &CallError>) {
        self.group.heard(address, outcome);
    }

    fn on_request(&self, request: Command) -> Answer {
        let answer = match request.request_code() {
            RequestCode::RESET_CONSUMER_CLIENT_OFFSET => self.reset(&request),
            RequestCode::GET_CONSUMER_STATUS_FROM_CLIENT => self.status(&request),
            RequestCode::GET_CONSUMER_RUNNING_INFO => self.tell(&request),
            RequestCode::CONSUME_MESSAGE_DIRECTLY => self.consume_directly(&request),
            _ => Ok(Answer::Now(Command::response_to(&request, ResponseCode::REQUEST_CODE_NOT_SUPPORTED))),
        };
        answer.unwrap_or_else(|error| refuse(&request, &error.to_string()))
    }
}

impl PushMember {
    /// Follows an administrator's reset: drops the cached messages of the named queues, and goes on at once.
    fn reset(&self, request: &Command) -> Result<Answer, DecodeError> {
        let table = ResetOffsetBody::read(&request.body)?.offset_table;
        let (group, pull) = (self.group.clone(), self.pull.clone());
        self.group.tasks.spawn(async move {
            for (queue, offset) in table {
                group.reset(&queue, offset, &pull).await;
            }
        });
        Ok(Answer::None)
    }

    fn status(&self, request: &Command) -> Result<Answer, DecodeError> {
        let header = GetConsumerStatusRequest::from_ext(&request.ext)?;
        let owned = self.group.owned().into_iter().filter(|owned| owned.queue.topic == header.topic);
        let table = owned.filter_map(|owned| Some((owned.queue.clone(), owned.offset()?))).collect();
        body(request, &GetConsumerStatusBody { message_queue_table: table, ..Default::default() })
    }

    /// Returns queues, offsets, rates and settings, as administration tools show them.
    pub(crate) fn running_info(&self) -> ConsumerRunningInfo {
        let concurrency = self.engine.concurrency();
        let mut own = self.config.settings(concurrency, self.tries.limit());
        own.extend([
            (ConsumerRunningInfo::PROP_CONSUME_ORDERLY, self.group.orderly.to_string()),
            (ConsumerRunningInfo::PROP_THREADPOOL_CORE_SIZE, concurrency.to_string()),
        ]);
        let mq_pop_table = self.pop.iter().flat_map(|pop| pop.info()).collect();
        ConsumerRunningInfo { mq_pop_table, ..self.group.info(ConsumeType::Passively, own) }
    }

    /// Counts the queues of a topic that are pulled or popped, and the messages that wait in them.
    pub(crate) fn backlog(&self, topic: &str) -> Backlog {
        let popped = self.pop.as_ref().map(|pop| pop.backlog(topic)).unwrap_or_default();
        self.group.backlog(topic).and(popped)
    }

    /// Answers a tool with the same, and with the running handlers where it asks for Java's stacks of threads.
    fn tell(&self, request: &Command) -> Result<Answer, DecodeError> {
        let header = GetConsumerRunningInfoRequest::from_ext(&request.ext)?;
        let jstack = header.jstack_enable.then(|| self.engine.at_work.dump());
        body(request, &ConsumerRunningInfo { jstack, ..self.running_info() })
    }

    /// Waits for running handlers for at most `deadline`.
    pub(crate) async fn drained(&self, deadline: Duration) -> bool {
        let popped = async {
            match &self.pop {
                Some(pop) => pop.drained(deadline).await,
                None => true,
            }
        };
        let (pulled, popped) = tokio::join!(self.service.drained(deadline), popped);
        pulled && popped
    }

    /// Runs the handler on one message an administrator picked, outside any queue.
    fn consume_directly(&self, request: &Command) -> Result<Answer, DecodeError> {
        let record = MessageRecord::decode(&mut request.body.clone())?;
        let delivery = self.picked(record, request.ext.get("brokerName").unwrap_or_default());
        let (engine, order) = (self.engine.clone(), self.group.orderly);
        let response = Command::response_to(request, ResponseCode::SUCCESS);
        let run = async move {
            let verdict = engine.run(&[delivery], Some(engine.consume_timeout)).await;
            fastjson::to_vec(&directly_result(&verdict, order)).ok().map(|body| response.with_body(body))
        };
        Ok(Answer::Later(run.boxed()))
    }

    fn picked(&self, record: MessageRecord, broker: &str) -> Delivery {
        let queue = Arc::new(MessageQueue::new(record.topic.as_str(), broker, record.queue_id));
        let (subscription, names) = (SubscriptionData::default(), &self.group.calls.cluster.names);
        Incoming { queue: &queue, subscription: &subscription, names, offset_delta: 0, from: 0 }
            .deliver(record)
    }
}

fn directly_result(verdict: &Verdict, order: bool) -> ConsumeMessageDirectlyResult {
    let (consume_result, remark) = match (verdict.failure(), verdict.of(0)) {
        (Some(failure), _) => (ConsumeResult::CrThrowException, Some(failure.to_string())),
        (None, Outcome::Ack) => (ConsumeResult::CrSuccess, None),
        (None, _) => (ConsumeResult::CrLater, None),
    };
    let spent_time_mills = verdict.took().as_millis() as i64;
    ConsumeMessageDirectlyResult { auto_commit: true, consume_result, order, remark, spent_time_mills }
}

impl Member {
    /// Returns this member's part of a heartbeat.
    pub(crate) fn heartbeat(&self, consume_type: ConsumeType) -> ConsumerData {
        ConsumerData {
            group_name: self.name().to_owned(),
            consume_type,
            message_model: self.model,
            consume_from_where: match self.from_where {
                FromWhere::LastOffset => ConsumeFromWhere::LastOffset,
                FromWhere::FirstOffset => ConsumeFromWhere::FirstOffset,
                FromWhere::Timestamp(_) => ConsumeFromWhere::Timestamp,
            },
            subscription_data_set: self.subscription_set(),
            unit_mode: self.calls.cluster.config.unit_mode,
        }
    }

    /// Returns the subscriptions of the group.
    pub(crate) fn subscription_set(&self) -> Vec<SubscriptionData> {
        self.subscriptions.read().values().map(|data| (**data).clone()).collect()
    }

    /// Returns the subscribed topics, named as on the wire.
    pub(crate) fn topics(&self) -> Vec<String> {
        self.subscriptions.read().keys().cloned().collect()
    }

    /// Notes for each topic of the broker at `address` how the heartbeat there ended. Those to slaves do not count.
    pub(crate) fn heard(&self, address: &str, outcome: Result<(), &CallError>) {
        for topic in self.topics() {
            for (broker, _) in
                self.calls.cluster.brokers_of(&topic).iter().filter(|(_, known)| known == address)
            {
                self.health.heartbeat(&topic, broker, outcome);
            }
        }
    }

    /// Goes on at `offset` with a queue, if it is owned.
    async fn reset(self: &Arc<Self>, queue: &MessageQueue, offset: i64, pull: &PullOptions) {
        let Some(owned) = self.find(queue) else { return };
        tracing::info!(group = self.name(), ?queue, offset, "offset reset by an administrator");
        if let Err(error) = self.restart(&owned, offset, pull).await {
            tracing::warn!(group = self.name(), ?queue, offset, "the new offset is not stored yet: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::handling::call::Handler;
    use crate::consumer::testing::delivery;

    #[tokio::test]
    async fn a_direct_run_reports_what_java_would() {
        let run = async |outcome: fn() -> Outcome| {
            let handler = move |_: Delivery| async move { Ok::<_, std::convert::Infallible>(outcome()) };
            let engine = Engine::sample(Handler::Each(Arc::new(handler)), 1);
            directly_result(&engine.run(&[delivery("t", 0)], None).await, true)
        };
        assert_eq!(run(|| Outcome::Ack).await.consume_result, ConsumeResult::CrSuccess);
        assert_eq!(run(|| Outcome::Retry).await.consume_result, ConsumeResult::CrLater);
        let failed = run(|| panic!("boom")).await;
        assert_eq!(failed.consume_result, ConsumeResult::CrThrowException);
        assert_eq!(failed.remark.as_deref(), Some("panicked: boom"));
        assert!(failed.order);
    }
}
