//! LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42): ordered consumers take and give back queues.

use rocketmq_remoting::Json;
use rocketmq_remoting::body::lock::LockBatchResult;
use rocketmq_remoting::requests::lock::{LockBatchRequest, UnlockBatchRequest};
use rocketmq_remoting::route::MessageQueue;

use super::parts::Parts;
use super::queue_locks::QueueKey;
use crate::exchange::{Asked, Refusal, Response};

/// Locks or renews; the answer lists what the client holds.
pub(crate) fn lock(parts: &Parts, asked: Asked<'_, LockBatchRequest>) -> Response<LockBatchRequest> {
    let Json(body) = asked.body;
    if parts.groups.get(&body.consumer_group).is_none() {
        return Err(Refusal::no_group(&body.consumer_group));
    }
    let queues = body.mq_set.into_iter().filter(|queue| exists(parts, queue)).map(key_of).collect();
    let held =
        parts.clients.locks.lock().lock(&body.consumer_group, &body.client_id, queues, parts.log.passed());
    let broker = &parts.settings.fixed.broker_name;
    let queues =
        held.into_iter().map(|key| MessageQueue::new(key.topic, broker.as_str(), key.queue_id)).collect();
    Ok(Json(LockBatchResult { lock_ok_mq_set: queues }))
}

/// Unlocks what the client holds of what it names.
pub(crate) fn unlock(parts: &Parts, asked: Asked<'_, UnlockBatchRequest>) -> Response<UnlockBatchRequest> {
    let Json(body) = asked.body;
    let queues: Vec<QueueKey> = body.mq_set.into_iter().map(key_of).collect();
    parts.clients.locks.lock().unlock(&body.consumer_group, &body.client_id, &queues);
    Ok(())
}

/// Returns true if there is such a queue. A lock is kept for a minute, so locks of queues that do not exist would use up memory.
fn exists(parts: &Parts, queue: &MessageQueue) -> bool {
    let topic = parts.topics.get(&queue.topic);
    topic.is_some_and(|topic| (0..topic.read_queue_nums).contains(&queue.queue_id))
}

fn key_of(queue: MessageQueue) -> QueueKey {
    QueueKey::new(queue.topic, queue.queue_id)
}
