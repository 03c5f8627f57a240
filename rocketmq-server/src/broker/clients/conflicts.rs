//! Conflicts in a group: members with one client id, and members with different subscriptions. Either way messages are
//! missed or handled twice, and no member notices.

use std::collections::BTreeMap;
use std::fmt;

use rocketmq_remoting::body::heartbeat::{ConsumerData, MessageModel};
use rocketmq_remoting::names::is_retry;
use rocketmq_remoting::subscription::SubscriptionData;

use super::member::Member;

/// The most topics that a text names.
const NAMED: usize = 5;
/// The most characters of a topic or an expression in a text.
const SHOWN: usize = 200;

/// A member with its own subscriptions. Those of the group are those of the member that was heard last.
#[derive(Debug, Clone)]
pub(crate) struct Subscriber {
    pub member: Member,
    subscribed: Subscribed,
    /// The numbers of two events of the group: when the member came, and when it was heard last.
    joined: u64,
    heard: u64,
}

/// Everything that a member subscribes to: its mode, and the expression for each topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Subscribed {
    broadcasting: bool,
    topics: BTreeMap<String, String>,
}

impl Subscribed {
    pub(crate) fn of(data: &ConsumerData) -> Self {
        // A member reads the retry topic as it reads the others, so that topic tells nothing new.
        let topics = data.subscription_data_set.iter().filter(|it| !is_retry(&it.topic));
        Self {
            broadcasting: data.message_model == MessageModel::Broadcasting,
            topics: topics.map(|it| (it.topic.clone(), expression(it))).collect(),
        }
    }

    /// Returns the topics that the other reads by another expression or not at all.
    fn beyond<'a>(&'a self, other: &'a Subscribed) -> Differences<'a> {
        let differs = |topic: &String, expression: &String| other.topics.get(topic) != Some(expression);
        Differences(self.topics.iter().filter(|(topic, expression)| differs(topic, expression)).collect())
    }
}

/// Returns the same text for the same tags in any order.
fn expression(data: &SubscriptionData) -> String {
    if data.tags_set.is_empty() {
        return data.sub_string.trim().to_owned();
    }
    data.tags_set.iter().map(String::as_str).collect::<Vec<_>>().join(" || ")
}

impl Subscriber {
    pub(crate) fn new(member: Member, subscribed: Subscribed, event: u64) -> Self {
        Self { member, subscribed, joined: event, heard: event }
    }

    /// Takes a heartbeat. One without subscriptions leaves them as they are.
    pub(crate) fn renew(&mut self, member: Member, subscribed: Option<Subscribed>, event: u64) {
        self.member = member;
        self.hear(event);
        if let Some(subscribed) = subscribed {
            self.subscribed = subscribed;
        }
    }

    /// Notes that the member is alive.
    pub(crate) fn hear(&mut self, event: u64) {
        self.heard = event;
    }

    /// Returns the conflict between this member and another one.
    pub(crate) fn conflict_with(&self, other: &Subscriber) -> Option<Conflict> {
        let conflict = |kind| Some(Conflict { kind, one: self.clone(), two: other.clone() });
        if self.subscribed != other.subscribed {
            return conflict(Kind::Subscriptions);
        }
        if self.shares_its_id_with(other) && !self.subscribed.broadcasting {
            return conflict(Kind::ClientId);
        }
        None
    }

    /// Returns true if both are alive with one client id. After a client has connected anew, nothing more comes over its
    /// old connection.
    fn shares_its_id_with(&self, other: &Subscriber) -> bool {
        let (old, new) = if self.joined < other.joined { (self, other) } else { (other, self) };
        old.member.client_id == new.member.client_id && old.heard > new.joined
    }
}

/// Two members that take messages from each other.
#[derive(Debug, Clone)]
pub(crate) struct Conflict {
    kind: Kind,
    one: Subscriber,
    two: Subscriber,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ClientId,
    Subscriptions,
}

impl Conflict {
    /// Returns the same for all conflicts of a kind in a group: the log tells of one.
    pub(crate) fn subject(&self, group: &str) -> String {
        format!("{:?} {group}", self.kind)
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, two) = (&self.one, &self.two);
        match self.kind {
            Kind::ClientId => write!(
                f,
                "two members have the client id {}, one at {} and one at {}, so both read the same queues: give each \
                 client an instance name of its own",
                one.member.client_id, one.member.peer, two.member.peer
            ),
            Kind::Subscriptions => write!(
                f,
                "members have different subscriptions, so each misses messages: {}, and {}; give members with other \
                 subscriptions a group of their own",
                Difference { of: one, to: two },
                Difference { of: two, to: one }
            ),
        }
    }
}

/// The subscriptions of one member that another one does not have.
struct Difference<'a> {
    of: &'a Subscriber,
    to: &'a Subscriber,
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of: Subscriber { member, subscribed, .. }, to } = self;
        write!(f, "{} at {} ", member.client_id, member.peer)?;
        match (subscribed.broadcasting, to.subscribed.broadcasting) {
            (true, false) => f.write_str("receives every message (BROADCASTING)"),
            (false, true) => f.write_str("receives a share of the messages (CLUSTERING)"),
            _ => write!(f, "has {}", subscribed.beyond(&to.subscribed)),
        }
    }
}

struct Differences<'a>(Vec<(&'a String, &'a String)>);

impl fmt::Display for Differences<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing else");
        }
        for (place, (topic, expression)) in self.0.iter().take(NAMED).enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            let expression: String = expression.chars().take(SHOWN).collect();
            write!(f, "{comma}{topic:.SHOWN$} by {expression:?}")?;
        }
        match self.0.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscribed(topics: &[(&str, &str)]) -> Subscribed {
        let data =
            topics.iter().map(|(topic, expression)| SubscriptionData::parse(topic, expression).unwrap());
        Subscribed::of(&ConsumerData { subscription_data_set: data.collect(), ..ConsumerData::default() })
    }

    fn broadcasting() -> Subscribed {
        Subscribed { broadcasting: true, ..subscribed(&[("t", "*")]) }
    }

    fn subscriber(id: &str, subscribed: Subscribed, event: u64) -> Subscriber {
        Subscriber::new(Member { client_id: id.into(), ..Member::for_test(event, 0) }, subscribed, event)
    }

    fn conflict(one: Subscribed, two: Subscribed) -> Option<String> {
        let conflict = subscriber("x", one, 1).conflict_with(&subscriber("y", two, 2));
        conflict.map(|conflict| conflict.to_string())
    }

    #[test]
    fn members_that_subscribe_to_the_same_are_in_no_conflict() {
        let own = [("t", "a || b"), ("%RETRY%g", "*")];
        assert_eq!(conflict(subscribed(&own), subscribed(&[("t", "b||a")])), None);
        assert_eq!(conflict(subscribed(&[]), subscribed(&[])), None);
    }

    #[test]
    fn other_topics_and_other_expressions_are_named_with_both_members() {
        let one = [("t", "a"), ("u", "*"), ("v", "*")];
        let text = conflict(subscribed(&one), subscribed(&[("t", "b"), ("v", "*")])).unwrap();
        assert!(text.contains("x at 127.0.0.1:1000 has t by \"a\", u by \"*\", and"), "{text}");
        assert!(text.contains("y at 127.0.0.1:1000 has t by \"b\";"), "{text}");
        let text = conflict(subscribed(&one), subscribed(&[])).unwrap();
        assert!(text.contains("has nothing else;"), "{text}");
    }

    #[test]
    fn a_member_that_broadcasts_and_one_that_shares_are_named() {
        let text = conflict(broadcasting(), subscribed(&[("t", "*")])).unwrap();
        assert!(text.contains("(BROADCASTING), and y") && text.contains("(CLUSTERING);"), "{text}");
    }

    #[test]
    fn one_id_is_a_conflict_once_the_older_member_is_heard_after_the_newer_one_came() {
        let new = subscriber("x", subscribed(&[("t", "*")]), 2);
        let mut old = subscriber("x", subscribed(&[("t", "*")]), 1);
        assert!(new.conflict_with(&old).is_none(), "it may have connected anew");
        old.hear(3);
        for conflict in [new.conflict_with(&old), old.conflict_with(&new)] {
            let text = conflict.unwrap().to_string();
            assert!(text.contains("client id x") && text.contains("instance name"), "{text}");
        }
    }

    #[test]
    fn members_on_one_host_that_broadcast_may_share_an_id_as_in_java() {
        let (mut old, new) = (subscriber("x", broadcasting(), 1), subscriber("x", broadcasting(), 2));
        old.hear(3);
        assert!(new.conflict_with(&old).is_none());
    }

    #[test]
    fn a_text_names_no_more_than_a_few_topics() {
        let many: Vec<String> = (0..40).map(|number| format!("t{number:02}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|topic| (topic.as_str(), "*")).collect();
        let text = conflict(subscribed(&many), subscribed(&[])).unwrap();
        assert!(text.contains("t04 by \"*\" and 35 more") && !text.contains("t05"), "{text}");
        let long = "x".repeat(1 << 20);
        let text = conflict(subscribed(&[(&long, &long)]), subscribed(&[])).unwrap();
        assert!(text.len() < 1000, "{}", text.len());
    }
}
