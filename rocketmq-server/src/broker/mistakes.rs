//! Mistakes of clients, logged once a minute each: clients repeat them with every request.

use std::collections::HashMap;

use parking_lot::Mutex;

const MINUTE_MS: i64 = 60_000;
/// The most mistakes that are remembered. Others are not logged: a peer that makes them up must fill neither memory nor
/// log.
const MOST: usize = 1000;

/// The last time that each mistake was logged, by its subject.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    logged: Mutex<HashMap<String, i64>>,
}

impl Mistakes {
    /// Returns true if nothing was logged of the subject within the last minute, and notes that it is logged now.
    pub(crate) fn is_due(&self, subject: &str, now: i64) -> bool {
        let mut logged = self.logged.lock();
        if logged.get(subject).is_some_and(|at| is_recent(*at, now)) {
            return false;
        }
        if logged.len() >= MOST {
            logged.retain(|_, at| is_recent(*at, now));
        }
        let room = logged.len() < MOST;
        if room {
            logged.insert(subject.to_owned(), now);
        }
        room
    }
}

/// After the clock was set back nothing is recent.
fn is_recent(at: i64, now: i64) -> bool {
    (at..at.saturating_add(MINUTE_MS)).contains(&now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_logged_once_a_minute() {
        let mistakes = Mistakes::default();
        assert!(mistakes.is_due("a", 0));
        assert!(!mistakes.is_due("a", 59_999));
        assert!(mistakes.is_due("b", 59_999));
        assert!(mistakes.is_due("a", 60_000));
        assert!(mistakes.is_due("a", 10), "the clock was set back");
    }

    #[test]
    fn made_up_subjects_fill_no_memory() {
        let mistakes = Mistakes::default();
        let due = (0..2 * MOST).filter(|number| mistakes.is_due(&number.to_string(), 0)).count();
        assert_eq!(due, MOST);
        assert!(mistakes.is_due("later", MINUTE_MS));
        assert_eq!(mistakes.logged.lock().len(), 1);
    }
}
