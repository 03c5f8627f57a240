//! The messages that the listeners of a program had.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{PATIENCE, eventually};

/// A message as a listener had it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Got {
    listener: String,
    value: Value,
}

/// The messages in the order in which listeners had them. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    seen: Arc<Mutex<Vec<Got>>>,
}

impl Journal {
    /// Adds a message.
    pub(super) fn keep(&self, got: Got) {
        self.seen.lock().push(got);
    }

    /// Adds a value that a listener of this program had.
    pub(super) fn got(&self, listener: &str, value: &impl Serialize) {
        let value = serde_json::to_value(value).unwrap_or_else(|error| Value::String(error.to_string()));
        self.keep(Got { listener: listener.to_owned(), value });
    }

    /// Returns the values that a listener had so far.
    pub fn of(&self, listener: &str) -> Vec<Value> {
        let seen = self.seen.lock();
        seen.iter().filter(|got| got.listener == listener).map(|got| got.value.clone()).collect()
    }

    /// Waits until a listener had a value for which `is_it` is true, and returns the first.
    ///
    /// # Panics
    /// Panics if that takes too long.
    pub async fn find(&self, listener: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        self.several(listener, 1, is_it).await.swap_remove(0)
    }

    /// Waits until a listener had so many of these values, and returns all of them.
    ///
    /// # Panics
    /// Panics if that takes too long.
    pub async fn several(&self, listener: &str, count: usize, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
        let found = || self.of(listener).into_iter().filter(|value| is_it(value)).collect::<Vec<_>>();
        let what = format!("the listener `{listener}` with {count} of these messages");
        eventually(&what, 2 * PATIENCE, async || found().len() >= count).await;
        found()
    }
}
