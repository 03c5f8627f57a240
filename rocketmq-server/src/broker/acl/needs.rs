//! What a request needs: on which topics, groups and cluster it acts, and how. The codes and fields are those of 5.4.0;
//! what Apache forgot there (batches, settings, groups made or changed, lite pulls) is held to the same rules as its like.

use rocketmq_remoting::body::{
    BatchAckBody, HeartbeatData, LockBatchBody, SubscriptionGroupConfig, SubscriptionGroupList,
    TopicConfigList,
};
use rocketmq_remoting::code::RequestCode as Code;
use rocketmq_remoting::message::OffsetMessageId;
use rocketmq_remoting::{Command, fastjson};
use serde::de::DeserializeOwned;

use crate::broker::names::{group_of_retry, is_retry};

/// What can be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Cluster,
    Topic,
    Group,
}

/// How it can be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    All,
    Pub,
    Sub,
    Create,
    Update,
    Delete,
    Get,
    List,
}

/// One of `actions` must be allowed on this resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub kind: Kind,
    pub name: String,
    pub actions: &'static [Action],
}

type Actions = &'static [Action];
/// Of the header, with what they name.
type Fields = &'static [(Kind, &'static str)];

const PUB: &[Action] = &[Action::Pub];
const SUB: &[Action] = &[Action::Sub];
const GET: &[Action] = &[Action::Get];
const CREATE: &[Action] = &[Action::Create];
const UPDATE: &[Action] = &[Action::Update];
const DELETE: &[Action] = &[Action::Delete];
const SUB_OR_GET: &[Action] = &[Action::Sub, Action::Get];
const SUB_OR_UPDATE: &[Action] = &[Action::Sub, Action::Update];

/// Behind the name of the cluster.
const REPLY_TOPIC: &str = "_REPLY_TOPIC";

const TOPIC: &[(Kind, &str)] = &[(Kind::Topic, "topic")];
const GROUP: &[(Kind, &str)] = &[(Kind::Group, "group")];
const CONSUMER_GROUP: &[(Kind, &str)] = &[(Kind::Group, "consumerGroup")];
const TOPIC_AND_GROUP: &[(Kind, &str)] = &[(Kind::Topic, "topic"), (Kind::Group, "group")];
const TOPIC_AND_CONSUMER_GROUP: &[(Kind, &str)] = &[(Kind::Topic, "topic"), (Kind::Group, "consumerGroup")];

impl Need {
    fn new(kind: Kind, name: &str, actions: &'static [Action]) -> Self {
        Self { kind, name: name.to_owned(), actions }
    }

    /// A retry topic belongs to its group.
    fn topic(name: &str, actions: &'static [Action]) -> Self {
        match group_of_retry(name) {
            Some(group) => Self::new(Kind::Group, group, actions),
            None => Self::new(Kind::Topic, name, actions),
        }
    }

    fn group(name: &str, actions: &'static [Action]) -> Self {
        Self::new(Kind::Group, group_of_retry(name).unwrap_or(name), actions)
    }

    /// Whether only administrators do such a thing under the rules of 4.x, which know nothing but sending and receiving.
    pub fn administers(&self) -> bool {
        let changes = [Action::Create, Action::Update, Action::Delete];
        self.actions.iter().all(|action| changes.contains(action))
    }
}

/// Where stored messages belong: the topic of the one at a log offset, if one begins there.
pub trait Owners {
    fn topic_at(&self, offset: i64) -> Option<String>;
}

/// What `command` needs; nothing for what every user may ask, `None` for a request nobody thought of here. A stored message
/// is judged by whose it is, whatever topic the request names.
///
/// # Errors
/// What names the resources cannot be read, or there is no such message.
pub fn needs(command: &Command, cluster: &str, owners: &impl Owners) -> Result<Option<Vec<Need>>, String> {
    let Some(mut needs) = by_request(command, cluster)? else { return Ok(None) };
    if let Some((actions, offset)) = stored(command)? {
        let topic = owners.topic_at(offset).ok_or_else(|| format!("no message at offset {offset}"))?;
        needs.push(Need::topic(&topic, actions));
    }
    Ok(Some(needs))
}

/// The stored message that a request is about, and what is done with it.
fn stored(command: &Command) -> Result<Option<(Actions, i64)>, String> {
    let (actions, field) = match command.request_code() {
        Code::END_TRANSACTION => (PUB, "commitLogOffset"),
        Code::CONSUMER_SEND_MSG_BACK => (SUB, "offset"),
        Code::VIEW_MESSAGE_BY_ID => (SUB_OR_GET, "offset"),
        Code::CONSUME_MESSAGE_DIRECTLY => (SUB, "msgId"),
        Code::RESUME_CHECK_HALF_MESSAGE => (UPDATE, "msgId"),
        _ => return Ok(None),
    };
    let text = command.ext.get(field).unwrap_or_default();
    let offset = match field {
        "msgId" => text.parse::<OffsetMessageId>().ok().map(|id| id.offset),
        _ => text.parse().ok(),
    };
    offset
        .map(|offset| Some((actions, offset)))
        .ok_or_else(|| format!("`{field}` is \"{text}\", which names no message"))
}

fn by_request(command: &Command, cluster: &str) -> Result<Option<Vec<Need>>, String> {
    let code = command.request_code();
    if let Some((actions, fields)) = by_header(code) {
        return Ok(Some(named(command, actions, fields)));
    }
    if let Some(actions) = by_cluster(code) {
        return Ok(Some(vec![Need::new(Kind::Cluster, cluster, actions)]));
    }
    if is_open(code) {
        return Ok(Some(Vec::new()));
    }
    by_content(command, cluster)
}

/// Requests that take more than a look at a field or two.
fn by_content(command: &Command, cluster: &str) -> Result<Option<Vec<Need>>, String> {
    Ok(Some(match command.request_code() {
        Code::SEND_MESSAGE => sending(command, "topic"),
        Code::SEND_MESSAGE_V2 | Code::SEND_BATCH_MESSAGE => sending(command, "b"),
        Code::SEND_REPLY_MESSAGE => replying(command, "topic", cluster),
        Code::SEND_REPLY_MESSAGE_V2 => replying(command, "b", cluster),
        // What they need is said by the stored message alone.
        Code::END_TRANSACTION | Code::VIEW_MESSAGE_BY_ID | Code::RESUME_CHECK_HALF_MESSAGE => Vec::new(),
        Code::HEART_BEAT => heartbeat(&body(command)?),
        Code::LOCK_BATCH_MQ | Code::UNLOCK_BATCH_MQ => locking(&body(command)?),
        Code::BATCH_ACK_MESSAGE => acknowledging(&body(command)?),
        Code::UPDATE_AND_CREATE_TOPIC_LIST => {
            let topics = body::<TopicConfigList>(command)?.topic_config_list;
            topics.iter().map(|topic| Need::topic(&topic.topic_name, CREATE)).collect()
        }
        Code::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP => {
            vec![Need::group(&body::<SubscriptionGroupConfig>(command)?.group_name, CREATE)]
        }
        Code::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST => {
            let groups = body::<SubscriptionGroupList>(command)?.group_config_list;
            groups.iter().map(|group| Need::group(&group.group_name, CREATE)).collect()
        }
        _ => return Ok(None),
    }))
}

/// Requests that every user may make: they tell names and figures and change nothing, or are about what this broker does
/// not have. Apache has no rule for them either.
fn is_open(code: Code) -> bool {
    matches!(
        code,
        Code::CHECK_CLIENT_CONFIG
            | Code::QUERY_ASSIGNMENT
            | Code::GET_ALL_CONSUMER_OFFSET
            | Code::GET_ALL_DELAY_OFFSET
            | Code::GET_ALL_MESSAGE_REQUEST_MODE
            | Code::GET_ALL_TOPIC_CONFIG
            | Code::GET_ALL_SUBSCRIPTIONGROUP_CONFIG
            | Code::GET_SYSTEM_TOPIC_LIST_FROM_BROKER
            | Code::GET_BROKER_RUNTIME_INFO
            | Code::GET_BROKER_HA_STATUS
            | Code::GET_BROKER_CLUSTER_ACL_INFO
            | Code::GET_BROKER_EPOCH_CACHE
            | Code::GET_COLD_DATA_FLOW_CTR_INFO
            | Code::UPDATE_COLD_DATA_FLOW_CTR_CONFIG
            | Code::REMOVE_COLD_DATA_FLOW_CTR_CONFIG
            | Code::SET_COMMITLOG_READ_MODE
            | Code::RESET_MASTER_FLUSH_OFFSET
            | Code::CHECK_ROCKSDB_CQ_WRITE_PROGRESS
            | Code::POP_ROLLBACK
    )
}

/// Requests whose header names what they act on.
fn by_header(code: Code) -> Option<(Actions, Fields)> {
    Some(match code {
        Code::RECALL_MESSAGE => (PUB, TOPIC),
        Code::CONSUMER_SEND_MSG_BACK => (SUB, GROUP),
        Code::UNREGISTER_CLIENT => (SUB, CONSUMER_GROUP),
        Code::GET_CONSUMER_LIST_BY_GROUP => (SUB_OR_GET, CONSUMER_GROUP),
        Code::QUERY_MESSAGE => (SUB_OR_GET, TOPIC),
        Code::QUERY_CONSUMER_OFFSET => (SUB_OR_GET, TOPIC_AND_CONSUMER_GROUP),
        Code::UPDATE_CONSUMER_OFFSET => (SUB_OR_UPDATE, TOPIC_AND_CONSUMER_GROUP),
        Code::PULL_MESSAGE
        | Code::LITE_PULL_MESSAGE
        | Code::POP_MESSAGE
        | Code::ACK_MESSAGE
        | Code::PEEK_MESSAGE
        | Code::CHANGE_MESSAGE_INVISIBLETIME
        | Code::NOTIFICATION => (SUB, TOPIC_AND_CONSUMER_GROUP),
        Code::CONSUME_MESSAGE_DIRECTLY => (SUB, CONSUMER_GROUP),
        Code::GET_MAX_OFFSET
        | Code::GET_MIN_OFFSET
        | Code::GET_EARLIEST_MSG_STORETIME
        | Code::SEARCH_OFFSET_BY_TIMESTAMP
        | Code::GET_TOPIC_CONFIG
        | Code::GET_TOPIC_STATS_INFO
        | Code::QUERY_TOPIC_CONSUME_BY_WHO => (GET, TOPIC),
        Code::GET_CONSUMER_RUNNING_INFO | Code::GET_CONSUMER_CONNECTION_LIST => (GET, CONSUMER_GROUP),
        Code::GET_SUBSCRIPTIONGROUP_CONFIG | Code::QUERY_TOPICS_BY_CONSUMER => (GET, GROUP),
        Code::POLLING_INFO | Code::QUERY_CONSUME_QUEUE => (GET, TOPIC_AND_CONSUMER_GROUP),
        Code::INVOKE_BROKER_TO_GET_CONSUMER_STATUS
        | Code::QUERY_CONSUME_TIME_SPAN
        | Code::QUERY_SUBSCRIPTION_BY_CONSUMER => (GET, TOPIC_AND_GROUP),
        Code::GET_CONSUME_STATS => {
            (GET, &[(Kind::Group, "consumerGroup"), (Kind::Topic, "topic"), (Kind::Topic, "topicList")])
        }
        Code::QUERY_CORRECTION_OFFSET => {
            (GET, &[(Kind::Group, "filterGroups"), (Kind::Group, "compareGroup"), (Kind::Topic, "topic")])
        }
        Code::UPDATE_AND_CREATE_TOPIC | Code::UPDATE_AND_CREATE_STATIC_TOPIC => (CREATE, TOPIC),
        Code::DELETE_TOPIC_IN_BROKER => (DELETE, TOPIC),
        Code::DELETE_SUBSCRIPTIONGROUP => (DELETE, &[(Kind::Group, "groupName")]),
        Code::INVOKE_BROKER_TO_RESET_OFFSET | Code::UPDATE_AND_GET_GROUP_FORBIDDEN => {
            (UPDATE, TOPIC_AND_GROUP)
        }
        Code::CLONE_GROUP_OFFSET => (UPDATE, &[(Kind::Group, "destGroup"), (Kind::Topic, "topic")]),
        _ => return None,
    })
}

/// Requests that concern the broker as a whole.
fn by_cluster(code: Code) -> Option<&'static [Action]> {
    Some(match code {
        Code::UPDATE_BROKER_CONFIG
        | Code::CLEAN_EXPIRED_CONSUMEQUEUE
        | Code::CLEAN_UNUSED_TOPIC
        | Code::DELETE_EXPIRED_COMMITLOG
        | Code::SET_MESSAGE_REQUEST_MODE
        | Code::SWITCH_TIMER_ENGINE
        | Code::AUTH_CREATE_USER
        | Code::AUTH_UPDATE_USER
        | Code::AUTH_DELETE_USER
        | Code::AUTH_CREATE_ACL
        | Code::AUTH_UPDATE_ACL
        | Code::AUTH_DELETE_ACL
        | Code::UPDATE_AND_CREATE_ACL_CONFIG
        | Code::DELETE_ACL_CONFIG
        | Code::UPDATE_GLOBAL_WHITE_ADDRS_CONFIG
        // Its answer holds every secret key.
        | Code::GET_BROKER_CLUSTER_ACL_CONFIG => UPDATE,
        Code::GET_BROKER_CONFIG
        | Code::GET_ALL_PRODUCER_INFO
        | Code::GET_PRODUCER_CONNECTION_LIST
        | Code::GET_BROKER_CONSUME_STATS
        | Code::VIEW_BROKER_STATS_DATA
        | Code::AUTH_GET_USER
        | Code::AUTH_LIST_USER
        | Code::AUTH_GET_ACL
        | Code::AUTH_LIST_ACL => GET,
        _ => return None,
    })
}

/// The resources that the fields name; some fields hold several.
fn named(command: &Command, actions: &'static [Action], fields: &[(Kind, &str)]) -> Vec<Need> {
    let values = fields.iter().flat_map(|(kind, field)| {
        let value = command.ext.get(field).unwrap_or_default();
        value.split([',', ';']).filter(|name| !name.trim().is_empty()).map(move |name| (*kind, name))
    });
    values
        .map(|(kind, name)| match kind {
            Kind::Topic => Need::topic(name, actions),
            _ => Need::group(name, actions),
        })
        .collect()
}

/// A consumer that sends to its retry topic gives a message back. The topic says whose it is: the sender names the group of
/// its producer.
fn sending(command: &Command, topic: &str) -> Vec<Need> {
    let topic = command.ext.get(topic).unwrap_or_default();
    vec![Need::topic(topic, if is_retry(topic) { SUB } else { PUB })]
}

/// Whoever was asked may answer; a reply to any other topic is a send.
fn replying(command: &Command, topic: &str, cluster: &str) -> Vec<Need> {
    let to = command.ext.get(topic).unwrap_or_default();
    if to.strip_suffix(REPLY_TOPIC).is_some_and(|of| of == cluster) {
        Vec::new()
    } else {
        sending(command, topic)
    }
}

fn heartbeat(data: &HeartbeatData) -> Vec<Need> {
    let mut needs = Vec::new();
    for consumer in &data.consumer_data_set {
        needs.push(Need::group(&consumer.group_name, SUB));
        let topics =
            consumer.subscription_data_set.iter().filter(|subscription| !is_retry(&subscription.topic));
        needs.extend(topics.map(|subscription| Need::topic(&subscription.topic, SUB)));
    }
    needs
}

fn locking(body: &LockBatchBody) -> Vec<Need> {
    let topics = body.mq_set.iter().filter(|queue| !is_retry(&queue.topic));
    let mut needs = vec![Need::group(&body.consumer_group, SUB)];
    needs.extend(topics.map(|queue| Need::topic(&queue.topic, SUB)));
    needs.dedup();
    needs
}

fn acknowledging(body: &BatchAckBody) -> Vec<Need> {
    let pairs = body
        .acks
        .iter()
        .flat_map(|ack| [Need::group(&ack.consumer_group, SUB), Need::topic(&ack.topic, SUB)]);
    pairs.collect()
}

fn body<B: DeserializeOwned>(command: &Command) -> Result<B, String> {
    fastjson::from_slice(&command.body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One message, at offset 5.
    struct Log;

    impl Owners for Log {
        fn topic_at(&self, offset: i64) -> Option<String> {
            (offset == 5).then(|| "theirs".to_owned())
        }
    }

    fn of(code: Code, fields: &[(&str, &str)]) -> Vec<String> {
        let mut command = Command::request(code);
        fields.iter().for_each(|(name, value)| command.ext.push(name, value));
        needs(&command, "C", &Log)
            .unwrap()
            .expect("a rule")
            .iter()
            .map(|need| format!("{:?}:{} {:?}", need.kind, need.name, need.actions))
            .collect()
    }

    #[test]
    fn a_send_needs_its_topic_and_a_send_back_its_group() {
        assert_eq!(of(Code::SEND_MESSAGE, &[("topic", "t"), ("group", "g")]), ["Topic:t [Pub]"]);
        assert_eq!(of(Code::SEND_BATCH_MESSAGE, &[("b", "t"), ("a", "g")]), ["Topic:t [Pub]"]);
        assert_eq!(of(Code::SEND_MESSAGE_V2, &[("b", "%RETRY%g"), ("a", "h")]), ["Group:g [Sub]"]);
        assert_eq!(of(Code::SEND_MESSAGE_V2, &[("b", "%RETRY%g")]), ["Group:g [Sub]"]);
    }

    #[test]
    fn a_reply_is_free_where_replies_go_and_a_send_elsewhere() {
        assert!(of(Code::SEND_REPLY_MESSAGE_V2, &[("b", "C_REPLY_TOPIC"), ("a", "g")]).is_empty());
        assert_eq!(of(Code::SEND_REPLY_MESSAGE_V2, &[("b", "t"), ("a", "g")]), ["Topic:t [Pub]"]);
        assert_eq!(
            of(Code::SEND_REPLY_MESSAGE, &[("topic", "D_REPLY_TOPIC")]),
            ["Topic:D_REPLY_TOPIC [Pub]"]
        );
    }

    #[test]
    fn a_stored_message_is_its_topics_whatever_the_request_says() {
        let id = OffsetMessageId { host: "127.0.0.1:1".parse().unwrap(), offset: 5 }.to_string();
        let (mine, at) = (("topic", "mine"), ("offset", "5"));
        assert_eq!(of(Code::VIEW_MESSAGE_BY_ID, &[mine, at]), ["Topic:theirs [Sub, Get]"]);
        assert_eq!(of(Code::VIEW_MESSAGE_BY_ID, &[at]), ["Topic:theirs [Sub, Get]"]);
        assert_eq!(of(Code::END_TRANSACTION, &[mine, ("commitLogOffset", "5")]), ["Topic:theirs [Pub]"]);
        let back = [("group", "g"), ("originTopic", "mine"), at];
        assert_eq!(of(Code::CONSUMER_SEND_MSG_BACK, &back), ["Group:g [Sub]", "Topic:theirs [Sub]"]);
        let direct = [("consumerGroup", "g"), mine, ("msgId", &id)];
        assert_eq!(of(Code::CONSUME_MESSAGE_DIRECTLY, &direct), ["Group:g [Sub]", "Topic:theirs [Sub]"]);
        assert_eq!(of(Code::RESUME_CHECK_HALF_MESSAGE, &[mine, ("msgId", &id)]), ["Topic:theirs [Update]"]);
    }

    #[test]
    fn a_message_that_is_not_there_is_nobodys_to_ask_about() {
        let told = |offset: &str| {
            let mut command = Command::request(Code::VIEW_MESSAGE_BY_ID);
            command.ext.push("offset", offset);
            needs(&command, "C", &Log).unwrap_err()
        };
        assert_eq!(told("6"), "no message at offset 6");
        assert_eq!(told("x"), "`offset` is \"x\", which names no message");
    }

    #[test]
    fn receiving_needs_topic_and_group_and_a_retry_topic_is_its_group() {
        let pull = [("topic", "t"), ("consumerGroup", "g")];
        assert_eq!(of(Code::PULL_MESSAGE, &pull), ["Topic:t [Sub]", "Group:g [Sub]"]);
        assert_eq!(of(Code::LITE_PULL_MESSAGE, &pull), of(Code::PULL_MESSAGE, &pull));
        let retry = [("topic", "%RETRY%g"), ("consumerGroup", "g")];
        assert_eq!(of(Code::POP_MESSAGE, &retry), ["Group:g [Sub]", "Group:g [Sub]"]);
    }

    #[test]
    fn a_field_can_name_several_and_an_absent_one_none() {
        let stats = [("consumerGroup", "g"), ("topicList", "t1;t2")];
        assert_eq!(
            of(Code::GET_CONSUME_STATS, &stats),
            ["Group:g [Get]", "Topic:t1 [Get]", "Topic:t2 [Get]"]
        );
        assert!(of(Code::GET_BROKER_RUNTIME_INFO, &[]).is_empty());
    }

    #[test]
    fn what_concerns_the_broker_is_the_clusters() {
        assert_eq!(of(Code::UPDATE_BROKER_CONFIG, &[]), ["Cluster:C [Update]"]);
        assert_eq!(of(Code::AUTH_LIST_USER, &[]), ["Cluster:C [Get]"]);
    }

    #[test]
    fn bodies_name_resources_too() {
        let body = r#"{"clientID":"c","consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"topic":"t"},{"topic":"%RETRY%g"}]}],"producerDataSet":[{"groupName":"p"}]}"#;
        let beat = Command::request(Code::HEART_BEAT).with_body(body);
        let names: Vec<_> = needs(&beat, "C", &Log)
            .unwrap()
            .expect("a rule")
            .into_iter()
            .map(|need| (need.kind, need.name))
            .collect();
        assert_eq!(names, [(Kind::Group, "g".to_owned()), (Kind::Topic, "t".to_owned())]);
        assert!(needs(&Command::request(Code::HEART_BEAT).with_body("{"), "C", &Log).is_err());
    }
}
