//! Notes of how a consumer gets on, topic by topic: its state, why it does not consume, and what it gave back.
//!
//! Heartbeats, route lookups, pulls and pops each note how they ended. A failure stays open until the same step goes well;
//! the state of a topic follows from what is open.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rocketmq_remoting::ResponseCode;
use rocketmq_remoting::names::is_retry;
use rocketmq_remoting::route::MessageQueue;

use super::state::{Backlog, HealthChange, LastError, OnHealth, TopicHealth, TopicState};
use crate::clock::Clock;
use crate::cluster::calls::is_refusal;
use crate::consumer::calls::Calls;
use crate::error::{CallError, CallErrorKind, RouteError, RouteErrorKind};
use crate::messages::Names;
use crate::observe::metrics;

/// Collects the successes and failures of the parts of a consumer. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct HealthBook(Arc<Book>);

#[derive(Default)]
struct Book {
    /// The name that the application gave.
    group: String,
    /// Adds the namespace to names and removes it.
    names: Names,
    clock: Clock,
    on_change: Option<OnHealth>,
    /// By name on the wire.
    topics: Mutex<BTreeMap<String, Record>>,
    /// Set while a failure is open, so that a success need not look further.
    failing: AtomicBool,
}

/// The record of one topic.
#[derive(Debug, Default)]
struct Record {
    heard: bool,
    open: BTreeMap<Step, Failure>,
    last_error: Option<LastError>,
    given_back: u64,
    dead_lettered: u64,
}

#[derive(Debug)]
struct Failure {
    state: TopicState,
    error: LastError,
}

impl Failure {
    /// Tells whether the failure is that of a queue whose broker, this one, cannot be reached.
    fn is_about_reaching(&self, step: &Step, broker: &str) -> bool {
        let is_there = matches!(step, Step::Queue(queue) if queue.broker_name == broker);
        is_there && self.state == TopicState::Unreachable
    }
}

/// One of the steps that must succeed before a topic is consumed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A name server says where the topic is.
    Route,
    /// A broker says which members share the queues.
    Members,
    /// This broker takes the heartbeat.
    Heartbeat(String),
    /// This queue is read.
    Queue(MessageQueue),
}

impl Record {
    fn state(&self) -> TopicState {
        let worst = self.open.values().map(|failure| failure.state).max();
        worst.unwrap_or(if self.heard { TopicState::Consuming } else { TopicState::Starting })
    }

    /// Returns the error that caused the state.
    fn cause(&self) -> Option<LastError> {
        let state = self.state();
        let failure =
            self.open.values().filter(|failure| failure.state == state).max_by_key(|it| it.error.at);
        failure.map(|failure| failure.error.clone())
    }

    /// Makes the topic's health; `backlog` is `None` when the consumer has ended.
    fn shown(&self, topic: &str, backlog: Option<Backlog>) -> TopicHealth {
        let Backlog { queues, lag } = backlog.unwrap_or_default();
        TopicHealth {
            topic: topic.to_owned(),
            state: if backlog.is_some() { self.state() } else { TopicState::Stopped },
            queues,
            lag,
            given_back: self.given_back,
            dead_lettered: self.dead_lettered,
            last_error: self.last_error.clone(),
        }
    }
}

impl HealthBook {
    /// Makes a book of these topics, which are named as on the wire.
    pub(crate) fn new<'t>(
        calls: &Calls,
        topics: impl IntoIterator<Item = &'t String>,
        on_change: Option<OnHealth>,
    ) -> Self {
        let names = calls.cluster.names.clone();
        let book = Self(Arc::new(Book {
            group: names.plain(&calls.group).to_owned(),
            names,
            clock: calls.cluster.config.clock.clone(),
            on_change,
            ..Book::default()
        }));
        topics.into_iter().for_each(|topic| book.follow(topic));
        book
    }

    /// Takes a topic in. Retries come through topics that need not be there: they are no topics of the application's.
    pub(crate) fn follow(&self, topic: &str) {
        if !is_retry(topic) {
            self.0.topics.lock().entry(topic.to_owned()).or_default();
        }
    }

    /// Leaves a topic out.
    pub(crate) fn leave(&self, topic: &str) {
        self.0.topics.lock().remove(topic);
    }

    /// Returns the record of each topic, by name. `backlog` counts the waiting messages; `None` when the consumer has
    /// ended.
    pub(crate) fn topics(&self, backlog: impl Fn(&str) -> Option<Backlog>) -> Vec<TopicHealth> {
        let topics = self.0.topics.lock();
        topics.iter().map(|(topic, record)| record.shown(self.plain(topic), backlog(topic))).collect()
    }

    fn plain<'t>(&self, topic: &'t str) -> &'t str {
        self.0.names.plain(topic)
    }

    /// Records a lookup of the topic's route, with the names of its brokers.
    pub(crate) fn route(&self, topic: &str, outcome: Result<&[String], &RouteError>) {
        match outcome {
            Ok(brokers) => {
                if self.is_failing() {
                    let is_gone =
                        |step: &Step| matches!(step, Step::Heartbeat(broker) if !brokers.contains(broker));
                    self.change(topic, |record| {
                        record.open.retain(|step, _| *step != Step::Route && !is_gone(step))
                    });
                }
            }
            Err(error) => self.failed(topic, Step::Route, of_route(error), error),
        }
    }

    /// Records that a broker took the heartbeat, or did not. One that does is there again, also for the pulls that it
    /// holds back until there are messages.
    pub(crate) fn heartbeat(&self, topic: &str, broker: &str, outcome: Result<(), &CallError>) {
        let step = Step::Heartbeat(broker.to_owned());
        match outcome {
            Ok(()) => self.change(topic, |record| {
                record.heard = true;
                record.open.retain(|open, failure| *open != step && !failure.is_about_reaching(open, broker));
            }),
            Err(error) => self.failed(topic, step, of_call(error), error),
        }
    }

    /// Records that a broker of the topic listed the members or assigned the queues, or that none did.
    pub(crate) fn members(&self, topic: &str, outcome: Result<(), &CallError>) {
        match outcome {
            Ok(()) => self.went_well(topic, || Step::Members),
            Err(error) => self.failed(topic, Step::Members, of_call(error), error),
        }
    }

    /// Records a pull, or the lookup of the first offset. A broker that asks to slow down is no failure.
    pub(crate) fn queue(&self, queue: &MessageQueue, outcome: Result<(), &CallError>) {
        let step = || Step::Queue(queue.clone());
        match outcome {
            Err(error) if !is_refusal(error, ResponseCode::FLOW_CONTROL) => {
                self.failed(&queue.topic, step(), of_call(error), error);
            }
            _ => self.went_well(&queue.topic, step),
        }
    }

    /// Forgets a queue that is read no more.
    pub(crate) fn released(&self, queue: &MessageQueue) {
        self.went_well(&queue.topic, || Step::Queue(queue.clone()));
    }

    /// Counts a message that will be tried again, or that went to the dead letters. `topic` is the one of its first
    /// try, as the application calls it.
    pub(crate) fn given_back(&self, topic: &str, dead: bool) {
        metrics::given_back(&self.0.group, topic, dead);
        if let Some(record) = self.0.topics.lock().get_mut(&self.0.names.wrap(topic)) {
            *(if dead { &mut record.dead_lettered } else { &mut record.given_back }) += 1;
        }
    }

    fn is_failing(&self) -> bool {
        self.0.failing.load(Ordering::Acquire)
    }

    fn went_well(&self, topic: &str, step: impl FnOnce() -> Step) {
        if self.is_failing() {
            let step = step();
            self.change(topic, |record| drop(record.open.remove(&step)));
        }
    }

    fn failed(&self, topic: &str, step: Step, state: TopicState, error: &dyn fmt::Display) {
        let error = LastError { text: error.to_string(), at: self.0.clock.now() };
        self.change(topic, |record| {
            record.last_error = Some(error.clone());
            record.open.insert(step, Failure { state, error });
        });
    }

    /// Tells of the change when the state is another one afterwards; without the lock, so that who is told may ask back.
    fn change(&self, topic: &str, change: impl FnOnce(&mut Record)) {
        let mut topics = self.0.topics.lock();
        let Some(record) = topics.get_mut(topic) else { return };
        let from = record.state();
        change(record);
        let (to, error) = (record.state(), record.cause());
        self.0.failing.store(topics.values().any(|record| !record.open.is_empty()), Ordering::Release);
        drop(topics);
        if from != to {
            let (group, topic) = (self.0.group.clone(), self.plain(topic).to_owned());
            self.tell(&HealthChange { group, topic, from, to, error });
        }
    }

    fn tell(&self, change: &HealthChange) {
        match &self.0.on_change {
            Some(tell) => tell(change),
            None => log(change),
        }
    }
}

/// Logs a change for an application that has no `on_health`.
fn log(change: &HealthChange) {
    let HealthChange { group, topic, to, from, error } = change;
    match error {
        // A topic that is created by its first send is missing until then.
        Some(error) if *to == TopicState::NoTopic => {
            tracing::info!(group, topic, state = %to, "nothing is consumed yet: {}", error.text);
        }
        Some(error) if *to == TopicState::Refused => {
            tracing::error!(group, topic, state = %to, "nothing is consumed: {}", error.text);
        }
        Some(error) => tracing::warn!(group, topic, state = %to, "nothing is consumed: {}", error.text),
        None if *from == TopicState::Starting => tracing::debug!(group, topic, state = %to, "consuming"),
        None => tracing::info!(group, topic, state = %to, "consuming again, after it was {from}"),
    }
}

fn of_route(error: &RouteError) -> TopicState {
    match error.kind() {
        RouteErrorKind::TopicNotFound => TopicState::NoTopic,
        RouteErrorKind::Refused | RouteErrorKind::Malformed => TopicState::Refused,
        _ => TopicState::Unreachable,
    }
}

fn of_call(error: &CallError) -> TopicState {
    use CallErrorKind::{InvalidRequest, Malformed, NotPermitted, Refused, TopicNotFound};
    match error.kind() {
        TopicNotFound => TopicState::NoTopic,
        Refused | NotPermitted | Malformed | InvalidRequest => TopicState::Refused,
        _ => TopicState::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use rocketmq_remoting::message::MessageRecord;
    use rocketmq_remoting::{Command, RequestCode};

    use super::*;
    use crate::consumer::handling::retry::Redelivery;
    use crate::consumer::handling::send_back::SendBack as _;
    use crate::consumer::handling::send_back::ToBroker;
    use crate::consumer::handling::tries::Tries;
    use crate::testkit::{FakeServer, Reply, answer, eventually, healthy, name_server, refuse, route};
    use crate::{Client, Delivery, Outcome, Running};

    /// A book of `topics`, and the changes it told of.
    fn book(topics: &[&str]) -> (HealthBook, Arc<Mutex<Vec<HealthChange>>>) {
        let told = Arc::<Mutex<Vec<HealthChange>>>::default();
        let log = told.clone();
        let on_change: OnHealth = Arc::new(move |change: &HealthChange| log.lock().push(change.clone()));
        let book = HealthBook(Arc::new(Book { on_change: Some(on_change), ..Book::default() }));
        topics.iter().for_each(|topic| book.follow(topic));
        (book, told)
    }

    fn error(kind: CallErrorKind) -> CallError {
        CallError::new(kind, "why")
    }

    fn queue(id: i32) -> MessageQueue {
        MessageQueue::new("t", "b", id)
    }

    #[test]
    fn a_change_of_state_is_told_once_and_ends_with_the_last_open_failure() {
        let (book, told) = book(&["t", "%RETRY%g"]);
        book.heartbeat("t", "b", Ok(()));
        for id in [0, 1, 0, 1] {
            book.queue(&queue(id), Err(&error(CallErrorKind::Unreachable)));
        }
        book.members("t", Err(&error(CallErrorKind::NotPermitted)));
        book.members("t", Ok(()));
        book.queue(&queue(0), Ok(()));
        book.released(&queue(1));
        book.queue(&MessageQueue::new("%RETRY%g", "b", 0), Err(&error(CallErrorKind::Refused)));
        use TopicState::{Consuming, Refused, Starting, Unreachable};
        let states: Vec<_> = told.lock().iter().map(|change| (change.from, change.to)).collect();
        let expected = [
            (Starting, Consuming),
            (Consuming, Unreachable),
            (Unreachable, Refused),
            (Refused, Unreachable),
            (Unreachable, Consuming),
        ];
        assert_eq!(states, expected);
        assert!(told.lock()[1].error.as_ref().is_some_and(|error| error.text.contains("why")));
        assert!(told.lock()[4].error.is_none());
    }

    #[test]
    fn a_broker_that_takes_heartbeats_again_is_there_but_may_refuse_pulls_as_before() {
        let (book, told) = book(&["t"]);
        book.queue(&queue(0), Err(&error(CallErrorKind::Timeout)));
        book.queue(&queue(1), Err(&error(CallErrorKind::Refused)));
        book.heartbeat("t", "b", Ok(()));
        assert_eq!(told.lock().last().map(|change| change.to), Some(TopicState::Refused));
        book.queue(&queue(1), Ok(()));
        assert_eq!(told.lock().last().map(|change| change.to), Some(TopicState::Consuming));
    }

    #[test]
    fn what_a_broker_that_is_gone_did_is_forgotten_and_a_request_to_slow_down_is_no_failure() {
        let (book, told) = book(&["t"]);
        book.heartbeat("t", "a", Ok(()));
        book.heartbeat("t", "b", Err(&error(CallErrorKind::Timeout)));
        book.route("t", Ok(&["a".to_owned()]));
        let slow = Command::response(ResponseCode::FLOW_CONTROL);
        book.queue(
            &queue(0),
            Err(&CallError::refused_by(crate::cluster::net::rpc::refusal(&slow, "a", "t"))),
        );
        let states: Vec<_> = told.lock().iter().map(|change| change.to).collect();
        assert_eq!(states, [TopicState::Consuming, TopicState::Unreachable, TopicState::Consuming]);
    }

    async fn consume(
        names: &FakeServer,
        tell: impl Fn(&HealthChange) + Send + Sync + 'static,
    ) -> (Client, Running) {
        let client = crate::connect(names.address.to_string()).await.expect("a client");
        let handler = |_: Delivery| async { Ok::<_, std::convert::Infallible>(Outcome::Ack) };
        let consumer = client.push_consumer("g").subscribe("t", "*").on_health(tell);
        (client.clone(), consumer.listen(handler).await.expect("it listens"))
    }

    fn state(running: &Running) -> TopicState {
        running.health().topics()[0].state
    }

    #[tokio::test]
    async fn a_broker_that_refuses_heartbeats_is_told_of_until_it_takes_them() {
        let refusing = Arc::new(AtomicBool::new(true));
        let refuses = refusing.clone();
        let broker = FakeServer::start(move |request| match request.request_code() {
            RequestCode::HEART_BEAT if refuses.load(Ordering::Acquire) => {
                refuse(ResponseCode::NO_PERMISSION, "User:nobody not found")
            }
            RequestCode::GET_CONSUMER_LIST_BY_GROUP => {
                let others = Command::response(ResponseCode::SUCCESS);
                Reply::Answer(others.with_body(&br#"{"consumerIdList":["another"]}"#[..]))
            }
            _ => healthy(request),
        })
        .await;
        let names = name_server(route(&[broker.address], 1), |_| true).await;
        let told = Arc::<Mutex<Vec<TopicState>>>::default();
        let log = told.clone();
        let (client, running) = consume(&names, move |change| log.lock().push(change.to)).await;
        eventually(|| state(&running) == TopicState::Refused).await;
        let error = running.health().topics()[0].last_error.clone().expect("an error");
        assert!(error.text.contains("User:nobody"), "{error:?}");
        client.membership.heartbeat().await;
        assert_eq!(told.lock().iter().filter(|state| **state == TopicState::Refused).count(), 1);
        refusing.store(false, Ordering::Release);
        client.membership.heartbeat().await;
        eventually(|| state(&running) == TopicState::Consuming).await;
        let health = running.health();
        running.shutdown().await;
        assert_eq!(health.topics()[0].state, TopicState::Stopped);
    }

    #[tokio::test]
    async fn a_topic_that_is_not_there_yet_is_told_from_a_cluster_without_brokers() {
        for (brokers, expected) in [("{}", TopicState::Unreachable), (r#"{"b":{}}"#, TopicState::NoTopic)] {
            let body = format!(r#"{{"brokerAddrTable":{brokers},"clusterAddrTable":{{}}}}"#);
            let names = FakeServer::start(move |request| match request.request_code() {
                RequestCode::GET_BROKER_CLUSTER_INFO => {
                    Reply::Answer(Command::response(ResponseCode::SUCCESS).with_body(body.clone()))
                }
                _ => answer(ResponseCode::TOPIC_NOT_EXIST),
            })
            .await;
            let (_client, running) = consume(&names, |_| ()).await;
            eventually(|| state(&running) == expected).await;
        }
    }

    #[tokio::test]
    async fn dead_letters_are_counted_as_the_broker_counts_tries() {
        let takes_back = Arc::new(AtomicBool::new(true));
        let takes = takes_back.clone();
        let broker = FakeServer::start(move |request| match request.request_code() {
            RequestCode::CONSUMER_SEND_MSG_BACK if !takes.load(Ordering::Acquire) => {
                answer(ResponseCode::SYSTEM_ERROR)
            }
            _ => healthy(request),
        })
        .await;
        let names = name_server(route(&[broker.address], 1), |_| true).await;
        let client = crate::connect(names.address.to_string()).await.expect("a client");
        let calls = Calls::new(client.membership.cluster.clone(), "g");
        let health = HealthBook::new(&calls, [&"t".to_owned()], None);
        let back = ToBroker {
            calls,
            health: health.clone(),
            tries: Tries::new(Some(3), false),
            broadcasting: false,
            in_order: false,
        };
        let tried = |reconsume_times| {
            let record = MessageRecord {
                topic: "t".into(),
                store_host: broker.address,
                reconsume_times,
                ..MessageRecord::default()
            };
            Delivery::from_plain_record(Arc::new(queue(0)), record, &Names::default())
        };
        let counted = || {
            let topics = health.0.topics.lock();
            (topics["t"].given_back, topics["t"].dead_lettered)
        };
        for (delivery, how, counts) in [
            (tried(2), Redelivery::Ladder, (1, 0)),
            // The third try was here, and the broker knows of two.
            (tried(2).retried(), Redelivery::Ladder, (2, 0)),
            (tried(3), Redelivery::Ladder, (2, 1)),
            (tried(0), Redelivery::DeadLetter, (2, 2)),
        ] {
            assert!(back.send_back(delivery, how).await);
            assert_eq!(counted(), counts);
        }
        // Sent anew, the message says itself how often it was tried.
        takes_back.store(false, Ordering::Release);
        assert!(back.send_back(tried(2).retried(), Redelivery::Ladder).await);
        assert_eq!(counted(), (2, 3));
    }
}
