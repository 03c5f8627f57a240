//! The half messages, open, being decided, decided or put again: the memory of ends and check rounds, without I/O.

use std::collections::{BTreeMap, HashMap, VecDeque};

use rocketmq_remoting::message::properties::Properties;

/// The number of ended transactions that are remembered, so that a second end is recognised.
const REMEMBERED: usize = 10_000;

/// Names a transaction, whichever of its copies is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TransactionId {
    group: String,
    key: String,
}

impl TransactionId {
    /// `None` when the message names no producer group or has no unique key.
    pub(crate) fn of(properties: &Properties) -> Option<Self> {
        let (group, key) = (properties.producer_group()?, properties.unique_key()?);
        Some(Self { group: group.to_owned(), key: key.to_owned() })
    }
}

/// The end of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Committed,
    RolledBack,
    /// It was asked about too often, or for too long.
    GivenUp,
    /// Another broker decided it and did not write down how.
    Unrecorded,
}

/// The state of a half that an end cannot decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// Another end is being carried out.
    BeingDecided,
    Ended(Ending),
    /// It ended before this broker started, or long ago.
    Forgotten,
}

/// The state of a half that the check round has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    BeingDecided,
    Decided,
}

/// The newest copy of a half that was appended again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HalfCopy {
    pub offset: i64,
    /// When the oldest copy known was stored, in milliseconds since 1970.
    pub first_stored: i64,
    pub checks: u32,
}

/// An end that is being carried out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// Half messages from the first undecided one on, by queue offset.
///
/// Each check appends a half again, so an end may name an older copy; its transaction's id leads to the newest. An end may
/// also arrive twice.
#[derive(Debug, Default)]
pub(crate) struct Halves {
    /// Everything below is settled or has been appended again.
    next: i64,
    decided: BTreeMap<i64, Ending>,
    being_decided: HashMap<u64, i64>,
    tickets: u64,
    copies: HashMap<TransactionId, HalfCopy>,
    ended: Endings,
}

impl Halves {
    pub(crate) fn starting_at(next: i64) -> Self {
        Self { next, ..Self::default() }
    }

    /// The first half message not yet settled.
    pub(crate) fn next(&self) -> i64 {
        self.next
    }

    pub(crate) fn standing(&self, offset: i64) -> Standing {
        if self.decided.contains_key(&offset) {
            Standing::Decided
        } else if self.being_decided.values().any(|half| *half == offset) {
            Standing::BeingDecided
        } else {
            Standing::Open
        }
    }

    /// Begins to decide the half that its producer knows by `offset`.
    ///
    /// # Errors
    /// It is not open.
    pub(crate) fn begin(&mut self, offset: i64, id: Option<&TransactionId>) -> Result<Ticket, Closed> {
        let newest = self.newest(offset, id).ok_or_else(|| self.ended.of(id))?;
        match self.standing(newest) {
            Standing::Open => {}
            Standing::BeingDecided => return Err(Closed::BeingDecided),
            Standing::Decided => return Err(Closed::Ended(self.decided[&newest])),
        }
        self.tickets += 1;
        self.being_decided.insert(self.tickets, newest);
        Ok(Ticket(self.tickets))
    }

    /// The copy of a half that is not settled.
    fn newest(&self, offset: i64, id: Option<&TransactionId>) -> Option<i64> {
        if offset >= self.next {
            return Some(offset);
        }
        let copy = self.copies.get(id?)?;
        (copy.offset >= self.next).then_some(copy.offset)
    }

    /// The end was carried out. Returns the half that it decides, which may have become a newer copy meanwhile.
    pub(crate) fn done(&mut self, ticket: Ticket, id: Option<&TransactionId>, ending: Ending) -> Option<i64> {
        let half = self.being_decided.remove(&ticket.0)?;
        self.decided.insert(half, ending);
        self.forget_copy(half, id);
        self.remember(id, ending);
        Some(half)
    }

    /// The end could not be carried out: the half is open again.
    pub(crate) fn failed(&mut self, ticket: Ticket) {
        self.being_decided.remove(&ticket.0);
    }

    /// Notes what an op record says about a half.
    pub(crate) fn recovered(&mut self, offset: i64, ending: Ending) -> bool {
        offset >= self.next && self.decided.insert(offset, ending).is_none()
    }

    /// Notes an open half that is a copy.
    pub(crate) fn appended(&mut self, id: Option<&TransactionId>, copy: HalfCopy) {
        let Some(id) = id else { return };
        self.ended.forget(id);
        self.copies.insert(id.clone(), copy);
    }

    /// Returns what is known of a copy of a half, besides its own properties.
    pub(crate) fn copy_at(&self, offset: i64, id: Option<&TransactionId>) -> Option<HalfCopy> {
        self.copies.get(id?).copied().filter(|copy| copy.offset == offset)
    }

    /// Passes over a half that needs no more attention.
    pub(crate) fn settle(&mut self, offset: i64) {
        self.next = self.next.max(offset + 1);
        self.decided.remove(&offset);
    }

    /// Passes over a half that nobody decided.
    pub(crate) fn give_up(&mut self, offset: i64, id: Option<&TransactionId>) {
        self.settle(offset);
        self.forget_copy(offset, id);
        self.remember(id, Ending::GivenUp);
    }

    /// Takes a transaction that was given up, to end it late; it must be [`remember`](Self::remember)ed again.
    pub(crate) fn take_given_up(&mut self, id: Option<&TransactionId>) {
        if let Some(id) = id {
            self.ended.forget(id);
        }
    }

    pub(crate) fn remember(&mut self, id: Option<&TransactionId>, ending: Ending) {
        if let Some(id) = id {
            self.ended.note(id.clone(), ending);
        }
    }

    /// Passes over a half that was appended again as `copy`. Returns how it was decided while that was done, if it was: this
    /// then holds for the copy.
    pub(crate) fn replace(
        &mut self,
        offset: i64,
        id: Option<&TransactionId>,
        copy: HalfCopy,
    ) -> Option<Ending> {
        self.next = self.next.max(offset + 1);
        self.being_decided.values_mut().filter(|half| **half == offset).for_each(|half| *half = copy.offset);
        if let Some(ending) = self.decided.remove(&offset) {
            self.decided.insert(copy.offset, ending);
            return Some(ending);
        }
        if let Some(id) = id {
            self.copies.insert(id.clone(), copy);
        }
        None
    }

    fn forget_copy(&mut self, offset: i64, id: Option<&TransactionId>) {
        if let Some(id) = id
            && self.copies.get(id).is_some_and(|copy| copy.offset == offset)
        {
            self.copies.remove(id);
        }
    }
}

/// The transactions that ended last.
#[derive(Debug, Default)]
struct Endings {
    by_id: HashMap<TransactionId, Ending>,
    order: VecDeque<TransactionId>,
}

impl Endings {
    fn of(&self, id: Option<&TransactionId>) -> Closed {
        id.and_then(|id| self.by_id.get(id)).map_or(Closed::Forgotten, |ending| Closed::Ended(*ending))
    }

    fn note(&mut self, id: TransactionId, ending: Ending) {
        if self.by_id.insert(id.clone(), ending).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > REMEMBERED {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.by_id.remove(&oldest));
        }
    }

    fn forget(&mut self, id: &TransactionId) {
        if self.by_id.remove(id).is_some() {
            self.order.retain(|known| known != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(key: &str) -> TransactionId {
        TransactionId { group: "p".into(), key: key.into() }
    }

    fn copy(offset: i64) -> HalfCopy {
        HalfCopy { offset, first_stored: 100, checks: 1 }
    }

    #[test]
    fn a_half_is_decided_once() {
        let (mut halves, x) = (Halves::starting_at(5), id("x"));
        let ticket = halves.begin(5, Some(&x)).unwrap();
        assert_eq!(halves.standing(5), Standing::BeingDecided);
        assert_eq!(halves.begin(5, Some(&x)), Err(Closed::BeingDecided));
        assert_eq!(halves.done(ticket, Some(&x), Ending::Committed), Some(5));
        for _ in 0..2 {
            assert_eq!(halves.begin(5, Some(&x)), Err(Closed::Ended(Ending::Committed)));
            halves.settle(5);
        }
        assert_eq!(halves.next(), 6);
        assert_eq!(halves.begin(4, Some(&id("before"))), Err(Closed::Forgotten));
        assert_eq!(halves.begin(4, None), Err(Closed::Forgotten));
    }

    #[test]
    fn an_end_that_failed_leaves_the_half_open() {
        let mut halves = Halves::default();
        let ticket = halves.begin(0, None).unwrap();
        halves.failed(ticket);
        assert_eq!(halves.standing(0), Standing::Open);
        assert!(halves.begin(0, None).is_ok());
    }

    #[test]
    fn a_producer_that_knows_an_old_copy_decides_the_newest() {
        let (mut halves, x) = (Halves::default(), id("x"));
        halves.replace(0, Some(&x), copy(3));
        halves.replace(3, Some(&x), copy(7));
        assert_eq!(halves.copy_at(7, Some(&x)), Some(copy(7)));
        assert_eq!(halves.copy_at(3, Some(&x)), None);
        let ticket = halves.begin(0, Some(&x)).unwrap();
        assert_eq!(halves.done(ticket, Some(&x), Ending::RolledBack), Some(7));
        for named in [0, 3, 7] {
            assert_eq!(halves.begin(named, Some(&x)), Err(Closed::Ended(Ending::RolledBack)), "{named}");
        }
    }

    #[test]
    fn an_end_made_while_the_half_is_copied_holds_for_the_copy() {
        let (mut halves, x) = (Halves::default(), id("x"));
        let early = halves.begin(0, Some(&x)).unwrap();
        halves.done(early, Some(&x), Ending::Committed);
        assert_eq!(halves.replace(0, Some(&x), copy(2)), Some(Ending::Committed));
        assert_eq!(halves.standing(2), Standing::Decided);
        let late = halves.begin(1, Some(&id("y"))).unwrap();
        assert_eq!(halves.replace(1, Some(&id("y")), copy(3)), None);
        assert_eq!(halves.done(late, Some(&id("y")), Ending::Committed), Some(3));
        assert_eq!(halves.standing(3), Standing::Decided);
    }

    #[test]
    fn what_was_given_up_is_known_until_it_is_appended_again() {
        let (mut halves, x) = (Halves::default(), id("x"));
        halves.give_up(0, Some(&x));
        assert_eq!(halves.begin(0, Some(&x)), Err(Closed::Ended(Ending::GivenUp)));
        halves.appended(Some(&x), copy(4));
        let ticket = halves.begin(0, Some(&x)).unwrap();
        assert_eq!(halves.done(ticket, Some(&x), Ending::Committed), Some(4));
    }

    #[test]
    fn only_so_many_endings_are_remembered() {
        let mut halves = Halves::default();
        for n in 0..=REMEMBERED {
            halves.remember(Some(&id(&n.to_string())), Ending::Committed);
        }
        halves.settle(1);
        assert_eq!(halves.begin(0, Some(&id("0"))), Err(Closed::Forgotten));
        assert_eq!(halves.begin(0, Some(&id("1"))), Err(Closed::Ended(Ending::Committed)));
        assert_eq!(halves.ended.order.len(), halves.ended.by_id.len());
    }
}
