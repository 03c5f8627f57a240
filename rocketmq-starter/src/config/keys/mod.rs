//! The keys under `[rocketmq]`, described once: for the check of files, variables and `App::set`, for the schema, the
//! documentation and the report.

mod access;
mod client;
mod consumer;
pub(crate) mod form;
#[cfg(test)]
mod generated;
mod hint;
mod json;
pub(crate) mod key;
mod producer;
mod root;

pub(crate) use access::is_access;
pub(crate) use consumer::ATTRIBUTE;
pub(crate) use hint::{distance, hint, nearest};
pub use json::json_schema;
pub(crate) use key::Node;
pub(crate) use root::ROOT;

/// The goal of a path.
#[derive(Debug)]
pub(crate) struct Place {
    /// The path in our spelling; names that the application chooses stay as they are.
    pub(crate) path: String,
    pub(crate) node: Node,
}

/// An unknown key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// Advice for the user.
    pub(crate) hint: String,
}

/// Follows the segments of a path below `rocketmq`.
///
/// # Errors
/// Fails at the first segment that no table has.
pub(crate) fn follow<'s>(segments: impl IntoIterator<Item = &'s str>) -> Result<Place, Unknown> {
    let mut place = Place { path: "rocketmq".to_owned(), node: Node::Table(&ROOT) };
    for written in segments {
        let (segment, node) = step(place.node, written)?;
        place = Place { path: format!("{}.{segment}", place.path), node };
    }
    Ok(place)
}

fn step(node: Node, written: &str) -> Result<(String, Node), Unknown> {
    match node {
        Node::Table(table) => match table.get(written) {
            Some(key) => Ok((key.name.to_owned(), key.node)),
            None => Err(Unknown { hint: hint(table, written) }),
        },
        Node::Named(each) => Ok((written.to_owned(), *each)),
        Node::Value(_) | Node::Secret(_) | Node::NoEffect(_) => {
            Err(Unknown { hint: "the key above it takes one value, no table".to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(written: &str) -> Result<String, Unknown> {
        follow(written.split('.')).map(|place| place.path)
    }

    #[test]
    fn keys_are_known_in_each_spelling_and_names_stay_as_they_are() {
        assert_eq!(path("producer.sendMessageTimeout").unwrap(), "rocketmq.producer.send-message-timeout");
        assert_eq!(
            path("consumer.groups.Bill_ing.name_server").unwrap(),
            "rocketmq.consumer.groups.Bill_ing.name-server"
        );
        assert_eq!(path("consumer.listeners.g.t").unwrap(), "rocketmq.consumer.listeners.g.t");
        assert!(matches!(follow(["producers", "audit"]).unwrap().node, Node::Table(_)));
    }

    #[test]
    fn what_is_not_known_gets_a_hint() {
        let hint = |written| path(written).unwrap_err().hint;
        assert!(hint("producer.gruop").contains("`group`"));
        assert!(hint("producer.concurrency").contains("`[rocketmq.consumer]`"));
        assert!(hint("consumer.groups.g.consumeThreadNumber").contains("write `concurrency`"));
        assert!(hint("consumer.groups.g.consumer-group").contains("`group` in the attribute"));
        assert!(hint("producer.group.x").contains("no table"));
    }

    #[test]
    fn a_variable_stands_for_a_key_also_below_a_name_of_the_application() {
        let found =
            |name: &str| nearest(&name.split('_').collect::<Vec<_>>()).map(|(far, place)| (far, place.path));
        for (name, expected) in [
            ("NAME_SERVER", "rocketmq.name-server"),
            ("PRODUCER_SENDMESSAGETIMEOUT", "rocketmq.producer.send-message-timeout"),
            ("PRODUCERS_ORDER_AUDIT_GROUP", "rocketmq.producers.order-audit.group"),
            (
                "CONSUMER_GROUPS_BILLING_MAX_RECONSUME_TIMES",
                "rocketmq.consumer.groups.billing.max-reconsume-times",
            ),
            ("CONSUMER_LISTENERS_BILLING_ORDERS", "rocketmq.consumer.listeners.billing.orders"),
        ] {
            assert_eq!(found(name), Some((0, expected.to_owned())), "{name}");
        }
        assert_eq!(found("PRODUCER_GRUOP"), Some((1, "rocketmq.producer.group".to_owned())));
        assert!(found("HOME").is_none_or(|(far, _)| far > 2));
    }
}
