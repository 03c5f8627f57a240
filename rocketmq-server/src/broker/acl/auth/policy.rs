//! Permissions of one user, and what they come to.

use std::net::IpAddr;

use ipnet::IpNet;
use rocketmq_remoting::body::{AclInfo, PolicyEntryInfo, PolicyInfo};

use super::resource::Resource;
use crate::broker::acl::needs::{Action, Need};

/// The permissions of one user. Policies of the second kind count only if none of the first matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Acl {
    pub custom: Vec<Entry>,
    pub default: Vec<Entry>,
}

/// The two kinds of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyType {
    Custom,
    Default,
}

/// One permission, or its denial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub resource: Resource,
    pub actions: Vec<Action>,
    /// The networks from which requests may come; all if empty.
    pub sources: Vec<IpNet>,
    pub allow: bool,
}

/// The decision about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    Denied,
    /// Denied too.
    Unmentioned,
}

const ACTIONS: [(&str, Action); 8] = [
    ("All", Action::All),
    ("Pub", Action::Pub),
    ("Sub", Action::Sub),
    ("Create", Action::Create),
    ("Update", Action::Update),
    ("Delete", Action::Delete),
    ("Get", Action::Get),
    ("List", Action::List),
];

impl PolicyType {
    /// An unknown or missing word is the first kind.
    pub(crate) fn lenient(word: Option<&str>) -> Self {
        match word {
            Some(word) if word.eq_ignore_ascii_case("Default") => Self::Default,
            _ => Self::Custom,
        }
    }
}

impl Acl {
    /// The entry with the most exact resource decides; a denial counts more than a permission for the very
    /// same resource.
    pub(crate) fn judge(&self, need: &Need, from: IpAddr) -> Verdict {
        let decisive = |entries: &[Entry]| {
            let applying = entries.iter().filter(|entry| entry.applies(need, from));
            applying.max_by_key(|entry| (entry.resource.precision(), !entry.allow)).map(|entry| entry.allow)
        };
        match decisive(&self.custom).or_else(|| decisive(&self.default)) {
            Some(true) => Verdict::Allowed,
            Some(false) => Verdict::Denied,
            None => Verdict::Unmentioned,
        }
    }

    /// The entries of one kind.
    pub(crate) fn entries(&mut self, policy: PolicyType) -> &mut Vec<Entry> {
        match policy {
            PolicyType::Custom => &mut self.custom,
            PolicyType::Default => &mut self.default,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.custom.is_empty() && self.default.is_empty()
    }

    /// Adds `other`; of two entries for one resource the newer stays.
    pub(crate) fn merge(&mut self, other: Acl) {
        put(&mut self.custom, other.custom);
        put(&mut self.default, other.default);
    }

    /// Reads what a tool sent.
    ///
    /// # Errors
    /// Names the part that is missing or wrong, in Apache's words.
    pub(crate) fn read(info: &AclInfo) -> Result<Self, &'static str> {
        if info.policies.is_empty() {
            return Err("The policies is empty.");
        }
        let mut acl = Self::default();
        for policy in &info.policies {
            if policy.entries.is_empty() {
                return Err("The policy entries is empty.");
            }
            let entries = policy.entries.iter().map(Entry::read).collect::<Result<Vec<_>, _>>()?;
            put(acl.entries(PolicyType::lenient(policy.policy_type.as_deref())), entries);
        }
        Ok(acl)
    }

    /// As tools read it, without the entries that do not hold `resource` in their name.
    pub(crate) fn show(&self, subject: &str, resource: &str) -> AclInfo {
        let policy = |policy_type: &str, entries: &[Entry]| {
            let entries: Vec<_> =
                entries.iter().map(Entry::show).filter(|entry| holds(entry, resource)).collect();
            (!entries.is_empty()).then(|| PolicyInfo { entries, policy_type: Some(policy_type.into()) })
        };
        let policies = [policy("Custom", &self.custom), policy("Default", &self.default)];
        AclInfo { policies: policies.into_iter().flatten().collect(), subject: Some(subject.into()) }
    }
}

impl Entry {
    fn applies(&self, need: &Need, from: IpAddr) -> bool {
        let acts = self.actions.contains(&Action::All)
            || need.actions.iter().any(|action| self.actions.contains(action));
        let from = from.to_canonical();
        acts && self.resource.covers(need)
            && (self.sources.is_empty() || self.sources.iter().any(|source| source.contains(&from)))
    }

    fn read(info: &PolicyEntryInfo) -> Result<Self, &'static str> {
        let resource = info.resource.as_deref().and_then(Resource::parse).ok_or("The resource is null.")?;
        let known = |word: &String| ACTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word.trim()));
        if info.actions.iter().any(|word| word.eq_ignore_ascii_case("Any")) {
            return Err("The actions can not be Any.");
        }
        let actions: Vec<Action> = info.actions.iter().filter_map(known).map(|(_, action)| *action).collect();
        if actions.is_empty() {
            return Err("The actions is empty.");
        }
        let sources = info.source_ips.iter().flatten();
        let sources =
            sources.map(|text| source(text)).collect::<Option<_>>().ok_or("The source ip is invalid.")?;
        let allow = match info.decision.as_deref() {
            Some(word) if word.eq_ignore_ascii_case("Allow") => true,
            Some(word) if word.eq_ignore_ascii_case("Deny") => false,
            _ => return Err("The decision is null or illegal."),
        };
        Ok(Self { resource, actions, sources, allow })
    }

    fn show(&self) -> PolicyEntryInfo {
        let name = |action: &Action| {
            ACTIONS.iter().find(|(_, known)| known == action).map(|(name, _)| (*name).to_owned())
        };
        PolicyEntryInfo {
            actions: self.actions.iter().filter_map(name).collect(),
            decision: Some(if self.allow { "Allow" } else { "Deny" }.into()),
            resource: Some(self.resource.to_string()),
            source_ips: (!self.sources.is_empty()).then(|| self.sources.iter().map(shown).collect()),
        }
    }
}

fn put(entries: &mut Vec<Entry>, new: Vec<Entry>) {
    for entry in new {
        match entries.iter_mut().find(|old| old.resource == entry.resource) {
            Some(old) => *old = entry,
            None => entries.push(entry),
        }
    }
}

fn holds(entry: &PolicyEntryInfo, resource: &str) -> bool {
    entry.resource.as_deref().is_some_and(|name| name.contains(resource))
}

/// An address or a network such as `10.0.0.0/8`.
fn source(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn shown(source: &IpNet) -> String {
    if source.prefix_len() == source.max_prefix_len() {
        source.addr().to_string()
    } else {
        source.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::acl::needs::Kind;

    fn entry(resource: &str, actions: &[&str], decision: &str, sources: &[&str]) -> PolicyEntryInfo {
        PolicyEntryInfo {
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            decision: Some(decision.into()),
            resource: Some(resource.into()),
            source_ips: Some(sources.iter().map(|source| (*source).to_owned()).collect()),
        }
    }

    fn info(policy_type: &str, entries: Vec<PolicyEntryInfo>) -> AclInfo {
        AclInfo {
            policies: vec![PolicyInfo { entries, policy_type: Some(policy_type.into()) }],
            subject: None,
        }
    }

    fn judge(acl: &Acl, kind: Kind, name: &str, actions: &'static [Action]) -> Verdict {
        acl.judge(&Need { kind, name: name.into(), actions }, "10.1.2.3".parse().unwrap())
    }

    #[test]
    fn the_most_precise_entry_decides() {
        let acl = Acl::read(&info(
            "Custom",
            vec![
                entry("*", &["All"], "Allow", &[]),
                entry("Topic:*", &["All"], "Deny", &[]),
                entry("Topic:or*", &["All"], "Allow", &[]),
                entry("Topic:orders-*", &["All"], "Deny", &[]),
                entry("Topic:orders-eu", &["Pub"], "Allow", &[]),
            ],
        ))
        .unwrap();
        for (kind, name, action, verdict) in [
            (Kind::Group, "g", &[Action::Sub], Verdict::Allowed),
            (Kind::Topic, "t", &[Action::Sub], Verdict::Denied),
            (Kind::Topic, "order", &[Action::Sub], Verdict::Allowed),
            (Kind::Topic, "orders-us", &[Action::Pub], Verdict::Denied),
            (Kind::Topic, "orders-eu", &[Action::Pub], Verdict::Allowed),
            (Kind::Topic, "orders-eu", &[Action::Sub], Verdict::Denied),
        ] {
            assert_eq!(judge(&acl, kind, name, action), verdict, "{name} {action:?}");
        }
    }

    #[test]
    fn one_of_the_actions_is_enough_and_what_nobody_mentions_is_denied() {
        let acl = Acl::read(&info("Custom", vec![entry("Topic:t", &["Get"], "Allow", &[])])).unwrap();
        assert_eq!(judge(&acl, Kind::Topic, "t", &[Action::Sub, Action::Get]), Verdict::Allowed);
        assert_eq!(judge(&acl, Kind::Topic, "t", &[Action::Sub]), Verdict::Unmentioned);
        assert_eq!(judge(&acl, Kind::Group, "t", &[Action::Get]), Verdict::Unmentioned);
    }

    #[test]
    fn a_denial_counts_more_and_default_policies_last() {
        let mut acl =
            Acl::read(&info("Default", vec![entry("Topic:t", &["Pub", "Sub"], "Allow", &[])])).unwrap();
        assert_eq!(judge(&acl, Kind::Topic, "t", &[Action::Pub]), Verdict::Allowed);
        acl.merge(Acl::read(&info("Custom", vec![entry("Topic:*", &["Pub"], "Deny", &[])])).unwrap());
        assert_eq!(
            judge(&acl, Kind::Topic, "t", &[Action::Pub]),
            Verdict::Denied,
            "however precise the default is"
        );
        assert_eq!(judge(&acl, Kind::Topic, "t", &[Action::Sub]), Verdict::Allowed);
        let both = [true, false].map(|allow| Entry { allow, ..acl.custom[0].clone() });
        for custom in [both.to_vec(), both.iter().rev().cloned().collect()] {
            let acl = Acl { custom, default: Vec::new() };
            assert_eq!(judge(&acl, Kind::Topic, "t", &[Action::Pub]), Verdict::Denied);
        }
    }

    #[test]
    fn sources_are_addresses_or_networks() {
        for (source, verdict) in [
            ("10.1.2.3", Verdict::Allowed),
            ("10.1.2.4", Verdict::Unmentioned),
            ("10.0.0.0/8", Verdict::Allowed),
            ("192.168.0.0/16", Verdict::Unmentioned),
            ("fd00::/8", Verdict::Unmentioned),
        ] {
            let acl =
                Acl::read(&info("Custom", vec![entry("Topic:t", &["Pub"], "Allow", &[source])])).unwrap();
            assert_eq!(judge(&acl, Kind::Topic, "t", &[Action::Pub]), verdict, "{source}");
        }
    }

    #[test]
    fn what_cannot_be_a_permission_is_refused_in_apaches_words() {
        let read = |entries| Acl::read(&info("Custom", entries)).unwrap_err();
        assert_eq!(read(vec![]), "The policy entries is empty.");
        assert_eq!(read(vec![entry("Queue:q", &["Pub"], "Allow", &[])]), "The resource is null.");
        assert_eq!(read(vec![entry("Topic:t", &["Read"], "Allow", &[])]), "The actions is empty.");
        assert_eq!(read(vec![entry("Topic:t", &["Any"], "Allow", &[])]), "The actions can not be Any.");
        assert_eq!(
            read(vec![entry("Topic:t", &["Pub"], "Perhaps", &[])]),
            "The decision is null or illegal."
        );
        assert_eq!(read(vec![entry("Topic:t", &["Pub"], "Allow", &["here"])]), "The source ip is invalid.");
        assert_eq!(Acl::read(&AclInfo::default()).unwrap_err(), "The policies is empty.");
    }

    #[test]
    fn a_newer_entry_takes_the_place_of_the_one_for_its_resource() {
        let mut acl = Acl::read(&info("Custom", vec![entry("Topic:t", &["Pub"], "Allow", &[])])).unwrap();
        let newer = info(
            "Custom",
            vec![
                entry("Topic:t", &["Sub"], "Deny", &["10.0.0.0/8"]),
                entry("Group:g", &["Sub"], "Allow", &["10.0.0.1"]),
            ],
        );
        acl.merge(Acl::read(&newer).unwrap());
        let shown = acl.show("User:u", "");
        assert_eq!(Acl::read(&shown).unwrap(), acl, "what is shown reads back");
        assert_eq!(shown.policies[0].entries.len(), 2);
        assert_eq!(shown.policies[0].entries[1].source_ips.as_deref(), Some(&["10.0.0.1".to_owned()][..]));
        assert_eq!(acl.show("User:u", "Group").policies[0].entries.len(), 1);
    }
}
