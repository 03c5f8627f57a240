//! Loads a queue from its files at a start, and finds out from where on it cannot be trusted.

use std::fs;

use serde::{Deserialize, Serialize};

use super::ConsumeQueue;
use super::checksums::{Blocks, Checksums, SealedChecksums, Verdict};
use super::files::Files;
use super::state::State;
use super::unit::{self, UNIT_LEN};
use crate::store::error::StoreError;
use crate::store::log::segment::Found;

/// A queue as the seal keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedQueue {
    /// The first offset.
    pub min: i64,
    /// The offset after the last message that lies in the log below the seal's end.
    pub end: i64,
    /// Of all units that were written by then.
    pub checksums: SealedChecksums,
}

/// The result of loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// Files lack the units from this index on, or some of them.
    lacks_from: Option<i64>,
}

impl ConsumeQueue {
    /// Takes over the units on disk, as the seal describes them or as they are found.
    pub(crate) fn load(&self, sealed: Option<&SealedQueue>) -> Result<Loaded, StoreError> {
        let mut state = self.state.lock();
        self.resize(&state.files)?;
        let found = state.files.list()?;
        let first = found.first().map_or(0, |file| state.files.first_index(file));
        let blocks = Blocks::new(state.files.units);
        let unsealed = sealed.and_then(|sealed| Checksums::unseal(blocks, &sealed.checksums));
        let (min, checksums) = match (sealed, unsealed) {
            (Some(sealed), Some(checksums)) => {
                state.synced = checksums.end();
                (sealed.min, checksums)
            }
            _ => {
                let is_unit = |index, unit| state.source.confirms(state.place(index), unit);
                (first, Checksums::unknown(blocks, state.files.find_end(is_unit)?))
            }
        };
        let lacks_from = lacks_from(&state.files, &found, min, checksums.end());
        state.restart(checksums);
        state.min = min.min(state.max());
        self.set_next(state.max());
        Ok(Loaded { lacks_from })
    }

    /// Cuts off the units that cannot be trusted. Returns the log offset from which the log must be read to make them anew;
    /// `None` when the queue is whole.
    pub(crate) fn cut_doubtful(&self, loaded: Loaded) -> Result<Option<i64>, StoreError> {
        let mut state = self.state.lock();
        let Some(end) = doubtful_from(&mut state, loaded)? else { return Ok(None) };
        let from = state.anchor_before(end)?;
        state.cut(end)?;
        self.set_next(end);
        Ok(Some(from))
    }

    /// Cuts off the units of messages at and behind the log offset `from`, and damaged ones among them.
    pub(crate) fn cut_from_log(&self, from: i64) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        let end = index_before_log(&state, from)?;
        state.cut(end)?;
        self.set_next(end);
        Ok(())
    }

    /// The queue for the seal, which vouches for the log below `log_end`.
    pub(crate) fn seal(&self, log_end: i64) -> SealedQueue {
        let state = self.state.lock();
        SealedQueue { min: state.min, end: state.end_below(log_end), checksums: state.checksums.seal() }
    }

    /// Writes the files anew when they were made with another `mappedFileSizeConsumeQueue`.
    fn resize(&self, files: &Files) -> Result<(), StoreError> {
        let found = files.list()?;
        let Some(len) = other_len(files, &found) else { return Ok(()) };
        tracing::warn!(
            topic = %self.topic, queue = self.queue_id, from = len, to = files.len_of_file(),
            "consume queue files were made with another mappedFileSizeConsumeQueue and are written anew"
        );
        let fresh = Files { dir: files.dir.with_extension("resized"), ..files.clone() };
        fresh.delete_all()?;
        for file in &found {
            let units = fs::read(&file.path).map_err(|e| StoreError::io("read", &file.path, e))?;
            let used = unit::decode_all(&units).enumerate().filter(|(_, unit)| !unit.is_blank()).last();
            let mut index = file.start / UNIT_LEN as i64;
            let mut rest = &units[..used.map_or(0, |(last, _)| last + 1) * UNIT_LEN];
            while !rest.is_empty() {
                let room = (files.end_of(index) - index) as usize * UNIT_LEN;
                let (now, later) = rest.split_at(room.min(rest.len()));
                fresh.write(index, now)?;
                index += (now.len() / UNIT_LEN) as i64;
                rest = later;
            }
        }
        files.delete_all()?;
        if fresh.dir.exists() {
            fs::rename(&fresh.dir, &files.dir).map_err(|e| StoreError::io("rename", &fresh.dir, e))?;
        }
        Ok(())
    }
}

/// The length of files that cannot be of the length that is set; a last one that is merely short can.
fn other_len(files: &Files, found: &[Found]) -> Option<u64> {
    let set = files.len_of_file();
    let len = found.first()?.len;
    let fits = found.iter().all(|file| file.len <= set && file.start.unsigned_abs().is_multiple_of(set));
    (!fits && len > 0).then_some(len)
}

/// The first index in `min..end` whose unit no file has.
fn lacks_from(files: &Files, found: &[Found], min: i64, end: i64) -> Option<i64> {
    let mut at = min;
    for file in found.iter().filter(|file| files.first_index(file) + files.units > min) {
        if files.first_index(file) > at {
            break;
        }
        at = files.first_index(file) + (file.len / UNIT_LEN as u64) as i64;
        if file.len < files.len_of_file() {
            break;
        }
    }
    let is_short = found.last().is_some_and(|file| file.len < files.len_of_file());
    (at < end || (is_short && at <= end)).then_some(at.min(end))
}

fn doubtful_from(state: &mut State, loaded: Loaded) -> Result<Option<i64>, StoreError> {
    let max = state.max();
    if loaded.lacks_from.is_some() {
        return Ok(loaded.lacks_from);
    }
    if max <= state.min {
        return Ok(None);
    }
    let (block, verdict) = state.judge(max - 1)?;
    if verdict == Verdict::Damaged {
        return Ok(Some(block.start));
    }
    let last = state.read(max - 1, 1)?.first().copied();
    let is_right = last.is_some_and(|unit| {
        unit.is_filler()
            || (unit.is_written() && unit.end() <= state.source.log.min())
            || state.source.confirms(state.place(max - 1), unit)
    });
    Ok((!is_right).then_some(max - 1))
}

fn index_before_log(state: &State, from: i64) -> Result<i64, StoreError> {
    let mut end = state.max();
    while end > state.min {
        let start = Blocks::new(state.files.units).around(end - 1).start;
        for (index, unit) in state.newest_first(start..end)? {
            let is_before = unit.is_written() && !unit.is_filler() && unit.physical_offset < from;
            if is_before
                && (unit.end() <= state.source.log.min() || state.source.confirms(state.place(index), unit))
            {
                return Ok(index + 1);
            }
        }
        end = start;
    }
    Ok(state.min.min(state.max()))
}
