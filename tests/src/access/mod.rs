//! Tests access control from outside: with the users of `tests/interop/acl`, on a broker that keeps rules in files or
//! users of its own.

mod app;
mod clusters;

use std::sync::Arc;

use rocketmq_client::remoting::body::{AclInfo, PolicyEntryInfo, PolicyInfo, UserInfo};
use rocketmq_client::remoting::requests::admin::{CreateAclRequest, CreateUserRequest};
use rocketmq_client::remoting::requests::topic::UpdateTopicRequest;
use rocketmq_client::remoting::{Command, Request, ResponseCode, fastjson};
use rocketmq_client::{
    CallErrorKind, Client, Credentials, FromWhere, Message, Offset, Producer, SendError, SendErrorKind,
};
use rocketmq_server::Embedded;
use tempfile::TempDir;

pub use app::{a_listener_that_is_refused_is_not_ready, an_application_signs};
pub use clusters::an_application_works_on_two_clusters_at_once;

use crate::{Inbox, PATIENCE, TestResult, eventually, unique_group};

/// Credentials of the administrator, who may do everything.
pub const ADMIN: (&str, &str) = ("rocketmq-admin", "12345678-admin");
/// Credentials of the user. He may send to `acl-open` and `acl-pub`, and receive from `acl-open` and `acl-sub` with
/// every group but `acl-denied`.
pub const USER: (&str, &str) = ("rocketmq-user", "12345678-user");

const TOPICS: [&str; 3] = ["acl-open", "acl-pub", "acl-sub"];

/// Selects the kind of access control of a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// Rules in `plain_acl.yml`, as in 4.x.
    Files,
    /// Users and permissions, as in 5.x.
    Users,
}

/// Starts this project's broker with access control. The folder holds its rules.
pub async fn embedded(rules: Rules) -> TestResult<(Embedded, TempDir)> {
    let home = tempfile::tempdir()?;
    let conf = home.path().join("conf");
    std::fs::create_dir(&conf)?;
    std::fs::copy(
        concat!(env!("CARGO_MANIFEST_DIR"), "/interop/acl/plain_acl.yml"),
        conf.join("plain_acl.yml"),
    )?;
    let builder = match rules {
        Rules::Files => Embedded::builder().set("aclEnable", true).set("rocketmqHome", home.path().display()),
        Rules::Users => {
            let settings = include_str!("../../interop/acl/broker-5.4.0.conf").lines();
            let pairs = settings.filter_map(|line| line.split_once('='));
            pairs.fold(Embedded::builder(), |builder, (key, value)| builder.set(key, value))
        }
    };
    Ok((builder.start().await?, home))
}

/// Connects a client that signs as `who`.
pub async fn client(name_server: &str, who: (&str, &str)) -> TestResult<Client> {
    let credentials = Arc::new(Credentials::new(who.0, who.1));
    Ok(Client::builder(name_server).credentials(credentials).connect().await?)
}

/// Creates the topics and, on a broker with users of its own, the user.
pub async fn prepare(name_server: &str, rules: Rules) -> TestResult {
    let admin = client(name_server, ADMIN).await?;
    let broker = broker(&admin).await?;
    for topic in TOPICS {
        accepted(&admin, &broker, topic_request(topic).to_command()?).await?;
    }
    if rules == Rules::Users {
        for command in user_requests()? {
            accepted(&admin, &broker, command).await?;
        }
    }
    for topic in TOPICS {
        eventually("the route", PATIENCE, async || admin.route(topic).await.is_ok()).await;
    }
    admin.shutdown().await;
    Ok(())
}

/// The user can do everything allowed. Everything else is refused, with a kind of error that says so.
pub async fn a_user_has_his_rights_and_no_others(name_server: &str, rules: Rules) -> TestResult {
    let user = client(name_server, USER).await?;
    let producer = user.producer(unique_group()).build().await?;
    producer.send(Message::new("acl-open", "42")).await?;
    producer.send(Message::new("acl-pub", "43")).await?;
    producer.send_batch(vec![Message::new("acl-pub", "44"), Message::new("acl-pub", "45")]).await?;
    let error = refused(&producer, "acl-sub").await?;
    assert!(error.to_string().contains("acl-sub"), "{error}");
    assert_eq!(error.attempts().len(), 1, "no other try would end otherwise: {error}");
    received(&user).await?;
    kept_out(&user).await?;
    no_administration(&user, rules).await?;
    user.shutdown().await;
    Ok(())
}

/// Clients with a wrong secret, an unknown user or no user are refused.
pub async fn strangers_are_refused(name_server: &str) -> TestResult {
    for who in [(USER.0, "12345678-wrong"), ("rocketmq-nobody", USER.1)] {
        let stranger = client(name_server, who).await?;
        let producer = stranger.producer(unique_group()).build().await?;
        let error = refused(&producer, "acl-open").await?;
        assert!(!error.to_string().contains(who.1), "{error}");
        stranger.shutdown().await;
    }
    let nobody = rocketmq_client::connect(name_server).await?;
    refused(&nobody.producer(unique_group()).build().await?, "acl-open").await?;
    nobody.shutdown().await;
    let temporary = Credentials::new(USER.0, USER.1).with_security_token("a-token");
    let temporary = Client::builder(name_server).credentials(Arc::new(temporary)).connect().await?;
    let producer = temporary.producer(unique_group()).build().await?;
    producer.send(Message::new("acl-pub", "46")).await?;
    temporary.shutdown().await;
    Ok(())
}

async fn refused(producer: &Producer, topic: &str) -> TestResult<SendError> {
    match producer.send(Message::new(topic, "42")).await {
        Ok(receipt) => Err(format!("{topic} took {receipt:?}").into()),
        Err(error) => {
            assert_eq!((error.kind(), error.is_retryable()), (SendErrorKind::NotPermitted, false), "{error}");
            Ok(error)
        }
    }
}

async fn received(user: &Client) -> TestResult {
    let inbox = Inbox::default();
    let consumer = user.push_consumer(unique_group()).subscribe("acl-open", "*");
    let consumer = consumer.from_where(FromWhere::FirstOffset).listen(inbox.accept()).await?;
    eventually("the message", PATIENCE, async || !inbox.is_empty()).await;
    consumer.shutdown().await;
    Ok(())
}

/// The user may read the topic, but not with this group.
async fn kept_out(user: &Client) -> TestResult {
    let pull = user.pull_consumer("acl-denied").build().await?;
    let queues = pull.queues("acl-open").await?;
    let queue = queues.first().ok_or("a topic without queues")?;
    let error = match pull.pull(queue, Offset::At(0)).await {
        Ok(pulled) => return Err(format!("acl-denied got {pulled:?}").into()),
        Err(error) => error,
    };
    assert_eq!(error.kind(), CallErrorKind::NotPermitted, "{error}");
    assert!(error.to_string().contains("acl-denied"), "{error}");
    Ok(())
}

async fn no_administration(user: &Client, rules: Rules) -> TestResult {
    let broker = broker(user).await?;
    let answer = user.call(&broker, topic_request("acl-new").to_command()?, PATIENCE).await?;
    let expected =
        if rules == Rules::Files { ResponseCode::SYSTEM_ERROR } else { ResponseCode::NO_PERMISSION };
    assert_eq!(answer.response_code(), expected, "{:?}", answer.remark);
    Ok(())
}

async fn broker(client: &Client) -> TestResult<String> {
    let route = client.route("TBW102").await?;
    let broker = route.broker_datas.first().and_then(|broker| broker.master()).map(str::to_owned);
    Ok(broker.ok_or("no broker has registered")?)
}

async fn accepted(client: &Client, broker: &str, command: Command) -> TestResult {
    let answer = client.call(broker, command, PATIENCE).await?;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    Ok(())
}

fn topic_request(topic: &str) -> UpdateTopicRequest {
    UpdateTopicRequest {
        topic: topic.to_owned(),
        default_topic: "TBW102".into(),
        read_queue_nums: 1,
        write_queue_nums: 1,
        perm: 6,
        topic_filter_type: "SINGLE_TAG".into(),
        topic_sys_flag: Some(0),
        ..UpdateTopicRequest::default()
    }
}

fn user_requests() -> TestResult<[Command; 2]> {
    let entry = |resource: &str, actions: &[&str], decision: &str| PolicyEntryInfo {
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        decision: Some(decision.into()),
        resource: Some(resource.into()),
        source_ips: None,
    };
    let user =
        UserInfo { password: Some(USER.1.into()), user_type: Some("Normal".into()), ..UserInfo::default() };
    let entries = vec![
        entry("Topic:acl-*", &["Get"], "Allow"),
        entry("Topic:acl-open", &["Pub", "Sub", "Get"], "Allow"),
        entry("Topic:acl-pub", &["Pub", "Get"], "Allow"),
        entry("Topic:acl-sub", &["Sub", "Get"], "Allow"),
        entry("Group:*", &["Sub", "Get"], "Allow"),
        entry("Group:acl-denied", &["All"], "Deny"),
    ];
    let policies = vec![PolicyInfo { entries, policy_type: Some("Custom".into()) }];
    let subject = format!("User:{}", USER.0);
    let create =
        CreateUserRequest { username: USER.0.into() }.to_command()?.with_body(fastjson::to_vec(&user)?);
    let acl = AclInfo { policies, subject: Some(subject.clone()) };
    let permit = CreateAclRequest { subject }.to_command()?.with_body(fastjson::to_vec(&acl)?);
    Ok([create, permit])
}
