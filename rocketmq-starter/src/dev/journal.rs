//! Remembers how listeners settled the newest messages.

use crate::listener::Settled;
use rocketmq_client::{Clock, Outcome};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// The messages that are remembered.
const MOST: usize = 2_000;
/// The tries of one message in one group that are remembered, the newest.
const TRIES: usize = 20;

/// The tries of the newest messages, by id. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    messages: BTreeMap<String, BTreeMap<String, VecDeque<Try>>>,
    /// In the order in which they are forgotten.
    order: VecDeque<String>,
    sent_again: BTreeSet<(String, String)>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Try {
    number: u32,
    listener: String,
    /// `done`, `again` or `dead`.
    kind: &'static str,
    outcome: String,
    reason: String,
    at: u128,
}

/// The tries in one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Group {
    group: String,
    tries: VecDeque<Try>,
}

impl Journal {
    pub(crate) fn write(&self, settled: &Settled<'_>) {
        let Settled { group, listener, message, verdict, outcome } = settled;
        let (kind, outcome) = words(*outcome);
        let one = Try {
            number: message.reconsume_times().saturating_add(1),
            listener: (*listener).to_owned(),
            kind,
            outcome,
            reason: verdict.to_string(),
            at: Clock::default().now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis(),
        };
        self.with(|book| book.add(message.message_id(), group, one));
    }

    /// Returns the tries of a message, group by group.
    pub(super) fn of(&self, id: &str) -> Vec<Group> {
        self.with(|book| {
            let groups = book.messages.get(id).into_iter().flatten();
            groups.map(|(group, tries)| Group { group: group.clone(), tries: tries.clone() }).collect()
        })
    }

    pub(super) fn note_sent_again(&self, group: &str, id: &str) {
        self.with(|book| {
            if book.sent_again.len() < MOST {
                book.sent_again.insert((group.to_owned(), id.to_owned()));
            }
        });
    }

    pub(super) fn was_sent_again(&self, group: &str, id: &str) -> bool {
        self.with(|book| book.sent_again.contains(&(group.to_owned(), id.to_owned())))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Book) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Book {
    fn add(&mut self, id: &str, group: &str, one: Try) {
        if !self.messages.contains_key(id) {
            if self.order.len() >= MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.messages.remove(&oldest);
            }
            self.order.push_back(id.to_owned());
        }
        let tries = self.messages.entry(id.to_owned()).or_default().entry(group.to_owned()).or_default();
        if tries.len() >= TRIES {
            tries.pop_front();
        }
        tries.push_back(one);
    }
}

/// Says an outcome in the page's words.
fn words(outcome: Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Ack => ("done", "done".to_owned()),
        Outcome::DeadLetter => ("dead", "dead letter".to_owned()),
        Outcome::RetryAfter(level) => ("again", format!("tried again later ({level:?})")),
        Outcome::Suspend(time) => {
            ("again", format!("tried again after {}", humantime::format_duration(time)))
        }
        _ => ("again", "tried again later".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Verdict;
    use rocketmq_client::{Delivery, Message};
    use std::time::Duration;

    fn settle(journal: &Journal, message: &Delivery, outcome: Outcome) {
        let verdict = Verdict::Decided(outcome);
        journal.write(&Settled { group: "g", listener: "l", message, verdict: &verdict, outcome });
    }

    #[test]
    fn each_try_of_a_message_is_kept_by_group() {
        let journal = Journal::default();
        let message = Delivery::sample(Message::new("t", "b"), 2);
        let outcomes = [
            (Outcome::Retry, "again"),
            (Outcome::Suspend(Duration::from_secs(1)), "again"),
            (Outcome::DeadLetter, "dead"),
            (Outcome::Ack, "done"),
        ];
        outcomes.iter().for_each(|(outcome, _)| settle(&journal, &message, *outcome));
        let groups = journal.of(message.message_id());
        assert_eq!((groups.len(), groups[0].group.as_str()), (1, "g"));
        let kinds: Vec<_> = groups[0].tries.iter().map(|one| (one.number, one.kind)).collect();
        assert_eq!(kinds, outcomes.map(|(_, kind)| (3, kind)));
        assert!(journal.of("another").is_empty());
    }

    #[test]
    fn old_messages_and_tries_are_forgotten() {
        let mut book = Book::default();
        let one = Try {
            number: 1,
            listener: "l".into(),
            kind: "done",
            outcome: "done".into(),
            reason: "".into(),
            at: 0,
        };
        for number in 0..=MOST {
            book.add(&number.to_string(), "g", one.clone());
        }
        assert_eq!((book.messages.len(), book.order.len()), (MOST, MOST));
        assert!(!book.messages.contains_key("0") && book.messages.contains_key("1"));
        (0..=TRIES).for_each(|_| book.add("1", "g", one.clone()));
        assert_eq!(book.messages["1"]["g"].len(), TRIES);
    }
}
