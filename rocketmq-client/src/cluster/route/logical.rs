//! Static topics (5.x): their queues belong to no broker for good. A mapping says which broker holds each of them now.

use std::collections::BTreeMap;
use std::sync::Arc;

use rocketmq_remoting::route::{MessageQueue, TopicQueueMappingInfo};

use super::queue::{MAX_QUEUES, SharedQueue};

/// The prefix in place of a broker's name in such a queue.
const LOGICAL: &str = "__syslo__";
/// The home of a queue that no broker claims.
const NOBODY: &str = "__syslo__none__";
/// The scope of a mapping that names none.
const GLOBAL: &str = "__global__";

/// The queues of a static topic, each with the broker that holds it. Empty for other topics.
pub(crate) type Homes = BTreeMap<SharedQueue, String>;

/// Tells whether a queue is one of a static topic.
pub(crate) fn is_logical(queue: &MessageQueue) -> bool {
    queue.broker_name.starts_with(LOGICAL)
}

/// Finds the broker of each queue. Of brokers that claim the same queue, the one with the newest mapping holds it.
pub(crate) fn homes(topic: &str, mappings: &BTreeMap<String, TopicQueueMappingInfo>) -> Homes {
    let mut by_age: Vec<&TopicQueueMappingInfo> = mappings.values().collect();
    by_age.sort_by_key(|mapping| mapping.epoch);
    let mut homes = Homes::new();
    for mapping in &by_age {
        let ids = 0..mapping.total_queues.min(MAX_QUEUES);
        homes.extend(ids.map(|id| (queue(topic, mapping, id), NOBODY.to_owned())));
    }
    for mapping in by_age {
        for id in mapping.curr_id_map.keys() {
            if let Some(home) = homes.get_mut(&queue(topic, mapping, *id)) {
                home.clone_from(&mapping.bname);
            }
        }
    }
    homes
}

fn queue(topic: &str, mapping: &TopicQueueMappingInfo, id: i32) -> SharedQueue {
    let scope = mapping.scope.as_deref().unwrap_or(GLOBAL);
    let scope = if scope == GLOBAL { &GLOBAL[2..] } else { scope };
    Arc::new(MessageQueue::new(topic, format!("{LOGICAL}{scope}"), id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(bname: &str, epoch: i64, total: i32, ids: &[i32]) -> TopicQueueMappingInfo {
        TopicQueueMappingInfo {
            bname: bname.into(),
            curr_id_map: ids.iter().map(|id| (*id, 0)).collect(),
            epoch,
            scope: Some(GLOBAL.into()),
            topic: "t".into(),
            total_queues: total,
            ..TopicQueueMappingInfo::default()
        }
    }

    fn listed(mappings: &[TopicQueueMappingInfo]) -> Vec<(String, i32, String)> {
        let by_broker = mappings.iter().map(|mapping| (mapping.bname.clone(), mapping.clone())).collect();
        let homes = homes("t", &by_broker).into_iter();
        homes.map(|(queue, home)| (queue.broker_name.clone(), queue.queue_id, home)).collect()
    }

    fn global(homes: &[(i32, &str)]) -> Vec<(String, i32, String)> {
        homes.iter().map(|(id, home)| ("__syslo__global__".into(), *id, (*home).into())).collect()
    }

    #[test]
    fn the_newest_mapping_has_a_queue_and_nobody_what_none_claims() {
        let old = mapping("b", 1, 3, &[0, 1]);
        let new = mapping("a", 2, 4, &[1, 3, 9]);
        let expected = global(&[(0, "b"), (1, "a"), (2, NOBODY), (3, "a")]);
        assert_eq!(listed(&[old, new]), expected);
    }

    #[test]
    fn scopes_keep_apart() {
        let elsewhere = TopicQueueMappingInfo { scope: Some("eu".into()), ..mapping("b", 9, 1, &[0]) };
        let nameless = TopicQueueMappingInfo { scope: None, ..mapping("a", 1, 1, &[0]) };
        let mut expected = vec![("__syslo__eu".to_owned(), 0, "b".to_owned())];
        expected.extend(global(&[(0, "a")]));
        assert_eq!(listed(&[elsewhere, nameless]), expected);
    }

    #[test]
    fn a_hostile_count_builds_no_millions() {
        assert_eq!(listed(&[mapping("a", 1, i32::MAX, &[])]).len(), MAX_QUEUES as usize);
    }
}
