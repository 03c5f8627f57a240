//! The 4.x namespace: names become `<namespace>%<name>` on the wire and are plain everywhere else.

use rocketmq_remoting::names::{DLQ_PREFIX, RETRY_PREFIX, SYSTEM_GROUP_PREFIX, is_system_topic};

/// Converts this client's names for the wire. Without a namespace they stay as they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// `<namespace>%`, or nothing.
    prefix: String,
}

impl Names {
    pub(crate) fn new(namespace: Option<&str>) -> Self {
        let namespace = namespace.filter(|namespace| !namespace.is_empty());
        Self { prefix: namespace.map(|namespace| format!("{namespace}%")).unwrap_or_default() }
    }

    /// Returns the namespace.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.prefix.strip_suffix('%')
    }

    /// Converts a topic or group to its name on the wire. The prefixes `%RETRY%` and `%DLQ%` stay in
    /// front; system names and names already wrapped stay as they are.
    pub(crate) fn wrap(&self, name: &str) -> String {
        let (kind, plain) = split_kind(name);
        if self.prefix.is_empty() || plain.starts_with(&self.prefix) || is_system(plain) {
            return name.to_owned();
        }
        format!("{kind}{}{plain}", self.prefix)
    }

    /// Reverses [`wrap`](Self::wrap) for names without `%RETRY%` or `%DLQ%` in front.
    pub(crate) fn plain<'n>(&self, name: &'n str) -> &'n str {
        name.strip_prefix(&self.prefix).unwrap_or(name)
    }
}

fn split_kind(name: &str) -> (&str, &str) {
    for kind in [RETRY_PREFIX, DLQ_PREFIX] {
        if let Some(rest) = name.strip_prefix(kind) {
            return (kind, rest);
        }
    }
    ("", name)
}

fn is_system(name: &str) -> bool {
    is_system_topic(name) || name.starts_with(SYSTEM_GROUP_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_wrapped_once_behind_their_kind() {
        let names = Names::new(Some("NS1"));
        for (plain, wrapped) in [
            ("TNS", "NS1%TNS"),
            ("%RETRY%CG", "%RETRY%NS1%CG"),
            ("%DLQ%CG", "%DLQ%NS1%CG"),
            ("TBW102", "TBW102"),
            ("rmq_sys_x", "rmq_sys_x"),
        ] {
            assert_eq!(names.wrap(plain), wrapped);
            assert_eq!(names.wrap(wrapped), wrapped);
        }
        assert_eq!(names.plain("NS1%CG"), "CG");
    }

    #[test]
    fn without_a_namespace_nothing_changes() {
        for names in [Names::new(None), Names::new(Some(""))] {
            assert_eq!((names.wrap("a%b").as_str(), names.plain("a%b")), ("a%b", "a%b"));
        }
    }
}
