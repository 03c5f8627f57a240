//! The messages that the listeners of a test's applications settled, in their order.

use crate::listener::{Observer, Settled};
use rocketmq_client::{Delivery, Outcome};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The settled messages. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Vec<Entry>>>);

/// One settled message.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    group: String,
    listener: String,
    verdict: String,
    outcome: Outcome,
    pub(super) message: Delivery,
}

impl Journal {
    /// Returns the observer that writes this journal.
    pub(super) fn observer(&self) -> Observer {
        let journal = self.clone();
        Observer::new(move |settled| journal.write(settled))
    }

    fn write(&self, settled: &Settled<'_>) {
        let entry = Entry {
            group: settled.group.to_owned(),
            listener: settled.listener.to_owned(),
            verdict: settled.verdict.to_string(),
            outcome: settled.outcome,
            message: settled.message.clone(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// Returns the entries of a group.
    pub(super) fn of(&self, group: &str) -> Vec<Entry> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().filter(|entry| entry.group == group).cloned().collect()
    }
}

impl Entry {
    pub(super) fn is_done(&self) -> bool {
        self.outcome == Outcome::Ack
    }
}

/// One line: the message, its listener and its try, and the outcome.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { listener, verdict, outcome, message, .. } = self;
        let attempt = message.reconsume_times().saturating_add(1);
        write!(f, "{}: try {attempt} by `{listener}`: {outcome:?}, {verdict}", Shown(message))
    }
}

/// A message in one line: topic, tag, keys, and the beginning of its body.
pub(super) struct Shown<'a>(pub(super) &'a Delivery);

/// Bytes of a body that are shown.
const BODY: usize = 80;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(message) = self;
        f.write_str(message.topic())?;
        message.tag().map_or(Ok(()), |tag| write!(f, ":{tag}"))?;
        message.keys().try_for_each(|key| write!(f, " {key}"))?;
        let body = message.body();
        let text = String::from_utf8_lossy(&body[..body.len().min(BODY)]);
        write!(f, " {text:?}")?;
        if body.len() > BODY { write!(f, "… ({} bytes)", body.len()) } else { Ok(()) }
    }
}

/// Lines that a failure shows.
const LINES: usize = 20;

/// Lists the newest entries below a sentence, one a line.
pub(super) fn list(lines: impl ExactSizeIterator<Item = impl fmt::Display>) -> String {
    let left_out = lines.len().saturating_sub(LINES);
    let mut text = if left_out > 0 { format!("\n  … {left_out} before") } else { String::new() };
    lines.skip(left_out).for_each(|line| text.push_str(&format!("\n  {line}")));
    text
}
