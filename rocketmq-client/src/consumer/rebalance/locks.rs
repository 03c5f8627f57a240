//! Broker locks of queues that are handled in order: asked for, renewed, lost and given back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::route::MessageQueue;

use crate::consumer::member::Member;
use crate::consumer::queue::owned::LOCK_EXPIRES;

/// The interval in which locks are renewed; the broker keeps them for 60 s.
const RENEWAL: Duration = Duration::from_secs(20);
/// The broker gives a lock to others when it was not renewed for this long.
const LEASE: Duration = Duration::from_secs(60);

type Split = BTreeMap<String, Vec<MessageQueue>>;

/// Locks are asked for and given back per broker.
fn by_broker(
    queues: impl IntoIterator<Item = MessageQueue>,
    home: impl Fn(&MessageQueue) -> String,
) -> Split {
    let mut brokers = Split::new();
    for queue in queues {
        brokers.entry(home(&queue)).or_default().push(queue);
    }
    brokers
}

impl Member {
    fn by_broker(&self, queues: impl IntoIterator<Item = MessageQueue>) -> Split {
        by_broker(queues, |queue| self.calls.cluster.home(queue).into_owned())
    }

    /// Asks for the broker locks of queues; those it got.
    pub(crate) async fn lock(&self, queues: &[MessageQueue]) -> Vec<MessageQueue> {
        let mut granted = Vec::new();
        for (broker, queues) in self.by_broker(queues.iter().cloned()) {
            match self.calls.lock(&broker, queues).await {
                Ok(locked) => granted.extend(locked),
                Err(error) => tracing::warn!(group = self.name(), broker, "queues not locked: {error}"),
            }
        }
        granted
    }

    /// Gives broker locks back, so that another member need not wait for them to expire.
    pub(crate) async fn unlock(&self, queues: Vec<MessageQueue>) {
        for (broker, queues) in self.by_broker(queues) {
            if let Err(error) = self.calls.unlock(&broker, queues).await {
                tracing::warn!(group = self.name(), broker, "queues not unlocked: {error}");
            }
        }
    }

    /// Renews the locks of all owned queues until the consumer stops.
    pub(crate) async fn renew_locks(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(RENEWAL) => {}
                () = self.stopped.cancelled() => return,
            }
            for (broker, queues) in self.by_broker(self.owned().iter().map(|owned| owned.queue.clone())) {
                match self.calls.lock(&broker, queues.clone()).await {
                    Ok(granted) => self.note_locks(&queues, &granted),
                    Err(error) => tracing::warn!(
                        group = self.name(),
                        broker,
                        "locks not renewed, they count as lost after {} s: {error}",
                        LOCK_EXPIRES.as_secs()
                    ),
                }
            }
        }
    }

    /// Records the locks. A queue starts anew when another member has its lock, or may have had it meanwhile.
    fn note_locks(&self, asked: &[MessageQueue], granted: &[MessageQueue]) {
        let now = self.now_ms();
        for owned in asked.iter().filter_map(|queue| self.find(queue)) {
            let lapsed = now - owned.last_lock() > LEASE.as_millis() as i64;
            let kept = granted.contains(&owned.queue) && !lapsed;
            owned.set_locked(kept, now);
            if !kept {
                tracing::warn!(group = self.name(), queue = ?owned.queue, "the queue's lock was lost");
                owned.drop_it();
                self.remove(&owned);
                self.rebalance.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::BytesMut;
    use parking_lot::Mutex;
    use rocketmq_remoting::body::{ConsumerIdList, LockBatchBody, LockBatchResult};
    use rocketmq_remoting::message::MessageRecord;
    use rocketmq_remoting::{Command, RequestCode, ResponseCode, fastjson};

    use super::*;
    use crate::Client;
    use crate::consumer::{FromWhere, Running};
    use crate::messages::{Delivery, Outcome};
    use crate::testkit::{FakeServer, Reply, StillClock, answer, name_server, refuse, route};

    /// The broker's answers to requests for locks.
    #[derive(Clone, Copy)]
    enum Locks {
        /// With all it asks for.
        All,
        /// With queue 0 alone.
        FirstQueue,
        /// With an error.
        Refused,
    }

    /// An orderly consumer of two queues that never end. A message takes its handler a second.
    struct Stage {
        clock: StillClock,
        broker: FakeServer,
        locks: Arc<Mutex<Locks>>,
        handled: Arc<[AtomicUsize; 2]>,
        running: Running,
        _name_server: FakeServer,
    }

    impl Stage {
        async fn set() -> Self {
            let clock = StillClock::stop();
            let (locks, members) = (Arc::new(Mutex::new(Locks::All)), Arc::<Mutex<Vec<String>>>::default());
            let (asked, group) = (locks.clone(), members.clone());
            let broker = FakeServer::start(move |request| reply(request, *asked.lock(), &group.lock())).await;
            let name_server = name_server(route(&[broker.address], 2), |topic| topic == "t").await;
            let told = clock.clock();
            let client = Client::builder(name_server.address.to_string())
                .configure(|config| config.clock = told)
                .connect()
                .await
                .expect("a client");
            members.lock().push(client.client_id().to_owned());
            let handled = Arc::<[AtomicUsize; 2]>::default();
            let running = consume(&client, handled.clone()).await;
            let stage = Self { clock, broker, locks, handled, running, _name_server: name_server };
            stage.clock.pass(Duration::from_secs(5)).await;
            assert!(stage.handled().iter().all(|count| *count > 2), "{:?}", stage.handled());
            stage
        }

        fn handled(&self) -> [usize; 2] {
            [0, 1].map(|queue: usize| self.handled[queue].load(Ordering::SeqCst))
        }

        /// Counts the messages of each queue that are handled while these seconds pass.
        async fn handled_within(&self, seconds: u64) -> [usize; 2] {
            let before = self.handled();
            self.clock.pass(Duration::from_secs(seconds)).await;
            let after = self.handled();
            [0, 1].map(|queue| after[queue] - before[queue])
        }

        fn lock_requests(&self) -> Vec<Command> {
            self.broker.seen(RequestCode::LOCK_BATCH_MQ)
        }
    }

    async fn consume(client: &Client, handled: Arc<[AtomicUsize; 2]>) -> Running {
        let consumer = client.push_consumer("g").subscribe("t", "*").orderly();
        let handler = move |delivery: Delivery| {
            handled[delivery.queue().queue_id as usize].fetch_add(1, Ordering::SeqCst);
            async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok::<_, std::convert::Infallible>(Outcome::Ack)
            }
        };
        consumer.from_where(FromWhere::FirstOffset).listen(handler).await.expect("a consumer")
    }

    fn reply(request: &Command, locks: Locks, members: &[String]) -> Reply {
        let body = match request.request_code() {
            RequestCode::LOCK_BATCH_MQ => return locked(request, locks),
            RequestCode::PULL_MESSAGE => return pulled(request),
            RequestCode::QUERY_CONSUMER_OFFSET => {
                return refuse(ResponseCode::QUERY_NOT_FOUND, "a new group");
            }
            RequestCode::GET_CONSUMER_LIST_BY_GROUP => {
                fastjson::to_vec(&ConsumerIdList { consumer_id_list: members.to_vec() }).expect("a list")
            }
            _ => return answer(ResponseCode::SUCCESS),
        };
        Reply::Answer(Command::response(ResponseCode::SUCCESS).with_body(body))
    }

    fn locked(request: &Command, locks: Locks) -> Reply {
        let asked: LockBatchBody = fastjson::from_slice(&request.body).expect("queues");
        let granted = |queue: &MessageQueue| match locks {
            Locks::All => true,
            Locks::FirstQueue => queue.queue_id == 0,
            Locks::Refused => false,
        };
        if let Locks::Refused = locks {
            return refuse(ResponseCode::SYSTEM_ERROR, "no locks today");
        }
        let lock_ok_mq_set = asked.mq_set.into_iter().filter(granted).collect();
        let body = fastjson::to_vec(&LockBatchResult { lock_ok_mq_set }).expect("queues");
        Reply::Answer(Command::response(ResponseCode::SUCCESS).with_body(body))
    }

    /// The message at the offset that is asked for, if it is one of the first two hundred.
    fn pulled(request: &Command) -> Reply {
        let ext = |name: &str| request.ext.get(name).expect("a field of a pull");
        let offset: i64 = ext("queueOffset").parse().expect("a number");
        if offset >= 200 {
            return Reply::Silence;
        }
        let record = MessageRecord {
            topic: ext("topic").to_owned(),
            queue_id: ext("queueId").parse().expect("a number"),
            queue_offset: offset,
            body: "x".into(),
            ..MessageRecord::default()
        };
        let mut body = BytesMut::new();
        record.encode(&mut body).expect("a record");
        let mut response = Command::response(ResponseCode::SUCCESS).with_body(body.freeze());
        for (name, value) in [
            ("suggestWhichBrokerId", 0),
            ("nextBeginOffset", offset + 1),
            ("minOffset", 0),
            ("maxOffset", 200),
        ] {
            response.ext.push(name, &value.to_string());
        }
        Reply::Answer(response)
    }

    #[tokio::test]
    async fn locks_are_renewed_every_twenty_seconds() {
        let stage = Stage::set().await;
        assert_eq!(stage.lock_requests().len(), 1, "when the queues were assigned");
        stage.handled_within(60).await;
        let requests = stage.lock_requests();
        assert_eq!(requests.len(), 4);
        let renewed: LockBatchBody = fastjson::from_slice(&requests[3].body).expect("queues");
        assert_eq!((renewed.consumer_group.as_str(), renewed.mq_set.len()), ("g", 2));
    }

    #[tokio::test]
    async fn a_queue_whose_lock_another_member_has_is_not_handled_until_it_comes_back() {
        let stage = Stage::set().await;
        *stage.locks.lock() = Locks::FirstQueue;
        stage.handled_within(20).await;
        assert_eq!(stage.running.queues(), [MessageQueue::new("t", "broker-0", 0)]);
        let [first, second] = stage.handled_within(20).await;
        assert!(first > 10 && second == 0, "{first} and {second}");
        *stage.locks.lock() = Locks::All;
        let both = stage.handled_within(10).await;
        assert!(both.iter().all(|count| *count > 2), "{both:?}");
    }

    #[tokio::test]
    async fn locks_that_nobody_renews_are_lost_after_thirty_seconds_until_they_are_granted_again() {
        let stage = Stage::set().await;
        // Renewed after 20 s for the last time.
        stage.handled_within(20).await;
        *stage.locks.lock() = Locks::Refused;
        let meanwhile = stage.handled_within(20).await;
        assert!(meanwhile.iter().all(|count| *count > 10), "held for 30 s: {meanwhile:?}");
        stage.handled_within(7).await;
        assert_eq!(stage.handled_within(5).await, [0, 0]);
        *stage.locks.lock() = Locks::All;
        let again = stage.handled_within(10).await;
        assert!(again.iter().all(|count| *count > 2), "{again:?}");
    }

    #[test]
    fn locks_go_to_the_broker_of_each_queue() {
        let queue = |broker: &str, id| MessageQueue::new("t", broker, id);
        let split =
            by_broker([queue("b", 0), queue("a", 0), queue("b", 1)], |queue| queue.broker_name.clone());
        assert_eq!(split["a"], [queue("a", 0)]);
        assert_eq!(split["b"], [queue("b", 0), queue("b", 1)]);
    }
}
