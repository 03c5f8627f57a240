//! Conflicts in this client's groups that brokers report. Each is logged once while it lasts.

use std::collections::{BTreeSet, HashMap};

use parking_lot::Mutex;

/// The most lines that are kept of one broker.
const MOST: usize = 1000;

/// The conflicts that last, by the address of the broker that reports them.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    known: Mutex<HashMap<String, BTreeSet<String>>>,
}

impl Warnings {
    /// Takes the remark of a heartbeat's answer, which has a line for each conflict, and logs the new ones.
    pub(crate) fn replace(&self, address: &str, remark: Option<&str>) {
        let now: BTreeSet<String> = lines(remark).map(str::to_owned).collect();
        let mut known = self.known.lock();
        let before = known.remove(address).unwrap_or_default();
        now.difference(&before).for_each(|line| log(address, line));
        if !now.is_empty() {
            known.insert(address.to_owned(), now);
        }
    }

    /// Takes the remark of another answer, which does not have all conflicts, and logs the new ones.
    pub(crate) fn add(&self, address: &str, remark: Option<&str>) {
        for line in lines(remark) {
            let mut known = self.known.lock();
            let of_broker = known.entry(address.to_owned()).or_default();
            if of_broker.len() < MOST && of_broker.insert(line.to_owned()) {
                log(address, line);
            }
        }
    }
}

fn lines(remark: Option<&str>) -> impl Iterator<Item = &str> {
    remark.unwrap_or_default().lines().filter(|line| !line.is_empty()).take(MOST)
}

fn log(address: &str, line: &str) {
    tracing::warn!(broker = address, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(warnings: &Warnings) -> Vec<String> {
        warnings.known.lock().get("b").into_iter().flatten().cloned().collect()
    }

    #[test]
    fn a_conflict_lasts_until_a_heartbeat_is_answered_without_it() {
        let warnings = Warnings::default();
        warnings.add("b", Some("one"));
        warnings.add("b", None);
        assert_eq!(known(&warnings), ["one"]);
        warnings.replace("b", Some("one\ntwo"));
        assert_eq!(known(&warnings), ["one", "two"]);
        warnings.replace("b", Some("two"));
        assert_eq!(known(&warnings), ["two"]);
        warnings.replace("b", None);
        assert!(warnings.known.lock().is_empty());
    }

    #[test]
    fn a_broker_cannot_fill_the_memory_with_lines() {
        let warnings = Warnings::default();
        for number in 0..2 * MOST {
            warnings.add("b", Some(&number.to_string()));
        }
        assert_eq!(known(&warnings).len(), MOST);
    }
}
