//! The name server as its peers see it: raw frames over loopback.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::Command;
use rocketmq_remoting::body::{KvTable, TopicList};
use rocketmq_remoting::code::{RequestCode, ResponseCode};
use rocketmq_remoting::fastjson;
use rocketmq_remoting::route::ClusterInfo;
use rocketmq_server::clock::Manual;
use rocketmq_server::config::NamesrvConfig;
use rocketmq_server::namesrv::NameServer;
use support::{Peer, body, eventually, registration, request, within};

/// The fields by which `broker-a` names itself in requests other than registrations.
const WHO: [(&str, &str); 4] =
    [("brokerName", "broker-a"), ("brokerAddr", "127.0.0.1:10911"), ("clusterName", "C"), ("brokerId", "0")];

async fn start(config: NamesrvConfig) -> (NameServer, Manual) {
    let clock = Manual::new(1_700_000_000_000);
    (NameServer::start(config, Arc::new(clock.clone())).await.unwrap(), clock)
}

async fn server() -> (NameServer, Manual) {
    start(NamesrvConfig::ephemeral()).await
}

/// A broker that has registered topics `T` and `U`, and a client beside it.
async fn registered(server: &NameServer) -> (Peer, Peer) {
    let mut broker = Peer::dial(server.address()).await;
    let answer = broker.call(registration("broker-a", "127.0.0.1:10911", &["T", "U"])).await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS);
    (broker, Peer::dial(server.address()).await)
}

fn code(answer: &Command) -> ResponseCode {
    answer.response_code()
}

#[tokio::test]
async fn a_registered_topic_is_found() {
    let (server, _) = server().await;
    let (_broker, mut client) = registered(&server).await;
    let route = client.route("T").await.unwrap();
    assert_eq!(route.broker("broker-a").unwrap().master(), Some("127.0.0.1:10911"));
    assert_eq!((route.queue_datas[0].write_queue_nums, route.queue_datas[0].perm.0), (4, 6));
}

#[tokio::test]
async fn old_clients_get_bare_keys_and_new_ones_quoted_keys() {
    let (server, _) = server().await;
    let (_broker, mut client) = registered(&server).await;
    let ask = |version: i32, fields: &[(&str, &str)]| Command {
        version,
        ..request(RequestCode::GET_ROUTEINFO_BY_TOPIC, fields)
    };
    let text = |answer: Command| String::from_utf8(answer.body.to_vec()).unwrap();
    let old = text(client.call(ask(399, &[("topic", "T")])).await);
    assert!(old.contains(r#"{0:"127.0.0.1:10911"}"#), "{old}");
    let new = text(client.call(ask(401, &[("topic", "T")])).await);
    assert!(new.contains(r#"{"0":"127.0.0.1:10911"}"#), "{new}");
    let asked = text(client.call(ask(0, &[("topic", "T"), ("acceptStandardJsonOnly", "true")])).await);
    assert_eq!(asked, new);
}

#[tokio::test]
async fn an_unknown_topic_is_named_in_the_refusal() {
    let (server, _) = server().await;
    let answer = Peer::dial(server.address())
        .await
        .call(request(RequestCode::GET_ROUTEINFO_BY_TOPIC, &[("topic", "nowhere")]))
        .await;
    assert_eq!(code(&answer), ResponseCode::TOPIC_NOT_EXIST);
    let remark = answer.remark.unwrap();
    assert!(remark.starts_with("No topic route info in name server for the topic: nowhere"), "{remark}");
}

#[tokio::test]
async fn an_unknown_code_is_refused_and_the_connection_goes_on() {
    let (server, _) = server().await;
    let mut client = Peer::dial(server.address()).await;
    for unknown in [RequestCode(4711), RequestCode::SEND_MESSAGE, RequestCode(200_050)] {
        let answer = client.call(Command::request(unknown)).await;
        assert_eq!(code(&answer), ResponseCode::REQUEST_CODE_NOT_SUPPORTED);
    }
}

#[tokio::test]
async fn a_missing_header_field_is_named() {
    let (server, _) = server().await;
    let answer =
        Peer::dial(server.address()).await.call(Command::request(RequestCode::GET_ROUTEINFO_BY_TOPIC)).await;
    assert_eq!(code(&answer), ResponseCode::SYSTEM_ERROR);
    assert!(answer.remark.unwrap().contains("topic"));
}

#[tokio::test]
async fn a_compressed_registration_is_told_by_its_first_byte() {
    let (server, _) = server().await;
    let mut broker = Peer::dial(server.address()).await;
    let mut command = registration("broker-a", "127.0.0.1:10911", &["T", "U"]);
    // 5.4.0 compresses and says that it did not.
    command.body = body(&["T", "U"]).encode_compressed(command.version).unwrap().into();
    command.ext.push("compressed", "false");
    assert_eq!(code(&broker.call(command).await), ResponseCode::SUCCESS);
    assert!(broker.route("U").await.is_some());
}

#[tokio::test]
async fn a_damaged_registration_is_refused() {
    let (server, _) = server().await;
    let mut broker = Peer::dial(server.address()).await;
    let mut command = registration("broker-a", "127.0.0.1:10911", &["T", "U"]);
    command.ext.push("bodyCrc32", "1");
    let answer = broker.call(command).await;
    assert_eq!(code(&answer), ResponseCode::SYSTEM_ERROR);
    assert!(answer.remark.unwrap().contains("crc32 not match"));
    assert!(broker.route("T").await.is_none());
}

#[tokio::test]
async fn a_lonely_first_topic_is_refused() {
    let (server, _) = server().await;
    let mut broker = Peer::dial(server.address()).await;
    let answer = broker.call(registration("broker-a", "127.0.0.1:10911", &["T"])).await;
    assert_eq!(code(&answer), ResponseCode::SYSTEM_ERROR);
}

#[tokio::test]
async fn a_broker_whose_connection_closes_is_gone_at_once() {
    let (server, _) = server().await;
    let (broker, client) = registered(&server).await;
    drop(broker);
    let client = tokio::sync::Mutex::new(client);
    eventually("the route's end", || async { client.lock().await.route("T").await.is_none() }).await;
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_dropped_and_hung_up_on() {
    let (server, clock) = server().await;
    let (mut broker, mut client) = registered(&server).await;
    clock.advance(Duration::from_millis(120_001));
    assert!(broker.is_hung_up().await);
    assert!(client.route("T").await.is_none());
}

#[tokio::test]
async fn signs_of_life_keep_a_broker() {
    let (server, clock) = server().await;
    let (mut broker, mut client) = registered(&server).await;
    let mut silent = Peer::dial(server.address()).await;
    silent.call(registration("broker-b", "127.0.0.1:2", &["V", "W"])).await;
    clock.advance(Duration::from_secs(100));
    let version = request(RequestCode::QUERY_DATA_VERSION, &WHO)
        .with_body(r#"{"counter":1,"stateVersion":0,"timestamp":7}"#.as_bytes().to_vec());
    assert_eq!(broker.call(version).await.ext.get("changed"), Some("false"));
    clock.advance(Duration::from_secs(100));
    assert!(silent.is_hung_up().await);
    broker.send(request(RequestCode::BROKER_HEARTBEAT, &WHO).oneway()).await;
    assert!(client.route("T").await.is_some());
}

#[tokio::test]
async fn a_changed_data_version_is_answered_with_the_known_one() {
    let (server, _) = server().await;
    let (mut broker, _client) = registered(&server).await;
    let ask = request(RequestCode::QUERY_DATA_VERSION, &WHO);
    let answer = broker.call(ask.with_body(r#"{"counter":2,"timestamp":7}"#.as_bytes().to_vec())).await;
    assert_eq!(answer.ext.get("changed"), Some("true"));
    assert_eq!(&answer.body[..], br#"{"counter":1,"stateVersion":0,"timestamp":7}"#);
}

#[tokio::test]
async fn a_broker_can_say_that_it_leaves() {
    let (server, _) = server().await;
    let (mut broker, mut client) = registered(&server).await;
    assert_eq!(
        code(&broker.call(request(RequestCode::UNREGISTER_BROKER, &WHO)).await),
        ResponseCode::SUCCESS
    );
    assert!(client.route("T").await.is_none());
}

#[tokio::test]
async fn operators_change_permissions_and_topics() {
    let (server, _) = server().await;
    let (_broker, mut client) = registered(&server).await;
    let broker = [("brokerName", "broker-a")];
    let wiped = client.call(request(RequestCode::WIPE_WRITE_PERM_OF_BROKER, &broker)).await;
    assert_eq!(wiped.ext.get("wipeTopicCount"), Some("2"));
    assert_eq!(client.route("T").await.unwrap().queue_datas[0].perm.0, 4);
    let added = client.call(request(RequestCode::ADD_WRITE_PERM_OF_BROKER, &broker)).await;
    assert_eq!(added.ext.get("addTopicCount"), Some("2"));
    assert_eq!(client.route("T").await.unwrap().queue_datas[0].perm.0, 6);
    client.call(request(RequestCode::DELETE_TOPIC_IN_NAMESRV, &[("topic", "T")])).await;
    assert!(client.route("T").await.is_none());
}

#[tokio::test]
async fn lists_show_what_is_registered() {
    let (server, _) = server().await;
    let (_broker, mut client) = registered(&server).await;
    let clusters = client.call(Command::request(RequestCode::GET_BROKER_CLUSTER_INFO)).await;
    assert_eq!(
        String::from_utf8_lossy(&clusters.body),
        r#"{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.1:10911"},"brokerName":"broker-a","cluster":"C","enableActingMaster":false}},"clusterAddrTable":{"C":["broker-a"]}}"#
    );
    let clusters: ClusterInfo = fastjson::from_slice(&clusters.body).unwrap();
    assert_eq!(clusters.cluster_addr_table["C"], ["broker-a"]);

    let topics = client.call(Command::request(RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER)).await;
    assert_eq!(fastjson::from_slice::<TopicList>(&topics.body).unwrap().topic_list, ["T", "U"]);
    let topics = client.call(request(RequestCode::GET_TOPICS_BY_CLUSTER, &[("cluster", "C")])).await;
    assert_eq!(fastjson::from_slice::<TopicList>(&topics.body).unwrap().topic_list, ["T", "U"]);
    let system = client.call(Command::request(RequestCode::GET_SYSTEM_TOPIC_LIST_FROM_NS)).await;
    let system: TopicList = fastjson::from_slice(&system.body).unwrap();
    assert_eq!(
        (system.topic_list, system.broker_addr.as_deref()),
        (vec!["C".to_owned(), "broker-a".to_owned()], Some("127.0.0.1:10911"))
    );
    let group = [("clusterName", "C"), ("brokerName", "broker-a")];
    let group = client.call(request(RequestCode::GET_BROKER_MEMBER_GROUP, &group)).await;
    assert!(String::from_utf8_lossy(&group.body).contains(r#"{0:"127.0.0.1:10911"}"#));
}

#[tokio::test]
async fn topic_lists_can_be_switched_off() {
    let mut config = NamesrvConfig::ephemeral();
    config.live.all_topic_list = false;
    let (server, _) = start(config).await;
    let mut client = Peer::dial(server.address()).await;
    let answer = client.call(Command::request(RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER)).await;
    assert_eq!(code(&answer), ResponseCode::SYSTEM_ERROR);
    assert!(answer.remark.unwrap().contains("enableAllTopicList"));
}

#[tokio::test]
async fn key_value_settings_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = NamesrvConfig::ephemeral();
    config.kv_path = Some(folder.path().join("kvConfig.json"));
    let (first, _) = start(config.clone()).await;
    let mut client = Peer::dial(first.address()).await;
    let pair = [("namespace", "N"), ("key", "k"), ("value", "v")];
    assert_eq!(code(&client.call(request(RequestCode::PUT_KV_CONFIG, &pair)).await), ResponseCode::SUCCESS);
    first.kill();

    let (second, _) = start(config).await;
    let mut client = Peer::dial(second.address()).await;
    let got = client.call(request(RequestCode::GET_KV_CONFIG, &pair)).await;
    assert_eq!(got.ext.get("value"), Some("v"));
    let all = client.call(request(RequestCode::GET_KVLIST_BY_NAMESPACE, &pair)).await;
    assert_eq!(fastjson::from_slice::<KvTable>(&all.body).unwrap().table["k"], "v");
    client.call(request(RequestCode::DELETE_KV_CONFIG, &pair)).await;
    let got = client.call(request(RequestCode::GET_KV_CONFIG, &pair)).await;
    assert_eq!(code(&got), ResponseCode::QUERY_NOT_FOUND);
    let none = client.call(request(RequestCode::GET_KVLIST_BY_NAMESPACE, &[("namespace", "M")])).await;
    assert_eq!(code(&none), ResponseCode::QUERY_NOT_FOUND);
}

#[tokio::test]
async fn ordered_topics_are_told_to_brokers_and_clients() {
    let mut config = NamesrvConfig::ephemeral();
    config.live.order_messages = true;
    let (server, _) = start(config).await;
    let mut client = Peer::dial(server.address()).await;
    let order = [("namespace", "ORDER_TOPIC_CONFIG"), ("key", "T"), ("value", "broker-a:4")];
    client.call(request(RequestCode::PUT_KV_CONFIG, &order)).await;
    let answer = client.call(registration("broker-a", "127.0.0.1:10911", &["T", "U"])).await;
    assert_eq!(fastjson::from_slice::<KvTable>(&answer.body).unwrap().table["T"], "broker-a:4");
    assert_eq!(client.route("T").await.unwrap().order_topic_conf.as_deref(), Some("broker-a:4"));
    assert_eq!(client.route("U").await.unwrap().order_topic_conf, None);
}

#[tokio::test]
async fn the_configuration_is_read_and_changed_over_the_wire() {
    let (server, _) = server().await;
    let mut client = Peer::dial(server.address()).await;
    let update =
        |text: &str| Command::request(RequestCode::UPDATE_NAMESRV_CONFIG).with_body(text.as_bytes().to_vec());
    assert_eq!(code(&client.call(update("enableTopicList=false\n")).await), ResponseCode::SUCCESS);
    let text = client.call(Command::request(RequestCode::GET_NAMESRV_CONFIG)).await;
    assert!(String::from_utf8_lossy(&text.body).contains("enableTopicList=false\n"));

    let forbidden = client.call(update("kvConfigPath=/tmp/elsewhere\n")).await;
    assert_eq!(code(&forbidden), ResponseCode::NO_PERMISSION);
    let wrong = client.call(update("enableTopicList=perhaps\n")).await;
    assert_eq!(code(&wrong), ResponseCode::INVALID_PARAMETER);
    assert!(wrong.remark.unwrap().contains("must be true or false"));
}

#[tokio::test]
async fn brokers_of_other_zones_are_left_out_on_request() {
    let (server, _) = server().await;
    let mut broker = Peer::dial(server.address()).await;
    let mut command = registration("broker-a", "127.0.0.1:10911", &["T", "U"]);
    command.ext.push("__ZONE_NAME", "east");
    broker.call(command).await;
    let ask = |zone| {
        let fields = [("topic", "T"), ("__ZONE_MODE", "true"), ("__ZONE_NAME", zone)];
        request(RequestCode::GET_ROUTEINFO_BY_TOPIC, &fields)
    };
    let east = broker.call(ask("EAST")).await;
    assert!(String::from_utf8_lossy(&east.body).contains("broker-a"));
    let west = broker.call(ask("west")).await;
    assert!(!String::from_utf8_lossy(&west.body).contains("broker-a"));
}

#[tokio::test]
async fn a_server_that_waits_for_brokers_says_so() {
    let mut config = NamesrvConfig::ephemeral();
    config.live.need_wait_for_service = true;
    let (server, clock) = start(config).await;
    let (_broker, mut client) = registered(&server).await;
    let ask = || request(RequestCode::GET_ROUTEINFO_BY_TOPIC, &[("topic", "T")]);
    assert_eq!(code(&client.call(ask()).await), ResponseCode::SYSTEM_ERROR);
    clock.advance(Duration::from_secs(45));
    assert_eq!(code(&client.call(ask()).await), ResponseCode::SUCCESS);
}

#[tokio::test]
async fn shutting_down_hangs_up_and_frees_the_port() {
    let (server, _) = server().await;
    let (mut broker, _client) = registered(&server).await;
    within(server.shutdown()).await;
    assert!(broker.is_hung_up().await);
    let mut config = NamesrvConfig::ephemeral();
    config.network.listen_port = server.address().port();
    start(config).await;
}
