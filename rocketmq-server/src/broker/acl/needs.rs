//! The needs of a request: the topics, groups and cluster on which it acts, and the action. Each domain declares them beside the
//! handler. The actions are those of 5.4.0. Requests that Apache forgot there (batches, settings, groups made or changed, lite
//! pulls) obey the rules of similar ones.

use rocketmq_remoting::message::OffsetMessageId;

use crate::broker::names::{group_of_retry, is_retry};

/// The kinds of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Cluster,
    Topic,
    Group,
}

/// The actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
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
pub(crate) struct Need {
    pub kind: Kind,
    pub name: String,
    pub actions: &'static [Action],
}

impl Need {
    /// Returns true if only administrators may do this under the rules of 4.x, which know nothing but sending and receiving.
    pub(crate) fn administers(&self) -> bool {
        let changes = [Action::Create, Action::Update, Action::Delete];
        self.actions.iter().all(|action| changes.contains(action))
    }
}

/// One of these actions must be allowed; the start of every declaration of needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Act(&'static [Action]);

pub(crate) const PUB: Act = Act(&[Action::Pub]);
pub(crate) const SUB: Act = Act(&[Action::Sub]);
pub(crate) const GET: Act = Act(&[Action::Get]);
pub(crate) const CREATE: Act = Act(&[Action::Create]);
pub(crate) const UPDATE: Act = Act(&[Action::Update]);
pub(crate) const DELETE: Act = Act(&[Action::Delete]);
pub(crate) const SUB_OR_GET: Act = Act(&[Action::Sub, Action::Get]);
pub(crate) const SUB_OR_UPDATE: Act = Act(&[Action::Sub, Action::Update]);

impl Act {
    /// On the whole cluster.
    pub(crate) fn cluster(self) -> Needs {
        self.on(Resource::Cluster)
    }

    /// On a topic. A retry topic belongs to its group.
    pub(crate) fn topic(self, name: &str) -> Needs {
        self.nothing().topic(name)
    }

    /// On each topic.
    pub(crate) fn topics<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Needs {
        names.into_iter().fold(self.nothing(), Needs::topic)
    }

    /// On a group, or its retry topic.
    pub(crate) fn group(self, name: &str) -> Needs {
        self.nothing().group(name)
    }

    /// On each group.
    pub(crate) fn groups<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Needs {
        names.into_iter().fold(self.nothing(), Needs::group)
    }

    /// On the topic of the message that begins at a log offset.
    pub(crate) fn stored_at(self, offset: i64) -> Needs {
        self.nothing().stored_at(offset)
    }

    /// On the topic of the message with an offset message id.
    pub(crate) fn stored_as(self, id: &str) -> Needs {
        self.nothing().stored_as(id)
    }

    fn nothing(self) -> Needs {
        Needs { act: self, resources: Vec::new() }
    }

    fn on(self, resource: Resource) -> Needs {
        Needs { act: self, resources: vec![resource] }
    }
}

/// The needs of one request. A resource named by an empty text is none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub(crate) struct Needs {
    act: Act,
    resources: Vec<Resource>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Resource {
    Cluster,
    Named(Kind, String),
    /// The topic of a stored message, or the fault of an id that names none. The topic in the request does not count.
    Stored(Result<i64, String>),
    /// A topic. It is free if it is the cluster's topic for replies.
    Reply(String),
}

/// Behind the name of the cluster.
const REPLY_TOPIC: &str = "_REPLY_TOPIC";

impl Needs {
    /// Needs nothing: every user may ask. The request reads names and figures, or is about a part that this broker does not
    /// have. Apache has no rule for such requests either.
    pub(crate) fn nothing() -> Self {
        Act(&[]).nothing()
    }

    /// Needs of a send. A consumer that sends to its retry topic gives a message back. The topic names its group, since the
    /// sender names the group of its producer.
    pub(crate) fn to_send(topic: &str) -> Self {
        if is_retry(topic) { SUB.topic(topic) } else { PUB.topic(topic) }
    }

    /// Needs of a reply. A client that was asked may answer; a reply to any other topic is a send.
    pub(crate) fn to_reply(topic: &str) -> Self {
        let send = Self::to_send(topic);
        Self { resources: vec![Resource::Reply(topic.to_owned())], ..send }
    }

    /// As [`Act::topic`].
    pub(crate) fn topic(self, name: &str) -> Self {
        match group_of_retry(name) {
            Some(group) => self.named(Kind::Group, group),
            None => self.named(Kind::Topic, name),
        }
    }

    /// As [`Act::group`].
    pub(crate) fn group(self, name: &str) -> Self {
        self.named(Kind::Group, group_of_retry(name).unwrap_or(name))
    }

    /// As [`Act::topics`].
    pub(crate) fn topics<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().fold(self, Self::topic)
    }

    /// As [`Act::stored_at`].
    pub(crate) fn stored_at(self, offset: i64) -> Self {
        self.with(Resource::Stored(Ok(offset)))
    }

    /// As [`Act::stored_as`].
    pub(crate) fn stored_as(self, id: &str) -> Self {
        let offset = id.parse::<OffsetMessageId>().map(|id| id.offset);
        self.with(Resource::Stored(
            offset.map_err(|_| format!("`msgId` is \"{id}\", which names no message")),
        ))
    }

    fn named(self, kind: Kind, name: &str) -> Self {
        if name.trim().is_empty() { self } else { self.with(Resource::Named(kind, name.to_owned())) }
    }

    fn with(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// The resources by name.
    ///
    /// # Errors
    /// A stored message that the request is about is not there.
    pub(crate) fn resolve(self, cluster: &str, owners: &impl Owners) -> Result<Vec<Need>, String> {
        let mut needs = Vec::with_capacity(self.resources.len());
        for resource in self.resources {
            let (kind, name) = match resource {
                Resource::Cluster => (Kind::Cluster, cluster.to_owned()),
                Resource::Named(kind, name) => (kind, name),
                Resource::Reply(topic) if is_reply_topic(&topic, cluster) => continue,
                Resource::Reply(topic) => topic_or_group(&topic),
                Resource::Stored(offset) => topic_or_group(&owner(offset?, owners)?),
            };
            let need = Need { kind, name, actions: self.act.0 };
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        Ok(needs)
    }
}

fn is_reply_topic(topic: &str, cluster: &str) -> bool {
    topic.strip_suffix(REPLY_TOPIC).is_some_and(|of| of == cluster)
}

fn topic_or_group(topic: &str) -> (Kind, String) {
    match group_of_retry(topic) {
        Some(group) => (Kind::Group, group.to_owned()),
        None => (Kind::Topic, topic.to_owned()),
    }
}

fn owner(offset: i64, owners: &impl Owners) -> Result<String, String> {
    owners.topic_at(offset).ok_or_else(|| format!("no message at offset {offset}"))
}

/// Finds the topic of a stored message by its log offset.
pub(crate) trait Owners {
    fn topic_at(&self, offset: i64) -> Option<String>;
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

    fn told(needs: Needs) -> Vec<String> {
        let needs = needs.resolve("C", &Log).unwrap();
        needs.iter().map(|need| format!("{:?}:{} {:?}", need.kind, need.name, need.actions)).collect()
    }

    #[test]
    fn a_send_needs_its_topic_and_a_send_back_its_group() {
        assert_eq!(told(Needs::to_send("t")), ["Topic:t [Pub]"]);
        assert_eq!(told(Needs::to_send("%RETRY%g")), ["Group:g [Sub]"]);
    }

    #[test]
    fn a_reply_is_free_where_replies_go_and_a_send_elsewhere() {
        assert!(told(Needs::to_reply("C_REPLY_TOPIC")).is_empty());
        assert_eq!(told(Needs::to_reply("t")), ["Topic:t [Pub]"]);
        assert_eq!(told(Needs::to_reply("D_REPLY_TOPIC")), ["Topic:D_REPLY_TOPIC [Pub]"]);
        assert_eq!(told(Needs::to_reply("%RETRY%g")), ["Group:g [Sub]"]);
    }

    #[test]
    fn a_stored_message_is_its_topics_whatever_the_request_says() {
        let id = OffsetMessageId { host: "127.0.0.1:1".parse().unwrap(), offset: 5 }.to_string();
        assert_eq!(told(SUB_OR_GET.stored_at(5)), ["Topic:theirs [Sub, Get]"]);
        assert_eq!(told(SUB.group("g").stored_as(&id)), ["Group:g [Sub]", "Topic:theirs [Sub]"]);
        let problem = |needs: Needs| needs.resolve("C", &Log).unwrap_err();
        assert_eq!(problem(PUB.stored_at(6)), "no message at offset 6");
        assert_eq!(problem(PUB.stored_as("x")), "`msgId` is \"x\", which names no message");
    }

    #[test]
    fn a_retry_topic_is_its_group_and_each_resource_counts_once() {
        assert_eq!(told(SUB.topic("t").group("g")), ["Topic:t [Sub]", "Group:g [Sub]"]);
        assert_eq!(told(SUB.topic("%RETRY%g").group("g")), ["Group:g [Sub]"]);
        assert_eq!(
            told(GET.group("g").topics(["t1", "t2", " "])),
            ["Group:g [Get]", "Topic:t1 [Get]", "Topic:t2 [Get]"]
        );
        assert_eq!(told(UPDATE.cluster()), ["Cluster:C [Update]"]);
        assert!(told(Needs::nothing()).is_empty());
    }
}
