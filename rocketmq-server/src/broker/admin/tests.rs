//! The requests of mqadmin and of the console.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocketmq_remoting::body::group::{SubscriptionGroupConfig, SubscriptionGroupWrapper};
use rocketmq_remoting::body::offset::{ConsumeStats, ResetOffsetBody, TopicStatsTable};
use rocketmq_remoting::body::table::{GroupList, KvTable, TopicList};
use rocketmq_remoting::body::topic::{TopicConfig, TopicConfigWrapper};
use rocketmq_remoting::message::MessageRecord;
use rocketmq_remoting::requests::group::{
    ConsumeMessageDirectlyRequest, GetConsumeStatsRequest, GetConsumerConnectionListRequest,
    UpdateGroupForbiddenRequest,
};
use rocketmq_remoting::requests::offset::{InvokeResetOffsetRequest, UpdateConsumerOffsetRequest};
use rocketmq_remoting::requests::query::{QueryMessageRequest, ViewMessageRequest};
use rocketmq_remoting::requests::topic::{
    DeleteTopicRequest, GetTopicConfigRequest, GetTopicStatsInfoRequest, QueryTopicConsumeByWhoRequest,
    UpdateTopicRequest,
};
use rocketmq_remoting::route::{MessageQueue, Perm};
use rocketmq_remoting::{Command, RequestCode, ResponseCode, fastjson};

use crate::broker::admin::broker::change_settings;
use crate::broker::tests::rig::{Client, Rig};
use crate::broker::{Live, LiveConfig, UpdateError};

fn body<T: serde::de::DeserializeOwned>(answer: &Command) -> T {
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    fastjson::from_slice(&answer.body).unwrap()
}

fn topic_update(topic: &str) -> UpdateTopicRequest {
    UpdateTopicRequest {
        topic: topic.into(),
        read_queue_nums: 3,
        write_queue_nums: 2,
        perm: 6,
        topic_filter_type: "SINGLE_TAG".into(),
        ..UpdateTopicRequest::default()
    }
}

#[tokio::test]
async fn topics_are_created_changed_shown_and_deleted() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let mut update = topic_update("t");
    update.attributes = Some("+message.type=FIFO".into());
    assert_eq!(client.ask(&update).await.response_code(), ResponseCode::SUCCESS);
    let get = GetTopicConfigRequest { topic: "t".into(), lo: None };
    let config: TopicConfig = body(&client.ask(&get).await);
    assert_eq!((config.read_queue_nums, config.write_queue_nums, config.perm), (3, 2, Perm(6)));
    assert_eq!(config.attributes["message.type"], "FIFO");

    assert_eq!(client.ask(&topic_update("TBW102")).await.response_code(), ResponseCode::INVALID_PARAMETER);
    assert_eq!(client.ask(&topic_update("a b")).await.response_code(), ResponseCode::INVALID_PARAMETER);

    let all: TopicConfigWrapper =
        body(&client.call(Command::request(RequestCode::GET_ALL_TOPIC_CONFIG)).await);
    assert!(all.topic_config_table.contains_key("t"));
    client.send("t", "x", &[]).await;
    let delete = DeleteTopicRequest { topic: "t".into() };
    assert_eq!(client.ask(&delete).await.response_code(), ResponseCode::SUCCESS);
    assert_eq!(client.ask(&get).await.response_code(), ResponseCode::TOPIC_NOT_EXIST);
}

#[tokio::test]
async fn groups_are_created_shown_forbidden_and_deleted() {
    let rig = Rig::start().await;
    let client = rig.connect();
    let config = SubscriptionGroupConfig {
        group_name: "g".into(),
        retry_max_times: 3,
        ..SubscriptionGroupConfig::default()
    };
    client.ask_json(RequestCode::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, &config).await;
    let all = Command::request(RequestCode::GET_ALL_SUBSCRIPTIONGROUP_CONFIG);
    let table: SubscriptionGroupWrapper = body(&client.call(all).await);
    assert_eq!(table.subscription_group_table["g"].retry_max_times, 3);
    assert!(table.subscription_group_table.contains_key("TOOLS_CONSUMER"));

    client.send("t", "x", &[]).await;
    client.heartbeat("c", "g", &["t"]).await;
    let forbid = UpdateGroupForbiddenRequest { group: "g".into(), topic: "t".into(), readable: Some(false) };
    client.ask(&forbid).await;
    let mut pull = client.pull_request("t", 0, 0, "*");
    pull.sys_flag = 0;
    let refused = client.ask(&pull).await;
    assert_eq!(refused.response_code(), ResponseCode::NO_PERMISSION);
    assert_eq!(refused.ext.get("forbiddenType"), Some("5"));
}

async fn commit(client: &Client, offset: i64) -> Command {
    let update = UpdateConsumerOffsetRequest {
        consumer_group: "g".into(),
        topic: "t".into(),
        queue_id: 0,
        commit_offset: offset,
    };
    client.ask(&update).await
}

#[tokio::test]
async fn progress_is_shown_with_objects_as_keys() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    client.send("t", "x", &[]).await;
    client.send("t", "y", &[]).await;
    commit(&client, 1).await;
    let queue = MessageQueue::new("t", "broker-a", 0);

    let stats = GetTopicStatsInfoRequest { topic: "t".into() };
    let table: TopicStatsTable = body(&client.ask(&stats).await);
    assert_eq!((table.offset_table[&queue].max_offset, table.offset_table.len()), (2, 4));

    let of_group = GetConsumeStatsRequest { consumer_group: "g".into(), topic: None, topic_list: None };
    let answer = client.ask(&of_group).await;
    assert!(answer.body.windows(3).any(|text| text == b"{{\""));
    let progress: ConsumeStats = body(&answer);
    let one = &progress.offset_table[&queue];
    assert_eq!((one.broker_offset, one.consumer_offset), (2, 1));
    assert_eq!(one.last_timestamp, crate::broker::tests::rig::START);

    let who = QueryTopicConsumeByWhoRequest { topic: "t".into() };
    let groups: GroupList = body(&client.ask(&who).await);
    assert_eq!(groups.group_list, ["g"]);
    let online = GetConsumerConnectionListRequest { consumer_group: "nobody".into() };
    assert_eq!(client.ask(&online).await.response_code(), ResponseCode::CONSUMER_NOT_ONLINE);
}

#[tokio::test]
async fn messages_are_found_by_key_and_by_id() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "x", &[("KEYS", "k1 k2"), ("UNIQ_KEY", "u")]).await;
    let stored = client.drain("t", 0, 1).await.remove(0);
    let mut query = QueryMessageRequest {
        topic: "t".into(),
        key: "k2".into(),
        max_num: 32,
        end_timestamp: i64::MAX,
        ..QueryMessageRequest::default()
    };
    let found = client.ask(&query).await;
    assert_eq!(MessageRecord::decode_all(found.body).collect::<Vec<_>>(), std::slice::from_ref(&stored));
    query.key = "u".into();
    query.unique_key_query = Some(true);
    assert_eq!(client.ask(&query).await.response_code(), ResponseCode::SUCCESS);
    query.key = "k3".into();
    assert_eq!(client.ask(&query).await.response_code(), ResponseCode::QUERY_NOT_FOUND);

    let mut view = ViewMessageRequest { offset: stored.physical_offset, topic: None };
    let viewed = client.ask(&view).await;
    assert_eq!(MessageRecord::decode_all(viewed.body).collect::<Vec<_>>(), [stored]);
    view.offset += 1;
    assert_eq!(client.ask(&view).await.response_code(), ResponseCode::SYSTEM_ERROR);
}

#[tokio::test]
async fn a_reset_wins_over_commits_until_one_pull_has_seen_it() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.heartbeat("c", "g", &["t"]).await;
    for _ in 0..3 {
        client.send("t", "x", &[]).await;
    }
    client.drain("t", 0, 3).await;
    commit(&client, 3).await;
    let mut reset = InvokeResetOffsetRequest {
        group: "g".into(),
        topic: "t".into(),
        queue_id: Some(0),
        offset: Some(1),
        ..InvokeResetOffsetRequest::default()
    };
    let done: ResetOffsetBody = body(&client.ask(&reset).await);
    assert_eq!(done.offset_table[&MessageQueue::new("t", "broker-a", 0)], 1);
    assert_eq!(commit(&client, 3).await.remark.as_deref(), Some("Offset has been previously reset"));
    let moved = client.pull("t", 0, 3).await;
    assert_eq!(
        (moved.code, moved.next, moved.remark.as_str()),
        (ResponseCode::PULL_OFFSET_MOVED, 1, "OFFSET_RESET")
    );
    assert_eq!(client.pull("t", 0, 1).await.messages.len(), 2);
    reset.offset = Some(500);
    let outside = client.ask(&reset).await;
    assert_eq!(outside.remark.as_deref(), Some("Target offset 500 not in consume queue range [0-3]"));
}

#[tokio::test]
async fn a_consumer_is_made_to_consume_a_message_directly() {
    let rig = Rig::start().await;
    let (tool, consumer) = (rig.connect(), rig.connect());
    consumer.heartbeat("c", "g", &["t"]).await;
    let sent = tool.send("t", "x", &[]).await;
    let request = ConsumeMessageDirectlyRequest {
        consumer_group: "g".into(),
        client_id: Some("c".into()),
        msg_id: sent.msg_id,
        ..ConsumeMessageDirectlyRequest::default()
    };
    let answer = tool.ask(&request).await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS);
    let relayed = consumer.next_of(RequestCode::CONSUME_MESSAGE_DIRECTLY).await;
    assert_eq!(MessageRecord::decode_all(relayed.body).count(), 1);
    assert_eq!(relayed.ext.get("brokerName"), Some("broker-a"));
    let absent = ConsumeMessageDirectlyRequest { client_id: Some("nobody".into()), ..request };
    assert_eq!(tool.ask(&absent).await.response_code(), ResponseCode::SYSTEM_ERROR);
}

#[tokio::test]
async fn a_reply_reaches_the_client_that_asked() {
    let rig = Rig::start().await;
    let (requester, replier) = (rig.connect(), rig.connect());
    requester.producer_heartbeat("asker", "p").await;
    let properties = [("MSG_TYPE", "reply"), ("REPLY_TO_CLIENT", "asker"), ("CORRELATION_ID", "7")];
    let header = replier.send_request("DefaultCluster_REPLY_TOPIC", &properties);
    let reply = rocketmq_remoting::requests::send::SendReplyRequest(header);
    let command = rocketmq_remoting::Request::to_command(&reply).unwrap().with_body("pong");
    let answer = replier.call(command.clone()).await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    let pushed = requester.next_of(RequestCode::PUSH_REPLY_MESSAGE_TO_CLIENT).await;
    assert_eq!(&pushed.body[..], b"pong");
    assert!(pushed.ext.get("properties").unwrap().contains("CORRELATION_ID\u{1}7\u{2}"));
    assert_eq!(replier.drain("DefaultCluster_REPLY_TOPIC", 0, 1).await.len(), 1);

    requester.connection.close();
    requester.connection.closed().await;
    let mut late = replier.call(command.clone()).await;
    while late.response_code() == ResponseCode::SUCCESS {
        late = replier.call(command.clone()).await;
    }
    assert_eq!(late.response_code(), ResponseCode::SYSTEM_ERROR);
}

#[tokio::test]
async fn the_figures_have_both_spellings() {
    let rig = Rig::start().await;
    let client = rig.connect();
    client.send("t", "x", &[]).await;
    let figures: KvTable = body(&client.call(Command::request(RequestCode::GET_BROKER_RUNTIME_INFO)).await);
    for key in ["getTransferredTps", "getTransferedTps", "putTps", "commitLogDiskRatio", "bootTimestamp"] {
        assert!(figures.table.contains_key(key), "{key}");
    }
    assert_eq!(figures.table["msgPutTotalTodayNow"], "1");
    let system = Command::request(RequestCode::GET_SYSTEM_TOPIC_LIST_FROM_BROKER);
    let topics: TopicList = body(&client.call(system).await);
    assert!(topics.topic_list.contains(&"SCHEDULE_TOPIC_XXXX".to_owned()));
}

/// Remembers the number that came last, as a file would.
#[derive(Debug)]
struct Remembering(AtomicUsize);

impl LiveConfig for Remembering {
    fn properties(&self) -> String {
        self.0.load(Ordering::SeqCst).to_string()
    }

    fn update(&self, properties: &str) -> Result<Live, UpdateError> {
        let number = properties.parse().unwrap();
        self.0.store(number, Ordering::SeqCst);
        Ok(Live { max_query_messages: number, ..Live::default() })
    }
}

#[tokio::test]
async fn of_changes_at_once_the_one_that_is_remembered_is_in_effect() {
    let rig = Rig::start().await;
    let parts = &*rig.broker.domains.admin;
    *parts.settings.source.lock() = Arc::new(Remembering(AtomicUsize::new(0)));
    let change = |number: usize| change_settings(parts, &number.to_string()).unwrap();
    for round in 0..100 {
        std::thread::scope(|scope| {
            (1..=4).for_each(|number| drop(scope.spawn(move || change(round * 4 + number))))
        });
        assert_eq!(
            parts.settings.live().max_query_messages.to_string(),
            parts.settings.source.lock().properties()
        );
    }
}
