//! The decision: who asks, from where, for what.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use rocketmq_remoting::body::PlainAccessConfig;
use rocketmq_remoting::{Command, signature};

use super::address::Addresses;
use super::permission::{Permission, name_and_word};
use crate::broker::acl::needs::{Action, Kind, Need};
use crate::broker::names::TRACE_TOPIC;

/// Shortest access key and secret key.
const MIN_KEY_LEN: usize = 7;

/// Every access key of every file.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    trusted: Vec<Addresses>,
    accounts: HashMap<String, Account>,
}

/// One access key. `Debug` does not show its secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Account {
    access_key: String,
    secret_key: String,
    trusted: Addresses,
    admin: bool,
    default_topic: Permission,
    default_group: Permission,
    topics: HashMap<String, Permission>,
    groups: HashMap<String, Permission>,
}

impl Rules {
    /// Adds addresses that need no key.
    pub(crate) fn trust(&mut self, addresses: Addresses) {
        self.trusted.push(addresses);
    }

    /// Adds a key; of two of the same name the first counts. Says whether it was new.
    pub(crate) fn add(&mut self, account: Account) -> bool {
        let new = !self.accounts.contains_key(&account.access_key);
        if new {
            self.accounts.insert(account.access_key.clone(), account);
        }
        new
    }

    pub(crate) fn len(&self) -> usize {
        self.accounts.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.trusted.is_empty()
    }

    /// Returns true if every request from this address is served.
    pub(crate) fn trusts(&self, from: IpAddr) -> bool {
        self.trusted.iter().any(|addresses| addresses.contains(from))
    }

    /// Finds the sender of a request.
    ///
    /// # Errors
    /// Nobody who is known, in Apache's words.
    pub(crate) fn identify(&self, from: IpAddr, command: &Command) -> Result<Asker, String> {
        if self.trusts(from) {
            return Ok(Asker::Trusted);
        }
        let account = self.account(command)?;
        if account.trusted.contains(from) {
            return Ok(Asker::Trusted);
        }
        if !signature::verify(command, &account.secret_key) {
            return Err(format!("Check signature failed for accessKey={}", account.access_key));
        }
        Ok(Asker::Account)
    }

    /// Judges a request of a known account. The error is the reason of the refusal, in Apache's words.
    pub(crate) fn judge(&self, command: &Command, needs: &[Need]) -> Result<(), String> {
        self.account(command)?.check(command, needs)
    }

    fn account(&self, command: &Command) -> Result<&Account, String> {
        let key = command.ext.get(signature::ACCESS_KEY).ok_or("No accessKey is configured")?;
        self.accounts.get(key).ok_or_else(|| format!("No acl config for {key}"))
    }
}

/// Finds the sender of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Somebody at an address that is served whatever it asks for.
    Trusted,
    /// The account whose key the request names and is signed with.
    Account,
}

/// The requests about users and permissions of 5.x: their answers hold passwords.
const USERS: std::ops::RangeInclusive<i32> = 3001..=3010;

impl Account {
    /// Reads an entry of a file.
    ///
    /// # Errors
    /// Names the fault, in Apache's words.
    pub(crate) fn new(config: &PlainAccessConfig) -> Result<Self, String> {
        let key = &config.access_key;
        let secret_key = config.secret_key.clone().unwrap_or_default();
        if key.chars().count() < MIN_KEY_LEN || secret_key.chars().count() < MIN_KEY_LEN {
            return Err(format!(
                "The accessKey={key} and its secretKey cannot be null and length should longer than 6"
            ));
        }
        let address = config.white_remote_address.as_deref().unwrap_or_default();
        let trusted = Addresses::parse(address).ok_or_else(|| {
            format!("Netaddress examine Exception netaddress is {address} (accessKey={key})")
        })?;
        Ok(Self {
            access_key: key.clone(),
            secret_key,
            trusted,
            admin: config.admin,
            default_topic: Permission::lenient(config.default_topic_perm.as_deref()),
            default_group: Permission::lenient(config.default_group_perm.as_deref()),
            topics: table("topic", &config.topic_perms)?,
            groups: table("group", &config.group_perms)?,
        })
    }

    fn check(&self, command: &Command, needs: &[Need]) -> Result<(), String> {
        if needs.iter().any(|need| need.name == TRACE_TOPIC && need.actions == [Action::Pub]) {
            return Ok(());
        }
        if (USERS.contains(&command.code) || needs.iter().any(Need::administers)) && !self.admin {
            let (code, key) = (command.code, &self.access_key);
            return Err(format!("Need admin permission for request code={code}, but accessKey={key} is not"));
        }
        if self.admin && self.topics.is_empty() && self.groups.is_empty() {
            return Ok(());
        }
        match needs.iter().find(|need| !self.allows(need)) {
            None => Ok(()),
            Some(need) => Err(format!("No default permission for {}", described(need))),
        }
    }

    /// Looking is free; sending and receiving are not.
    fn allows(&self, need: &Need) -> bool {
        let (table, default) = match need.kind {
            Kind::Topic => (&self.topics, self.default_topic),
            Kind::Group => (&self.groups, self.default_group),
            Kind::Cluster => return true,
        };
        let owned = table.get(&need.name).copied().unwrap_or(default);
        let (sends, receives) = (need.actions.contains(&Action::Pub), need.actions.contains(&Action::Sub));
        (!sends && !receives) || (sends && owned.send) || (receives && owned.receive)
    }
}

fn described(need: &Need) -> String {
    match need.kind {
        Kind::Group => format!("group:{}", need.name),
        _ => format!("topic:{}", need.name),
    }
}

fn table(what: &str, entries: &[String]) -> Result<HashMap<String, Permission>, String> {
    let parsed = entries.iter().map(|entry| {
        let (name, word) = name_and_word(entry)
            .ok_or_else(|| format!("Parse resource permission failed for {what}:{entry}"))?;
        Ok((name.to_owned(), Permission::lenient(Some(word))))
    });
    parsed.collect()
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("access_key", &self.access_key)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rocketmq_remoting::RequestCode as Code;

    use super::*;
    use crate::broker::acl::needs::{CREATE, DELETE, GET, Needs, Owners, SUB, UPDATE};

    const HERE: &str = "127.0.0.1";

    fn account(key: &str, change: impl FnOnce(&mut PlainAccessConfig)) -> Account {
        let mut config = PlainAccessConfig {
            access_key: key.into(),
            secret_key: Some("12345678".into()),
            default_topic_perm: Some("DENY".into()),
            default_group_perm: Some("SUB".into()),
            topic_perms: vec!["open=PUB|SUB".into(), "out=PUB".into(), "in=SUB".into()],
            group_perms: vec!["closed=DENY".into()],
            ..PlainAccessConfig::default()
        };
        change(&mut config);
        Account::new(&config).unwrap()
    }

    fn rules() -> Rules {
        let mut rules = Rules::default();
        rules.add(account("user-key", |_| {}));
        rules.add(account("admin-key", |config| {
            config.admin = true;
            config.topic_perms.clear();
            config.group_perms.clear();
        }));
        rules.add(account("bounded-admin", |config| config.admin = true));
        rules.add(account("home-key", |config| config.white_remote_address = Some("10.0.0.*".into())));
        rules.trust(Addresses::parse("192.168.0.*").unwrap());
        rules
    }

    struct NoLog;

    impl Owners for NoLog {
        fn topic_at(&self, _offset: i64) -> Option<String> {
            None
        }
    }

    /// Asks as `key` with `secret`, from `from`, for something with these needs, and returns the answer.
    fn told(from: &str, key: &str, secret: &str, code: Code, needs: Needs) -> String {
        let mut command = Command::request(code);
        if !key.is_empty() {
            signature::sign(&mut command, key, secret, None);
        }
        let needs = needs.resolve("C", &NoLog).unwrap();
        let rules = rules();
        let verdict = match rules.identify(from.parse().unwrap(), &command) {
            Ok(Asker::Account) => rules.judge(&command, &needs),
            asker => asker.map(drop),
        };
        verdict.map_or_else(|refusal| refusal, |()| "ok".into())
    }

    #[test]
    fn who_asks_comes_before_what_for() {
        let send = || Needs::to_send("open");
        for (from, key, secret, said) in [
            (HERE, "user-key", "12345678", "ok"),
            (HERE, "", "", "No accessKey is configured"),
            (HERE, "nobody", "12345678", "No acl config for nobody"),
            (HERE, "user-key", "wrong", "Check signature failed for accessKey=user-key"),
            ("192.168.0.9", "", "", "ok"),
            ("10.0.0.9", "home-key", "wrong", "ok"),
            ("10.0.1.9", "home-key", "wrong", "Check signature failed for accessKey=home-key"),
        ] {
            assert_eq!(told(from, key, secret, Code::SEND_MESSAGE_V2, send()), said, "{key} from {from}");
        }
    }

    #[test]
    fn topics_and_groups_by_name_then_by_default() {
        let asks = |code, needs| told(HERE, "user-key", "12345678", code, needs);
        let send = |topic| asks(Code::SEND_MESSAGE_V2, Needs::to_send(topic));
        let pull = |topic, group| asks(Code::PULL_MESSAGE, SUB.topic(topic).group(group));
        assert_eq!(send("out"), "ok");
        assert_eq!(send("in"), "No default permission for topic:in");
        assert_eq!(send("other"), "No default permission for topic:other");
        assert_eq!(send(TRACE_TOPIC), "ok");
        assert_eq!(pull("in", "g"), "ok");
        assert_eq!(pull("out", "g"), "No default permission for topic:out");
        assert_eq!(pull("in", "closed"), "No default permission for group:closed");
        assert_eq!(pull("%RETRY%closed", "closed"), "No default permission for group:closed");
        assert_eq!(asks(Code::GET_MAX_OFFSET, GET.topic("other")), "ok", "looking is free");
        assert_eq!(asks(Code::GET_BROKER_RUNTIME_INFO, Needs::nothing()), "ok");
    }

    #[test]
    fn only_administrators_administer() {
        for (code, needs) in [
            (Code::UPDATE_AND_CREATE_TOPIC, CREATE.topic("open")),
            (Code::DELETE_TOPIC_IN_BROKER, DELETE.topic("open")),
            (Code::UPDATE_BROKER_CONFIG, UPDATE.cluster()),
            (Code::UPDATE_AND_CREATE_ACL_CONFIG, UPDATE.cluster()),
            (Code::GET_BROKER_CLUSTER_ACL_CONFIG, UPDATE.cluster()),
            (Code::AUTH_GET_USER, GET.cluster()),
            (Code::AUTH_LIST_USER, GET.cluster()),
        ] {
            let said = told(HERE, "user-key", "12345678", code, needs.clone());
            assert_eq!(
                said,
                format!("Need admin permission for request code={}, but accessKey=user-key is not", code.0)
            );
            assert_eq!(told(HERE, "admin-key", "12345678", code, needs), "ok");
        }
        let send = |key| told(HERE, key, "12345678", Code::SEND_MESSAGE_V2, Needs::to_send("other"));
        assert_eq!(send("admin-key"), "ok");
        let bounded = send("bounded-admin");
        assert_eq!(
            bounded, "No default permission for topic:other",
            "an administrator with a list has only that"
        );
    }

    #[test]
    fn keys_have_more_than_six_characters_and_stay_secret() {
        let short = PlainAccessConfig {
            access_key: "longenough".into(),
            secret_key: Some("123456".into()),
            ..PlainAccessConfig::default()
        };
        let refused = Account::new(&short).unwrap_err();
        assert!(refused.contains("accessKey=longenough") && !refused.contains("123456"), "{refused}");
        let bad =
            PlainAccessConfig { secret_key: Some("1234567".into()), topic_perms: vec!["t".into()], ..short };
        assert_eq!(Account::new(&bad).unwrap_err(), "Parse resource permission failed for topic:t");
        assert!(!format!("{:?}", account("user-key", |_| {})).contains("12345678"));
    }
}
