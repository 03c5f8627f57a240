//! Resources of permissions: `*`, `Topic:*`, `Topic:prefix*`, `Topic:name`, and the same for `Group` and `Cluster`.

use std::fmt;

use crate::broker::acl::needs::{Kind, Need};

/// A name or a pattern of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resource {
    Any,
    Of(Kind, Names),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    Every,
    Beginning(String),
    One(String),
}

impl Resource {
    /// Reads one. `None`: its type is not known.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        let kind = [Kind::Cluster, Kind::Topic, Kind::Group]
            .into_iter()
            .find(|known| kind_name(*known).eq_ignore_ascii_case(kind))?;
        let names = match name.split_once('*') {
            Some(("", "")) => Names::Every,
            // As Apache does, this ignores the text behind the first asterisk if the last character is one.
            Some((prefix, _)) if name.ends_with('*') => Names::Beginning(prefix.to_owned()),
            _ => Names::One(name.to_owned()),
        };
        Some(Self::Of(kind, names))
    }

    /// Returns true if `need` is for one of these.
    pub(crate) fn covers(&self, need: &Need) -> bool {
        match self {
            Self::Any => true,
            Self::Of(kind, _) if *kind != need.kind => false,
            Self::Of(_, Names::Every) => true,
            Self::Of(_, Names::Beginning(prefix)) => need.name.starts_with(prefix),
            Self::Of(_, Names::One(name)) => need.name == *name,
        }
    }

    /// The more of a name is given, the more it counts.
    pub(crate) fn precision(&self) -> usize {
        match self {
            Self::Any => 0,
            Self::Of(_, Names::Every) => 1,
            Self::Of(_, Names::Beginning(prefix)) => 2 + prefix.len(),
            Self::Of(_, Names::One(_)) => usize::MAX,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Of(kind, Names::Every) => write!(f, "{}:*", kind_name(*kind)),
            Self::Of(kind, Names::Beginning(prefix)) => write!(f, "{}:{prefix}*", kind_name(*kind)),
            Self::Of(kind, Names::One(name)) => write!(f, "{}:{name}", kind_name(*kind)),
        }
    }
}

/// As in resources and in refusals.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => "Cluster",
        Kind::Topic => "Topic",
        Kind::Group => "Group",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back_as_itself() {
        for text in ["*", "Topic:*", "Topic:or*", "Topic:orders", "Group:g", "Cluster:C"] {
            assert_eq!(Resource::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Resource::parse("topic:t").unwrap().to_string(), "Topic:t");
        assert_eq!((Resource::parse("Queue:q"), Resource::parse("")), (None, None));
    }
}
