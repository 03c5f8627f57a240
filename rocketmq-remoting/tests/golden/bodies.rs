//! Tests JSON bodies, one file for each Java class. Bodies of 5.4.0 are compared byte by byte: their files hold maps in
//! sorted order, while Java itself would use the order of a hash map. 4.9.7 lacks members that this crate always
//! writes, so its bodies are compared as values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use rocketmq_remoting::body::*;
use rocketmq_remoting::compress::{Compression, decompress};
use rocketmq_remoting::fastjson::{self, Dialect};
use rocketmq_remoting::route::{
    BrokerData, ClusterInfo, MessageQueue, Perm, QueueData, TopicQueueMappingInfo, TopicRoute,
};
use rocketmq_remoting::subscription::{SQL92, SubscriptionData, TAG};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Golden;

pub fn check(golden: &mut Golden) {
    routes(golden);
    clients(golden);
    running_info(golden);
    offsets(golden);
    tables(golden);
    groups(golden);
    registrations(golden);
    if golden.is_five() {
        pops(golden);
    }
}

fn body<T: Serialize + DeserializeOwned + PartialEq + Debug>(golden: &mut Golden, name: &str, expected: T) {
    let java = golden.read(name);
    let ours = fastjson::to_vec(&expected).unwrap();
    assert_eq!(fastjson::from_slice::<T>(&java).unwrap(), expected, "{} {name}", golden.version);
    if golden.is_five() {
        assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&java), "{name}");
    }
    golden.write(name, &ours);
}

fn map<K: Into<String>, V, const N: usize>(entries: [(K, V); N]) -> BTreeMap<String, V> {
    entries.into_iter().map(|(key, value)| (key.into(), value)).collect()
}

fn broker(five: bool) -> BrokerData {
    BrokerData {
        broker_addrs: BTreeMap::from([(0, "10.0.0.5:10911".into()), (1, "10.0.0.6:10911".into())]),
        broker_name: "broker-a".into(),
        cluster: "DefaultCluster".into(),
        enable_acting_master: five,
        zone_name: five.then(|| "z1".into()),
    }
}

fn mapping() -> TopicQueueMappingInfo {
    TopicQueueMappingInfo {
        bname: "broker-a".into(),
        curr_id_map: BTreeMap::from([(0, 1), (1, 0)]),
        dirty: false,
        epoch: 5,
        scope: Some("__global__".into()),
        topic: "TA".into(),
        total_queues: 8,
    }
}

fn routes(golden: &mut Golden) {
    let queue = QueueData {
        broker_name: "broker-a".into(),
        perm: Perm(6),
        read_queue_nums: 8,
        topic_sys_flag: 1,
        write_queue_nums: 4,
    };
    let route = TopicRoute {
        broker_datas: vec![broker(golden.is_five())],
        order_topic_conf: Some("broker-a:4".into()),
        queue_datas: vec![queue],
        ..TopicRoute::default()
    };
    body(golden, "TopicRouteData.fastjson", route);
    standard_route(golden);
    if golden.is_five() {
        let topic_queue_mapping_by_broker = Some(map([("broker-a", mapping())]));
        let route = TopicRoute { topic_queue_mapping_by_broker, ..TopicRoute::default() };
        body(golden, "TopicRouteData.static-topic", route);
    }
    let cluster = ClusterInfo {
        broker_addr_table: map([("broker-a", broker(golden.is_five()))]),
        cluster_addr_table: map([("DefaultCluster", vec!["broker-a".to_owned()])]),
    };
    body(golden, "ClusterInfo", cluster);
}

/// 4.9.7 escapes characters beyond ASCII, and so does this crate; 5.4.0 leaves them as they are.
fn standard_route(golden: &mut Golden) {
    let name = "TopicRouteData.standard";
    let broker = BrokerData {
        broker_addrs: BTreeMap::from([(0, "10.0.0.5:10911".into())]),
        broker_name: "broker-a".into(),
        cluster: "标".into(),
        ..BrokerData::default()
    };
    let expected = TopicRoute { broker_datas: vec![broker], ..TopicRoute::default() };
    let java = golden.read(name);
    assert_eq!(fastjson::from_slice::<TopicRoute>(&java).unwrap(), expected);
    serde_json::from_slice::<serde_json::Value>(&java).unwrap();
    let ours = fastjson::to_vec_in(Dialect::Standard, &expected).unwrap();
    let text = String::from_utf8(java).unwrap();
    if golden.is_five() {
        assert_eq!(String::from_utf8_lossy(&ours), text.replace('标', "\\u6807"));
    }
    golden.write(name, &ours);
}

fn subscription() -> SubscriptionData {
    SubscriptionData::parse("TA", "TagA || TagB").unwrap().with_version(1_700_000_000_001)
}

fn connection() -> Connection {
    Connection {
        client_addr: "10.0.0.6:50000".into(),
        client_id: "10.0.0.6@1#2".into(),
        language: Some("GO".into()),
        version: 317,
    }
}

fn clients(golden: &mut Golden) {
    let consumer = ConsumerData {
        consume_from_where: ConsumeFromWhere::FirstOffset,
        consume_type: ConsumeType::Passively,
        group_name: "CG".into(),
        message_model: MessageModel::Clustering,
        subscription_data_set: vec![subscription()],
        unit_mode: false,
    };
    let heartbeat = HeartbeatData {
        client_id: "10.0.0.6@1#2".into(),
        consumer_data_set: vec![consumer],
        heartbeat_fingerprint: if golden.is_five() { -77 } else { 0 },
        producer_data_set: vec![ProducerData { group_name: "PG".into() }],
        without_sub: false,
    };
    body(golden, "HeartbeatData", heartbeat);
    body(golden, "SubscriptionData", subscription());
    let sql = SubscriptionData::sql92("TA", "a > 1 and b = '标'").unwrap().with_version(2);
    assert_eq!((sql.expression_type.as_str(), subscription().expression_type.as_str()), (SQL92, TAG));
    body(golden, "SubscriptionData.sql92", sql);
    body(golden, "ProducerConnection", ProducerConnection { connection_set: vec![connection()] });
    let consumers = ConsumerConnection {
        connection_set: vec![connection()],
        consume_from_where: ConsumeFromWhere::Timestamp,
        consume_type: ConsumeType::Actively,
        message_model: MessageModel::Broadcasting,
        subscription_table: map([("TA", subscription())]),
    };
    body(golden, "ConsumerConnection", consumers);
    locks(golden);
    let members = ConsumerIdList { consumer_id_list: vec!["c1".into(), "c2".into()] };
    body(golden, "GetConsumerListByGroupResponseBody", members);
}

fn queue(id: i32) -> MessageQueue {
    MessageQueue::new("TA", "broker-a", id)
}

fn locks(golden: &mut Golden) {
    let request = LockBatchBody {
        client_id: "c1".into(),
        consumer_group: "CG".into(),
        mq_set: vec![queue(0), queue(1)],
        only_this_broker: golden.is_five(),
    };
    body(golden, "LockBatchRequestBody", request);
    body(golden, "LockBatchResponseBody", LockBatchResult { lock_ok_mq_set: vec![queue(0)] });
}

fn running_info(golden: &mut Golden) {
    let process = ProcessQueueInfo {
        cached_msg_count: 4,
        cached_msg_max_offset: 3,
        cached_msg_min_offset: 2,
        cached_msg_size_in_mib: 5,
        commit_offset: 1,
        dropped: true,
        last_consume_timestamp: 12,
        last_lock_timestamp: 10,
        last_pull_timestamp: 11,
        locked: true,
        transaction_msg_count: 8,
        transaction_msg_max_offset: 7,
        transaction_msg_min_offset: 6,
        try_unlock_times: 9,
    };
    let status = ConsumeStatus {
        consume_failed_msgs: 13,
        consume_failed_tps: 12.0,
        consume_ok_tps: 1.0e-7,
        consume_rt: 1_234_567_890.5,
        pull_rt: 1.5,
        pull_tps: 0.0,
    };
    let popped = PopProcessQueueInfo { dropped: false, last_pop_timestamp: 14, wait_ack_count: 3 };
    let info = ConsumerRunningInfo {
        jstack: Some("main\n\tat x".into()),
        mq_pop_table: golden.is_five().then(|| (queue(1), popped)).into_iter().collect(),
        mq_table: BTreeMap::from([(queue(0), process)]),
        properties: map([("PROP_CONSUME_TYPE", "CONSUME_PASSIVELY".to_owned())]),
        status_table: map([("TA", status)]),
        subscription_set: vec![subscription()],
        user_consumer_info: BTreeMap::new(),
    };
    body(golden, "ConsumerRunningInfo", info);
    let result = ConsumeMessageDirectlyResult {
        auto_commit: false,
        consume_result: ConsumeResult::CrThrowException,
        order: true,
        remark: Some("a\tb".into()),
        spent_time_mills: 12,
    };
    body(golden, "ConsumeMessageDirectlyResult", result);
}

fn version(five: bool) -> DataVersion {
    DataVersion { counter: 7, state_version: if five { 3 } else { 0 }, timestamp: 1_700_000_000_002 }
}

fn offsets(golden: &mut Golden) {
    let five = golden.is_five();
    let two = BTreeMap::from([(queue(0), 5), (queue(1), -1)]);
    body(golden, "ResetOffsetBody", ResetOffsetBody { offset_table: two.clone() });
    let one = ResetOffsetBody { offset_table: BTreeMap::from([(queue(0), 5)]) };
    assert_eq!(ResetOffsetBody::read(&golden.read("ResetOffsetBodyForC")).unwrap(), one);
    body(golden, "ResetOffsetBodyForC", ResetOffsetBodyForC::from(one.clone()));
    let status =
        GetConsumerStatusBody { consumer_table: map([("c1", one.offset_table)]), message_queue_table: two };
    body(golden, "GetConsumerStatusBody", status);
    let wrapper = ConsumerOffsetWrapper {
        data_version: five.then(|| version(five)),
        group_topic_map: None,
        offset_table: map([("TA@CG", BTreeMap::from([(0, 12), (1, 7)]))]),
    };
    body(golden, "ConsumerOffsetSerializeWrapper", wrapper);
    let corrections = CorrectionOffsets { correction_offsets: BTreeMap::from([(0, 3), (1, 4)]) };
    body(golden, "QueryCorrectionOffsetBody", corrections);
}

fn tables(golden: &mut Golden) {
    let five = golden.is_five();
    let progress = OffsetWrapper {
        broker_offset: 9,
        consumer_offset: 7,
        last_timestamp: 1_700_000_000_003,
        pull_offset: if five { 8 } else { 0 },
    };
    let stats = ConsumeStats {
        consume_tps: 0.799_760_071_978_406_5,
        offset_table: BTreeMap::from([(queue(0), progress)]),
    };
    body(golden, "ConsumeStats", stats);
    let bounds = TopicOffset { last_update_timestamp: 1_700_000_000_004, max_offset: 9, min_offset: 0 };
    let table = TopicStatsTable {
        offset_table: BTreeMap::from([(queue(0), bounds)]),
        topic_put_tps: if five { 0.7 } else { 0.0 },
    };
    body(golden, "TopicStatsTable", table);
    let values = [("brokerVersionDesc", "V5_4_0".to_owned()), ("putTps", "0.5 0.25 \"q\" \\ \u{1}\n".into())];
    body(golden, "KVTable", KvTable { table: map(values) });
    let topics = TopicList { broker_addr: Some("10.0.0.5:10911".into()), topic_list: vec!["TA".into()] };
    body(golden, "TopicList", topics);
    let wrapper = TopicConfigWrapper {
        data_version: version(five),
        topic_config_table: map([("TA", topic("TA", five)), ("TB", topic("TB", five))]),
        ..TopicConfigWrapper::default()
    };
    body(golden, "TopicConfigSerializeWrapper", wrapper);
}

fn topic(name: &str, five: bool) -> TopicConfig {
    TopicConfig {
        attributes: five.then(|| ("message.type".into(), "FIFO".into())).into_iter().collect(),
        order: true,
        perm: Perm(6),
        read_queue_nums: 4,
        topic_filter_type: TopicFilterType::MultiTag,
        topic_name: name.into(),
        topic_sys_flag: 2,
        write_queue_nums: 5,
    }
}

fn groups(golden: &mut Golden) {
    let five = golden.is_five();
    let group = if five { group_of_five() } else { group() };
    body(golden, "SubscriptionGroupConfig", group.clone());
    let defaults = SubscriptionGroupConfig { group_name: "CG".into(), ..SubscriptionGroupConfig::default() };
    body(golden, "SubscriptionGroupConfig.default", defaults);
    let wrapper = SubscriptionGroupWrapper {
        data_version: version(five),
        forbidden_table: five.then(|| ("CG".to_owned(), map([("TA", 1)]))).into_iter().collect(),
        subscription_group_table: map([("CG", group)]),
    };
    body(golden, "SubscriptionGroupWrapper", wrapper);
}

fn group() -> SubscriptionGroupConfig {
    SubscriptionGroupConfig {
        broker_id: 0,
        consume_broadcast_enable: true,
        consume_enable: true,
        consume_from_min_enable: false,
        group_name: "CG".into(),
        notify_consumer_ids_changed_enable: true,
        retry_max_times: 3,
        retry_queue_nums: 2,
        which_broker_when_consume_slowly: 1,
        ..SubscriptionGroupConfig::default()
    }
}

fn group_of_five() -> SubscriptionGroupConfig {
    let simple = SimpleSubscriptionData {
        expression: "*".into(),
        expression_type: TAG.into(),
        topic: "TA".into(),
        version: 1,
    };
    SubscriptionGroupConfig {
        attributes: map([("k", "v".to_owned())]),
        consume_message_orderly: true,
        consume_timeout_minute: 30,
        group_retry_policy: GroupRetryPolicy {
            kind: GroupRetryPolicyType::Exponential,
            exponential_retry_policy: Some(ExponentialRetryPolicy {
                initial: 1_000,
                max: 7_200_000,
                multiplier: 3,
            }),
            customized_retry_policy: None,
        },
        group_sys_flag: 4,
        subscription_data_set: Some(vec![simple]),
        ..group()
    }
}

fn registrations(golden: &mut Golden) {
    let five = golden.is_five();
    let wrapper = TopicConfigWrapper {
        data_version: version(five),
        mapping_data_version: five.then(|| version(five)),
        topic_config_table: map([("TA", topic("TA", five))]),
        topic_queue_mapping_detail_map: five.then(BTreeMap::new),
        topic_queue_mapping_info_map: five.then(|| map([("TA", mapping())])),
    };
    let expected =
        RegisterBrokerBody { filter_server_list: Vec::new(), topic_config_serialize_wrapper: wrapper };
    let java = golden.read("register-plain");
    assert_eq!(RegisterBrokerBody::decode(&java, golden.ordinal(), 1 << 16).unwrap(), expected);
    body(golden, "register-plain", expected.clone());
    compressed_registration(golden, expected);
}

/// The compressed form lacks `order`, `topicSysFlag`, and the version and details of static topics. The deflated bytes
/// may differ from Java's; the inflated ones of 5.4.0 may not.
fn compressed_registration(golden: &mut Golden, plain: RegisterBrokerBody) {
    let name = "register-compressed";
    let java = golden.read(name);
    let ours = plain.encode_compressed(golden.ordinal()).unwrap();
    golden.write(name, &ours);
    let inflate = |bytes: &[u8]| decompress(Compression::Zlib, bytes, 1 << 16).unwrap();
    if golden.is_five() {
        assert_eq!(inflate(&ours).escape_ascii().to_string(), inflate(&java).escape_ascii().to_string());
    }
    let mut expected = plain;
    let topics = &mut expected.topic_config_serialize_wrapper;
    (topics.mapping_data_version, topics.topic_queue_mapping_detail_map) = (None, None);
    for topic in topics.topic_config_table.values_mut() {
        (topic.order, topic.topic_sys_flag) = (false, 0);
    }
    assert_eq!(RegisterBrokerBody::decode(&java, golden.ordinal(), 1 << 16).unwrap(), expected);
}

fn pops(golden: &mut Golden) {
    let query = QueryAssignmentBody {
        client_id: "c1".into(),
        consumer_group: "CG".into(),
        message_model: MessageModel::Clustering,
        strategy_name: "AVG".into(),
        topic: "TA".into(),
    };
    body(golden, "QueryAssignmentRequestBody", query);
    let share = MessageQueueAssignment {
        attachments: Some(map([("a", "b".to_owned())])),
        message_queue: queue(-1),
        mode: MessageRequestMode::Pop,
    };
    let result = QueryAssignmentResult { message_queue_assignments: Some(vec![share]) };
    body(golden, "QueryAssignmentResponseBody", result);
    let mode = MessageRequestModeBody {
        consumer_group: "CG".into(),
        mode: MessageRequestMode::Pop,
        pop_share_queue_num: 2,
        topic: "TA".into(),
    };
    body(golden, "SetMessageRequestModeRequestBody", mode);
    let ack = BatchAck {
        bits: [0, 3, 9].into_iter().collect(),
        consumer_group: "CG".into(),
        invisible_time: 60_000,
        pop_time: 1_700_000_000_000,
        queue_id: 1,
        retry: "0".into(),
        revive_queue_id: 2,
        start_offset: 40,
        topic: "TA".into(),
    };
    assert_eq!(ack.bits.iter().collect::<BTreeSet<_>>(), BTreeSet::from([0, 3, 9]));
    body(
        golden,
        "BatchAckMessageRequestBody",
        BatchAckBody { acks: vec![ack], broker_name: "broker-a".into() },
    );
}
