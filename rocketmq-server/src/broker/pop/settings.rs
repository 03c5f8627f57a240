//! The settings of POP. Names and defaults are Apache's.

/// Settings of POP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PopSettings {
    /// `enableRetryTopicV2`, false: messages handed out again go to `%RETRY%group+topic`, not `%RETRY%group_topic`.
    pub retry_topic_v2: bool,
    /// `retrieveMessageFromPopRetryTopicV1`, true: the old retry topic is still read when the new one is written.
    pub read_retry_topic_v1: bool,
    /// `popFromRetryProbability`, 20: in how many of 100 pops the retry topic comes first.
    pub retry_first_percent: u32,
    /// `initPopOffsetByCheckMsgInMem`, true: groups that want a queue's end get a young queue from its beginning.
    pub young_from_start: bool,
    /// `popResponseReturnActualRetryTopic`, false: messages from a retry topic keep its name in the answer.
    pub actual_retry_topic: bool,
    /// `popPollingSize`, 1024: pops that may wait for one topic, group and queue.
    pub waiting_per_queue: usize,
    /// `maxPopPollingSize`, 100,000: pops that may wait in all.
    pub waiting: usize,
}

impl Default for PopSettings {
    fn default() -> Self {
        Self {
            retry_topic_v2: false,
            read_retry_topic_v1: true,
            retry_first_percent: 20,
            young_from_start: true,
            actual_retry_topic: false,
            waiting_per_queue: 1024,
            waiting: 100_000,
        }
    }
}
