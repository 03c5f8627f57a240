//! Mistakes of clients, logged once a minute each: clients repeat them with every request.

use std::collections::HashMap;

use parking_lot::Mutex;

const MINUTE_MS: i64 = 60_000;
/// The most complaints that are remembered. Others are not logged: a peer that makes them up must fill neither memory nor
/// log.
const MOST: usize = 1000;

/// The last time of each complaint, by its subject.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    made: Mutex<HashMap<String, i64>>,
}

impl Complaints {
    /// Returns true if nobody complained of the subject within the last minute, and notes that somebody does now.
    pub(crate) fn is_due(&self, subject: &str, now: i64) -> bool {
        let mut made = self.made.lock();
        if made.get(subject).is_some_and(|at| is_recent(*at, now)) {
            return false;
        }
        if made.len() >= MOST {
            made.retain(|_, at| is_recent(*at, now));
        }
        let room = made.len() < MOST;
        if room {
            made.insert(subject.to_owned(), now);
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
    fn each_complaint_is_made_once_a_minute() {
        let complaints = Complaints::default();
        assert!(complaints.is_due("a", 0));
        assert!(!complaints.is_due("a", 59_999));
        assert!(complaints.is_due("b", 59_999));
        assert!(complaints.is_due("a", 60_000));
        assert!(complaints.is_due("a", 10), "the clock was set back");
    }

    #[test]
    fn made_up_subjects_fill_no_memory() {
        let complaints = Complaints::default();
        let due = (0..2 * MOST).filter(|number| complaints.is_due(&number.to_string(), 0)).count();
        assert_eq!(due, MOST);
        assert!(complaints.is_due("later", MINUTE_MS));
        assert_eq!(complaints.made.lock().len(), 1);
    }
}
