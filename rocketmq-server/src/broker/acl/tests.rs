//! Access control as clients of a broker meet it.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_remoting::body::{AclInfo, PlainAclConfig, PolicyEntryInfo, PolicyInfo, UserInfo};
use rocketmq_remoting::message::{MessageRecord, OffsetMessageId};
use rocketmq_remoting::net::Answer;
use rocketmq_remoting::requests::admin::{
    CreateAclRequest, CreateUserRequest, DeleteAclRequest, DeletePlainAclRequest, DeleteUserRequest,
    GetAclRequest, GetPlainAclConfigRequest, GetPlainAclVersionRequest, GetUserRequest, ListAclRequest,
    ListUserRequest, PlainAclVersionResponse, UpdatePlainAclRequest, UpdateUserRequest,
};
use rocketmq_remoting::requests::broker::GetBrokerRuntimeInfoRequest;
use rocketmq_remoting::{Command, Header, Request, RequestCode, ResponseCode, fastjson, signature};
use serde::Serialize;

use crate::broker::names::HALF_TOPIC;
use crate::broker::tests::rig::{Client, Rig, far_address};
use crate::broker::{AclError, AclSettings, Broker, BrokerError, FixedConfig, Login, Settings};
use crate::clock::Manual;

const SECRET: &str = "12345678";
const ADMIN: &str = "admin-key";
const USER: &str = "user-key";

const FILE: &str = "globalWhiteRemoteAddresses: []\naccounts:\n- accessKey: admin-key\n  secretKey: 12345678\n  admin: true\n\
    - accessKey: user-key\n  secretKey: 12345678\n  defaultTopicPerm: DENY\n  defaultGroupPerm: SUB\n  topicPerms: [t=PUB|SUB]\n";

/// Sends a request signed by `user` and returns code and remark of the answer.
async fn said(client: &Client, user: &str, mut command: Command) -> (i32, String) {
    signature::sign(&mut command, user, SECRET, None);
    let answer = client.call(command).await;
    (answer.code, answer.remark.unwrap_or_default())
}

async fn answer(client: &Client, user: &str, mut command: Command) -> Command {
    signature::sign(&mut command, user, SECRET, None);
    let answer = client.call(command).await;
    assert_eq!(answer.response_code(), ResponseCode::SUCCESS, "{:?}", answer.remark);
    answer
}

fn with_body(header: &impl Request, body: &impl Serialize) -> Command {
    header.to_command().unwrap().with_body(fastjson::to_vec(body).unwrap())
}

fn send(client: &Client, topic: &str) -> Command {
    client.send_request(topic, &[]).to_command().unwrap().with_body("42")
}

fn with_fields(code: RequestCode, fields: &[(&str, &str)]) -> Command {
    let mut command = Command::request(code);
    fields.iter().for_each(|(name, value)| command.ext.push(name, value));
    command
}

/// Lets the administrator send a message and returns its id, which holds its log offset.
async fn stored(client: &Client, send: Command) -> String {
    let sent = answer(client, ADMIN, send).await;
    let id: OffsetMessageId = sent.ext.get("msgId").unwrap().parse().unwrap();
    id.offset.to_string()
}

fn ok() -> (i32, String) {
    (0, String::new())
}

mod files {
    use super::*;

    async fn rig() -> Rig {
        Rig::with(|settings| {
            fs::create_dir_all(settings.fixed.store.root.join("conf")).unwrap();
            fs::write(settings.fixed.store.root.join("conf/plain_acl.yml"), FILE).unwrap();
            settings.fixed.acl.plain = true;
        })
        .await
    }

    fn exception(text: &str) -> (i32, String) {
        (1, format!("org.apache.rocketmq.acl.common.AclException: {text}"))
    }

    #[tokio::test]
    async fn a_request_is_checked_before_anything_else() {
        let rig = rig().await;
        let client = rig.connect();
        assert_eq!(said(&client, USER, send(&client, "t")).await, ok());
        let told = said(&client, USER, send(&client, "other")).await;
        assert_eq!(told, exception("No default permission for topic:other"));
        assert!(rig.broker.domains.topics.topics.get("other").is_none(), "nothing has been done");
        let unsigned = client.call(send(&client, "t")).await;
        assert_eq!((unsigned.code, unsigned.remark.unwrap()), exception("No accessKey is configured"));
        let silent = client.call(GetBrokerRuntimeInfoRequest {}.to_command().unwrap()).await;
        assert_eq!(silent.code, 1, "looking needs a key too");
        assert_eq!(said(&client, USER, GetBrokerRuntimeInfoRequest {}.to_command().unwrap()).await, ok());
    }

    #[tokio::test]
    async fn a_message_is_shown_to_those_who_may_receive_it() {
        let rig = rig().await;
        let client = rig.connect();
        for (topic, told) in [("t", ok()), ("other", exception("No default permission for topic:other"))] {
            let offset = stored(&client, send(&client, topic)).await;
            let view = with_fields(RequestCode::VIEW_MESSAGE_BY_ID, &[("topic", "t"), ("offset", &offset)]);
            assert_eq!(said(&client, USER, view).await, told);
        }
    }

    #[tokio::test]
    async fn who_does_not_sign_does_not_learn_which_offsets_exist() {
        let rig = rig().await;
        let client = rig.connect();
        let there = stored(&client, send(&client, "t")).await;
        for offset in [&*there, "7"] {
            let mut forged = with_fields(RequestCode::VIEW_MESSAGE_BY_ID, &[("offset", offset)]);
            let unsigned = client.call(forged.clone()).await;
            assert_eq!((unsigned.code, unsigned.remark.unwrap()), exception("No accessKey is configured"));
            signature::sign(&mut forged, USER, "wrong", None);
            let told = client.call(forged).await.remark.unwrap();
            assert_eq!((1, told), exception("Check signature failed for accessKey=user-key"));
        }
    }

    #[tokio::test]
    async fn a_changed_file_counts_and_a_broken_one_does_not() {
        let rig = rig().await;
        let (client, path) = (rig.connect(), rig.path().join("conf/plain_acl.yml"));
        fs::write(&path, FILE.replace("t=PUB|SUB", "u=PUB")).unwrap();
        rig.advance(Duration::from_secs(6));
        while said(&client, USER, send(&client, "u")).await != ok() {
            rig.advance(Duration::from_secs(6));
        }
        assert_eq!(
            said(&client, USER, send(&client, "t")).await,
            exception("No default permission for topic:t")
        );
        fs::write(&path, "accounts: [").unwrap();
        rig.broker.domains.acl.reload();
        assert_eq!(said(&client, USER, send(&client, "u")).await, ok(), "the rules before stay");
    }

    #[tokio::test]
    async fn administrators_change_the_file() {
        let rig = rig().await;
        let client = rig.connect();
        let change = UpdatePlainAclRequest {
            access_key: "third-key".into(),
            secret_key: Some(SECRET.into()),
            topic_perms: Some("t=SUB,u=PUB".into()),
            ..UpdatePlainAclRequest::default()
        };
        let told = said(&client, USER, change.to_command().unwrap()).await;
        assert_eq!(
            told,
            exception("Need admin permission for request code=50, but accessKey=user-key is not")
        );
        answer(&client, ADMIN, change.to_command().unwrap()).await;
        assert_eq!(said(&client, "third-key", send(&client, "u")).await, ok());
        let shown = answer(&client, ADMIN, GetPlainAclConfigRequest {}.to_command().unwrap()).await;
        let shown: PlainAclConfig = fastjson::from_slice(&shown.body).unwrap();
        assert_eq!(shown.plain_access_configs[2].topic_perms, ["t=SUB", "u=PUB"]);
        let version = answer(&client, USER, GetPlainAclVersionRequest {}.to_command().unwrap()).await;
        let version: PlainAclVersionResponse = PlainAclVersionResponse::from_fields(&version.ext).unwrap();
        assert!(version.version.unwrap().contains("\"counter\":1"));
        let bad = UpdatePlainAclRequest { topic_perms: Some("t=READ".into()), ..change };
        assert_eq!(said(&client, ADMIN, bad.to_command().unwrap()).await.0, 209);
        let gone = DeletePlainAclRequest { access_key: "third-key".into() };
        answer(&client, ADMIN, gone.to_command().unwrap()).await;
        assert_eq!(said(&client, ADMIN, gone.to_command().unwrap()).await.0, 210);
        assert_eq!(
            said(&client, "third-key", send(&client, "u")).await,
            exception("No acl config for third-key")
        );
    }
}

mod users {
    use super::*;

    async fn rig() -> Rig {
        Rig::with(|settings| {
            settings.fixed.acl = AclSettings {
                authentication: true,
                authorization: true,
                authentication_whitelist: vec![RequestCode::GET_BROKER_RUNTIME_INFO.0],
                first_user: Some(Login { user: ADMIN.into(), password: SECRET.into() }),
                ..AclSettings::default()
            };
        })
        .await
    }

    async fn create(client: &Client, by: &str, name: &str, user_type: &str) -> (i32, String) {
        let info = UserInfo {
            password: Some(SECRET.into()),
            user_type: Some(user_type.into()),
            ..UserInfo::default()
        };
        said(client, by, with_body(&CreateUserRequest { username: name.into() }, &info)).await
    }

    async fn permit(client: &Client, resource: &str, actions: &[&str], decision: &str) -> (i32, String) {
        let entry = PolicyEntryInfo {
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            decision: Some(decision.into()),
            resource: Some(resource.into()),
            source_ips: None,
        };
        let info =
            AclInfo { policies: vec![PolicyInfo { entries: vec![entry], policy_type: None }], subject: None };
        let header = CreateAclRequest { subject: format!("User:{USER}") };
        said(client, ADMIN, with_body(&header, &info)).await
    }

    #[tokio::test]
    async fn who_is_not_known_or_does_not_sign_is_refused() {
        let rig = rig().await;
        let client = rig.connect();
        create(&client, ADMIN, USER, "Normal").await;
        let unsigned = client.call(send(&client, "t")).await;
        assert_eq!((unsigned.code, unsigned.remark.as_deref()), (16, Some("username cannot be null.")));
        assert_eq!(
            said(&client, "nobody", send(&client, "t")).await,
            (16, "User:nobody is not found.".into())
        );
        let mut forged = send(&client, "t");
        signature::sign(&mut forged, ADMIN, "wrong", None);
        assert_eq!(client.call(forged).await.remark.as_deref(), Some("check signature failed."));
        assert_eq!(
            client.call(GetBrokerRuntimeInfoRequest {}.to_command().unwrap()).await.code,
            0,
            "on the white list"
        );
        let off = UserInfo { user_status: Some("disable".into()), ..UserInfo::default() };
        answer(&client, ADMIN, with_body(&UpdateUserRequest { username: USER.into() }, &off)).await;
        assert_eq!(said(&client, USER, send(&client, "t")).await, (16, format!("User:{USER} is disabled.")));
    }

    /// The requests this broker has an answer for.
    async fn answered() -> Vec<RequestCode> {
        let rig = Rig::start().await;
        let (handler, client) = (rig.broker.handler(), rig.connect());
        let known = (0..1_000).chain(3_000..4_000).chain(200_000..201_000).map(RequestCode);
        let refused = |answer: Answer| match answer {
            Answer::Now(answer) => answer.response_code() == ResponseCode::REQUEST_CODE_NOT_SUPPORTED,
            _ => false,
        };
        known.filter(|code| !refused(handler.handle(&client.connection, Command::request(*code)))).collect()
    }

    #[tokio::test]
    async fn no_request_is_answered_that_no_rule_is_about() {
        let rig = rig().await;
        let client = rig.connect();
        create(&client, ADMIN, USER, "Normal").await;
        let answered = answered().await;
        assert!(answered.len() > 80, "{answered:?}");
        for code in answered {
            let (answer, why) = said(&client, USER, Command::request(code)).await;
            assert_ne!(answer, ResponseCode::REQUEST_CODE_NOT_SUPPORTED.0, "{code} is in no table: {why}");
        }
        let (answer, _) = said(&client, USER, Command::request(RequestCode(999))).await;
        assert_eq!(answer, ResponseCode::REQUEST_CODE_NOT_SUPPORTED.0);
    }

    #[tokio::test]
    async fn permissions_come_and_go_and_outlive_a_crash() {
        let rig = rig().await;
        let client = rig.connect();
        assert_eq!(create(&client, ADMIN, USER, "Normal").await, ok());
        let denied = |why: &str| {
            (16, format!("User:{USER} has no permission to access Topic:t from 127.0.0.1, {why}"))
        };
        assert_eq!(said(&client, USER, send(&client, "t")).await, denied("no matched policies."));
        assert_eq!(permit(&client, "Topic:*", &["Pub"], "Allow").await, ok());
        assert_eq!(said(&client, USER, send(&client, "t")).await, ok());
        let rig = rig.crash().await;
        let client = rig.connect();
        assert_eq!(said(&client, USER, send(&client, "t")).await, ok());
        assert_eq!(permit(&client, "Topic:t", &["Pub"], "Deny").await, ok());
        assert_eq!(said(&client, USER, send(&client, "t")).await, denied("the decision is deny."));
        let gone = DeleteAclRequest {
            subject: format!("User:{USER}"),
            policy_type: None,
            resource: Some("Topic:t".into()),
        };
        answer(&client, ADMIN, gone.to_command().unwrap()).await;
        assert_eq!(said(&client, USER, send(&client, "t")).await, ok());
        answer(&client, ADMIN, DeleteUserRequest { username: USER.into() }.to_command().unwrap()).await;
        assert_eq!(said(&client, USER, send(&client, "t")).await.1, format!("User:{USER} is not found."));
        assert_eq!(create(&client, ADMIN, USER, "Normal").await, ok());
        assert_eq!(said(&client, USER, send(&client, "t")).await, denied("no matched policies."));
    }

    #[tokio::test]
    async fn a_stored_message_is_judged_by_whose_it_is() {
        let rig = rig().await;
        let client = rig.connect();
        create(&client, ADMIN, USER, "Normal").await;
        for resource in ["Topic:mine", "Group:*"] {
            permit(&client, resource, &["All"], "Allow").await;
        }
        let offset = stored(&client, send(&client, "t")).await;
        let half = client.send_request("t", &[("TRAN_MSG", "true"), ("PGROUP", "p")]);
        let half = stored(&client, half.to_command().unwrap().with_body("42")).await;
        let requests = [
            with_fields(RequestCode::VIEW_MESSAGE_BY_ID, &[("topic", "mine"), ("offset", &offset)]),
            with_fields(
                RequestCode::CONSUMER_SEND_MSG_BACK,
                &[("group", "g"), ("originTopic", "mine"), ("offset", &offset), ("delayLevel", "0")],
            ),
            with_fields(
                RequestCode::END_TRANSACTION,
                &[
                    ("topic", "mine"),
                    ("producerGroup", "p"),
                    ("tranStateTableOffset", "0"),
                    ("commitLogOffset", &half),
                    ("commitOrRollback", "8"),
                ],
            ),
        ];
        for request in requests {
            let code = request.code;
            let (refused, why) = said(&client, USER, request).await;
            let theirs = format!("User:{USER} has no permission to access Topic:t from 127.0.0.1");
            assert!(refused == 16 && why.starts_with(&theirs), "{code}: {refused} {why}");
        }
        let looks = with_fields(RequestCode::VIEW_MESSAGE_BY_ID, &[("offset", &offset)]);
        permit(&client, "Topic:t", &["Get"], "Allow").await;
        assert_eq!(said(&client, USER, looks).await, ok(), "without naming a topic, as Java's client of 4.x");
        let nothing = with_fields(RequestCode::VIEW_MESSAGE_BY_ID, &[("offset", "7")]);
        assert_eq!(said(&client, ADMIN, nothing).await, (1, "can not find message by the offset, 7".into()));
    }

    #[tokio::test]
    async fn a_record_in_the_body_of_a_message_belongs_to_nobody() {
        let rig = rig().await;
        let client = rig.connect();
        create(&client, ADMIN, USER, "Normal").await;
        permit(&client, "Topic:mine", &["All"], "Allow").await;
        let theirs = client.send_request("t", &[("TRAN_MSG", "true"), ("PGROUP", "p")]);
        stored(&client, theirs.to_command().unwrap().with_body("42")).await;
        let (place, body) = rig.forged(MessageRecord {
            topic: HALF_TOPIC.into(),
            properties: "REAL_TOPIC\u{1}mine\u{2}REAL_QID\u{1}0\u{2}PGROUP\u{1}q\u{2}".into(),
            ..MessageRecord::default()
        });
        assert_eq!(said(&client, USER, send(&client, "mine").with_body(body)).await, ok());
        assert!(rig.broker.store().read_at(place).is_some(), "it looks like one");
        let at = place.to_string();
        let end = [
            ("producerGroup", "q"),
            ("tranStateTableOffset", "0"),
            ("commitLogOffset", &at),
            ("commitOrRollback", "12"),
        ];
        let told = said(&client, USER, with_fields(RequestCode::END_TRANSACTION, &end)).await;
        let nothing = format!("parse authorization context error. no message at offset {at}");
        assert_eq!(told, (16, nothing));
    }

    #[tokio::test]
    async fn tools_list_what_there_is() {
        let rig = rig().await;
        let client = rig.connect();
        create(&client, ADMIN, USER, "Normal").await;
        assert_eq!(create(&client, ADMIN, USER, "Normal").await, (16, "The user is existed".into()));
        permit(&client, "Topic:t", &["Pub", "Sub"], "Allow").await;
        let users =
            answer(&client, ADMIN, ListUserRequest { filter: Some("user".into()) }.to_command().unwrap())
                .await;
        assert_eq!(
            &*users.body,
            br#"[{"password":"12345678","userStatus":"enable","userType":"Normal","username":"user-key"}]"#
        );
        let one =
            answer(&client, ADMIN, GetUserRequest { username: "nobody".into() }.to_command().unwrap()).await;
        assert!(one.body.is_empty());
        let acl =
            answer(&client, ADMIN, GetAclRequest { subject: format!("User:{USER}") }.to_command().unwrap())
                .await;
        let text = r#"{"policies":[{"entries":[{"actions":["Pub","Sub"],"decision":"Allow","resource":"Topic:t"}],"policyType":"Custom"}],"subject":"User:user-key"}"#;
        assert_eq!(&*acl.body, text.as_bytes());
        let all = |resource: &str| ListAclRequest {
            resource_filter: Some(resource.into()),
            ..ListAclRequest::default()
        };
        let listed = answer(&client, ADMIN, all("Topic").to_command().unwrap()).await;
        assert_eq!(&*listed.body, format!("[{text}]").as_bytes());
        assert!(answer(&client, ADMIN, all("Group").to_command().unwrap()).await.body.is_empty());
    }

    #[tokio::test]
    async fn only_super_users_make_super_users_and_others_need_the_cluster() {
        let rig = rig().await;
        let client = rig.connect();
        create(&client, ADMIN, USER, "Normal").await;
        let refused = create(&client, USER, "other", "Normal").await;
        assert_eq!(
            refused,
            (
                16,
                format!(
                    "User:{USER} has no permission to access Cluster:DefaultCluster from 127.0.0.1, no matched policies."
                )
            )
        );
        permit(&client, "Cluster:*", &["Update"], "Allow").await;
        assert_eq!(create(&client, USER, "other", "Normal").await, ok());
        assert_eq!(
            create(&client, USER, "root", "Super").await,
            (1, "The super user can only be create by super user".into())
        );
        let take_over = UserInfo { password: Some("mine-now".into()), ..UserInfo::default() };
        let told =
            said(&client, USER, with_body(&UpdateUserRequest { username: ADMIN.into() }, &take_over)).await;
        assert_eq!(told, (16, "The super user can only be update by super user".into()));
    }

    #[tokio::test]
    async fn passwords_are_kept_from_other_users_of_the_machine() {
        let rig = rig().await;
        create(&rig.connect(), ADMIN, USER, "Normal").await;
        #[cfg(unix)]
        for file in ["config/users.json", "config/users.json.bak"] {
            let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(rig.path().join(file)).unwrap());
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        assert!(!format!("{:?}", rig.broker).contains(SECRET));
    }
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = |acl: AclSettings| {
        let mut settings = Settings::new(folder.path());
        settings.fixed.acl = acl;
        match Broker::start(settings, far_address(), Arc::new(FixedConfig), Arc::new(Manual::new(0))) {
            Err(BrokerError::Acl(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let on = AclSettings { authentication: true, ..AclSettings::default() };
    assert!(matches!(start(on.clone()), AclError::NoUsers));
    assert!(matches!(start(AclSettings { plain: true, ..on }), AclError::Both));
    assert!(matches!(
        start(AclSettings { authorization: true, ..AclSettings::default() }),
        AclError::NoAuthentication
    ));
    let missing = start(AclSettings { plain: true, ..AclSettings::default() }).to_string();
    assert!(missing.contains("plain_acl.yml") && missing.contains("rocketmqHome"), "{missing}");
}
