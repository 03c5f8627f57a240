//! Locks of clients that consume queues in order: leases that end 60 s after their last renewal. `now` is the time that
//! passes, whatever the clock is set to.

use std::collections::HashMap;

/// A queue of a topic on this broker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct QueueKey {
    pub topic: String,
    pub queue_id: i32,
}

impl QueueKey {
    pub(crate) fn new(topic: impl Into<String>, queue_id: i32) -> Self {
        let topic = topic.into();
        Self { topic, queue_id }
    }
}

#[derive(Debug)]
struct Lease {
    client_id: String,
    renewed_at: i64,
}

/// The leases of every group. Nothing is kept on disk: after a restart clients lock again.
#[derive(Debug)]
pub(crate) struct QueueLocks {
    lease_ms: i64,
    groups: HashMap<String, HashMap<QueueKey, Lease>>,
}

impl QueueLocks {
    /// `lease_ms`: how long a lock outlives its last renewal (Apache: 60 000).
    pub(crate) fn new(lease_ms: i64) -> Self {
        let groups = HashMap::new();
        Self { lease_ms, groups }
    }

    /// Takes or renews `queues` for `client_id`; returns those it now holds.
    pub(crate) fn lock(
        &mut self,
        group: &str,
        client_id: &str,
        queues: Vec<QueueKey>,
        now: i64,
    ) -> Vec<QueueKey> {
        let lease_ms = self.lease_ms;
        let held = self.groups.entry(group.to_owned()).or_default();
        queues.into_iter().filter(|queue| take(held, queue, client_id, now, lease_ms)).collect()
    }

    /// Gives back those of `queues` that `client_id` holds; others stay as they are.
    pub(crate) fn unlock(&mut self, group: &str, client_id: &str, queues: &[QueueKey]) {
        let Some(held) = self.groups.get_mut(group) else {
            return;
        };
        for queue in queues {
            if held.get(queue).is_some_and(|lease| lease.client_id == client_id) {
                held.remove(queue);
            }
        }
    }

    /// Returns true if any lock of the group is alive: the sign that it consumes in order.
    pub(crate) fn any_live(&self, group: &str, now: i64) -> bool {
        let Some(held) = self.groups.get(group) else {
            return false;
        };
        held.values().any(|lease| !expired(lease, now, self.lease_ms))
    }

    /// The clock is about to jump: leases live through it, for their holders cannot renew them meanwhile.
    pub(crate) fn outlive(&mut self, jump_ms: i64) {
        self.groups.values_mut().flat_map(HashMap::values_mut).for_each(|lease| lease.renewed_at += jump_ms);
    }

    /// Forgets leases that ended, so that groups long gone cost nothing.
    pub(crate) fn expire(&mut self, now: i64) {
        let lease_ms = self.lease_ms;
        self.groups.retain(|_, held| {
            held.retain(|_, lease| !expired(lease, now, lease_ms));
            !held.is_empty()
        });
    }
}

fn expired(lease: &Lease, now: i64, lease_ms: i64) -> bool {
    now - lease.renewed_at > lease_ms
}

fn take(
    held: &mut HashMap<QueueKey, Lease>,
    queue: &QueueKey,
    client_id: &str,
    now: i64,
    lease_ms: i64,
) -> bool {
    if let Some(lease) = held.get_mut(queue) {
        if lease.client_id != client_id && !expired(lease, now, lease_ms) {
            return false;
        }
        if lease.client_id != client_id {
            lease.client_id = client_id.to_owned();
        }
        lease.renewed_at = now;
        return true;
    }
    let lease = Lease { client_id: client_id.to_owned(), renewed_at: now };
    held.insert(queue.clone(), lease);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues(ids: &[i32]) -> Vec<QueueKey> {
        ids.iter().map(|id| QueueKey::new("t", *id)).collect()
    }

    #[test]
    fn a_lock_belongs_to_one_client_until_60_seconds_after_its_last_renewal() {
        let mut locks = QueueLocks::new(60_000);
        assert_eq!(locks.lock("g", "a", queues(&[0, 1]), 0).len(), 2);
        assert!(locks.lock("g", "b", queues(&[0]), 30_000).is_empty());
        assert_eq!(locks.lock("g", "a", queues(&[0]), 30_000).len(), 1);
        assert!(locks.lock("g", "b", queues(&[0]), 90_000).is_empty());
        assert_eq!(locks.lock("g", "b", queues(&[0]), 90_001).len(), 1);
    }

    #[test]
    fn only_the_owner_unlocks() {
        let mut locks = QueueLocks::new(60_000);
        locks.lock("g", "a", queues(&[0]), 0);
        locks.unlock("g", "b", &queues(&[0]));
        assert!(locks.lock("g", "b", queues(&[0]), 1).is_empty());
        locks.unlock("g", "a", &queues(&[0]));
        assert_eq!(locks.lock("g", "b", queues(&[0]), 1).len(), 1);
    }

    #[test]
    fn a_group_with_a_live_lock_is_an_ordered_group() {
        let mut locks = QueueLocks::new(60_000);
        locks.lock("g", "a", queues(&[0]), 0);
        assert!(locks.any_live("g", 60_000));
        assert!(!locks.any_live("g", 60_001));
        locks.expire(60_001);
        assert!(locks.groups.is_empty());
    }
}
