//! Telling brokers who is there: on a timer, on every change, and on every new connection.

use futures_util::future::join_all;
use rocketmq_remoting::body::HeartbeatData;
use rocketmq_remoting::requests::heartbeat::{HeartbeatRequest, HeartbeatResponse, UnregisterClientRequest};
use rocketmq_remoting::subscription::java_string_hash;
use rocketmq_remoting::{Command, EncodeError, Json, Request as _, fastjson};

use super::{Leaving, Membership};
use crate::cluster::calls::{Target, read};
use crate::error::CallError;

/// A heartbeat in the forms it may take.
struct Beat {
    full: Command,
    /// Without subscriptions, for brokers that know them: those told this fingerprint.
    without_sub: Option<(i32, Command)>,
    with_consumers: bool,
}

impl Beat {
    fn new(mut data: HeartbeatData, v2: bool) -> Result<Self, EncodeError> {
        let with_consumers = !data.consumer_data_set.is_empty();
        if !v2 {
            return Ok(Self { full: command(&data)?, without_sub: None, with_consumers });
        }
        let fingerprint = fingerprint(&data)?;
        data.heartbeat_fingerprint = fingerprint;
        let full = command(&data)?;
        data.consumer_data_set.iter_mut().for_each(|consumer| consumer.subscription_data_set.clear());
        data.without_sub = true;
        Ok(Self { full, without_sub: Some((fingerprint, command(&data)?)), with_consumers })
    }
}

fn command(data: &HeartbeatData) -> Result<Command, EncodeError> {
    HeartbeatRequest::default().command(&Json(data.clone()))
}

/// Returns a number that is the same for all members of a group with the same subscriptions.
fn fingerprint(data: &HeartbeatData) -> Result<i32, EncodeError> {
    let mut data = HeartbeatData { client_id: String::new(), ..data.clone() };
    data.producer_data_set.sort_by(|a, b| a.group_name.cmp(&b.group_name));
    data.consumer_data_set.sort_by(|a, b| a.group_name.cmp(&b.group_name));
    for subscriptions in data.consumer_data_set.iter_mut().map(|consumer| &mut consumer.subscription_data_set)
    {
        subscriptions.sort_by(|a, b| a.topic.cmp(&b.topic));
        subscriptions.iter_mut().for_each(|subscription| subscription.sub_version = 0);
    }
    Ok(java_string_hash(&String::from_utf8_lossy(&fastjson::to_vec(&data)?)))
}

impl Membership {
    /// Leaves nothing out, whatever the brokers are believed to know: they may have forgotten a group that was gone.
    pub(crate) async fn heartbeat_in_full(&self) {
        self.heartbeat_fingerprints.lock().clear();
        self.heartbeat().await;
    }

    /// Sends a heartbeat to every broker in use, and waits until each is answered or given up. It sends nothing without
    /// a member.
    pub(crate) async fn heartbeat(&self) {
        let Some(beat) = self.beat() else { return };
        // Slaves need to know consumers, which may read from them, but not producers.
        let addresses = self.cluster.addresses(beat.with_consumers);
        join_all(addresses.iter().map(|address| self.heartbeat_to(address, &beat))).await;
    }

    /// Sends a heartbeat to one address, so that a broker that came back knows its clients at once: it forgot them with the
    /// connection before.
    pub(super) async fn greet(&self, address: &str) {
        self.heartbeat_fingerprints.lock().remove(address);
        if let Some(beat) = self.beat() {
            self.heartbeat_to(address, &beat).await;
        }
    }

    /// Returns the protocol version of the broker at `address`, and asks with a heartbeat if it is unknown; `None` when
    /// that is not answered.
    pub(crate) async fn broker_version(&self, address: &str) -> Option<i32> {
        let known = || self.broker_versions.lock().get(address).copied();
        if let Some(version) = known() {
            return Some(version);
        }
        let ask = async {
            self.greet(address).await;
            known()
        };
        self.version_lookups.run(address.to_owned(), ask).await
    }

    /// Sends a heartbeat to one address. A broker that lacks the subscriptions says so, and gets a full heartbeat.
    async fn heartbeat_to(&self, address: &str, beat: &Beat) {
        let Some((fingerprint, without_sub)) = &beat.without_sub else {
            self.send_heartbeat(address, beat.full.clone()).await;
            return;
        };
        if self.heartbeat_fingerprints.lock().get(address) == Some(fingerprint) {
            match self.send_heartbeat(address, without_sub.clone()).await {
                Some(answer) if answer.is_sub_change => {}
                _ => return,
            }
        }
        let answer = self.send_heartbeat(address, beat.full.clone()).await;
        let knows = answer.is_some_and(|answer| answer.is_support_heart_beat_v2 && !answer.is_sub_change);
        match knows {
            true => self.heartbeat_fingerprints.lock().insert(address.to_owned(), *fingerprint),
            false => self.heartbeat_fingerprints.lock().remove(address),
        };
    }

    async fn send_heartbeat(&self, address: &str, command: Command) -> Option<HeartbeatResponse> {
        let answer = self.call_for_heartbeat(address, command).await;
        self.members.consumers().iter().for_each(|it| it.heard(address, answer.as_ref().map(drop)));
        self.heard(address, answer.as_ref().map(drop));
        answer.ok()
    }

    async fn call_for_heartbeat(
        &self,
        address: &str,
        command: Command,
    ) -> Result<HeartbeatResponse, CallError> {
        let answer = self.cluster.call_raw(address, command, self.cluster.config.api_timeout).await?;
        self.broker_versions.lock().insert(address.to_owned(), answer.version);
        let answer = read::<HeartbeatRequest>(answer, Target::address(address))?;
        self.warnings.replace(address, answer.remark.as_deref());
        Ok(answer.payload)
    }

    /// Consumers log what it means for their topics; producers are named here, once for each change.
    fn heard(&self, address: &str, outcome: Result<(), &CallError>) {
        let producers = self.members.producers();
        let groups: Vec<_> =
            producers.iter().map(|producer| self.cluster.names.plain(producer.wire_group())).collect();
        let groups = groups.join(", ");
        match outcome {
            Ok(()) if self.silent_brokers.lock().remove(address) => {
                tracing::info!(address, groups, "heartbeats are taken again");
            }
            Ok(()) => {}
            Err(error) if !groups.is_empty() && self.silent_brokers.lock().insert(address.to_owned()) => {
                tracing::warn!(address, groups, "the heartbeat of these producers is not taken: {error}");
            }
            Err(error) => tracing::debug!(address, "the heartbeat is not taken: {error}"),
        }
    }

    fn beat(&self) -> Option<Beat> {
        let (producer_data_set, consumer_data_set) = self.members.heartbeat();
        if producer_data_set.is_empty() && consumer_data_set.is_empty() {
            return None;
        }
        let client_id = self.cluster.client_id.clone();
        let data =
            HeartbeatData { client_id, producer_data_set, consumer_data_set, ..HeartbeatData::default() };
        let beat = Beat::new(data, self.cluster.config.heartbeat_v2);
        beat.inspect_err(|error| tracing::error!(%error, "a heartbeat cannot be written")).ok()
    }

    /// Tells every broker this client talks to that a group leaves, so that the others need not wait two
    /// minutes for it. A broker that does not answer finds out by itself.
    pub(super) async fn unregister(&self, leaving: Leaving<'_>) {
        let (producer_group, consumer_group) = match leaving {
            Leaving::Producer(group) => (Some(group.to_owned()), None),
            Leaving::Consumer(group) => (None, Some(group.to_owned())),
        };
        // Of a group without members a broker forgets what it subscribed to.
        self.heartbeat_fingerprints.lock().clear();
        let request = UnregisterClientRequest {
            client_id: self.cluster.client_id.clone(),
            producer_group,
            consumer_group,
        };
        let known = self.cluster.addresses(true);
        let connected = known.iter().filter(|address| self.cluster.rpc.pool.live(address).is_some());
        join_all(connected.map(|address| self.leave(address, &request))).await;
    }

    async fn leave(&self, address: &str, request: &UnregisterClientRequest) {
        let limit = self.cluster.config.api_timeout;
        if let Err(error) = self.cluster.call(Target::address(address), request, (), limit).await {
            tracing::debug!(address, %error, "no answer to leaving");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rocketmq_remoting::body::ConsumerData;
    use rocketmq_remoting::subscription::SubscriptionData;
    use rocketmq_remoting::{RequestCode, ResponseCode};

    use super::*;
    use crate::testkit::{FakeServer, Reply, name_server, route};
    use crate::{Client, Delivery, Outcome};

    fn data(client_id: &str, topics: &[&str], version: i64) -> HeartbeatData {
        let subscription =
            |topic: &&str| SubscriptionData::parse(topic, "*").expect("legal").with_version(version);
        let consumer = ConsumerData {
            group_name: "g".into(),
            subscription_data_set: topics.iter().map(subscription).collect(),
            ..ConsumerData::default()
        };
        HeartbeatData {
            client_id: client_id.into(),
            consumer_data_set: vec![consumer],
            ..HeartbeatData::default()
        }
    }

    #[test]
    fn members_that_subscribe_to_the_same_have_the_same_fingerprint() {
        let of = |data| fingerprint(&data).expect("written");
        assert_eq!(of(data("a", &["t", "u"], 1)), of(data("b", &["u", "t"], 2)));
        assert_ne!(of(data("a", &["t", "u"], 1)), of(data("a", &["t"], 1)));
    }

    fn body(request: &Command) -> HeartbeatData {
        fastjson::from_slice(&request.body).expect("a heartbeat")
    }

    fn beats(broker: &FakeServer) -> Vec<HeartbeatData> {
        broker.seen(RequestCode::HEART_BEAT).iter().map(body).collect()
    }

    fn kinds(broker: &FakeServer) -> Vec<&'static str> {
        beats(broker).iter().map(|beat| if beat.without_sub { "brief" } else { "full" }).collect()
    }

    /// A broker that answers heartbeats with these two words; a client of it with a consumer, whose own timer rests.
    async fn stage(
        supports: &'static str,
        changed: &'static str,
    ) -> (FakeServer, FakeServer, Client, crate::Running) {
        let broker = FakeServer::start(move |request| {
            let mut answer = Command::response(ResponseCode::SUCCESS);
            if request.request_code() == RequestCode::HEART_BEAT {
                answer.ext.push("IS_SUPPORT_HEART_BEAT_V2", supports);
                answer.ext.push("IS_SUB_CHANGE", changed);
            }
            Reply::Answer(answer)
        })
        .await;
        let names = name_server(route(&[broker.address], 1), |_| true).await;
        let client = Client::builder(names.address.to_string()).configure(|config| {
            config.heartbeat_v2 = true;
            config.heartbeat_interval = Duration::from_secs(3600);
        });
        let client = client.connect().await.expect("a client");
        let handler = |_: Delivery| async { Ok::<_, std::convert::Infallible>(Outcome::Ack) };
        let running =
            client.push_consumer("g").subscribe("t", "*").listen(handler).await.expect("it listens");
        // That of the start and that of the new connection.
        broker.expect(RequestCode::HEART_BEAT, 2).await;
        client.membership.heartbeat().await;
        (broker, names, client, running)
    }

    #[tokio::test]
    async fn a_broker_that_knows_the_subscriptions_is_not_told_them_again() {
        let (broker, _names, client, _running) = stage("true", "false").await;
        let before = kinds(&broker).len();
        client.membership.heartbeat().await;
        assert_eq!(kinds(&broker)[before..], ["brief"]);
        let (first, last) = (beats(&broker).remove(0), beats(&broker).pop().expect("one"));
        assert_eq!(first.heartbeat_fingerprint, last.heartbeat_fingerprint);
        assert!(last.consumer_data_set.iter().all(|consumer| consumer.subscription_data_set.is_empty()));

        // A broker with a new connection knows nothing.
        client.membership.greet(&broker.address.to_string()).await;
        assert_eq!(kinds(&broker)[before..], ["brief", "full"]);
    }

    #[tokio::test]
    async fn a_group_that_left_and_came_back_is_told_in_full() {
        let (broker, _names, client, running) = stage("true", "false").await;
        running.shutdown().await;
        let before = kinds(&broker).len();
        let handler = |_: Delivery| async { Ok::<_, std::convert::Infallible>(Outcome::Ack) };
        let _again = client.push_consumer("g").subscribe("t", "*").listen(handler).await.expect("it listens");
        assert_eq!(kinds(&broker).get(before), Some(&"full"));
    }

    #[tokio::test]
    async fn a_broker_that_knows_others_or_no_brief_ones_is_told_everything() {
        for (supports, changed) in [("true", "true"), ("false", "false")] {
            let (broker, _names, client, _running) = stage(supports, changed).await;
            client.membership.heartbeat().await;
            assert!(kinds(&broker).iter().all(|kind| *kind == "full"), "{supports} {changed}");
        }
    }
}
