//! The newest bytes of the log, kept in memory so that readers that are up to date touch no file and copy nothing.

use std::collections::VecDeque;

use bytes::Bytes;

/// Blocks as they were written, oldest first, without gaps between records.
#[derive(Debug)]
pub(crate) struct HotTail {
    blocks: VecDeque<(i64, Bytes)>,
    held: usize,
    limit: usize,
}

impl HotTail {
    pub(crate) fn new(limit: usize) -> Self {
        Self { blocks: VecDeque::new(), held: 0, limit }
    }

    /// Adds what was written at log offset `start`, letting the oldest blocks go.
    pub(crate) fn push(&mut self, start: i64, block: Bytes) {
        self.held += block.len();
        self.blocks.push_back((start, block));
        while self.held > self.limit {
            let Some((_, oldest)) = self.blocks.pop_front() else { break };
            self.held -= oldest.len();
        }
    }

    /// Returns the offset at which the oldest block begins.
    pub(crate) fn start(&self) -> Option<i64> {
        self.blocks.front().map(|(start, _)| *start)
    }

    /// `len` bytes at `offset`, when one block holds them all; they share its memory.
    pub(crate) fn slice(&self, offset: i64, len: usize) -> Option<Bytes> {
        let after = self.blocks.partition_point(|(start, _)| *start <= offset);
        let (start, block) = self.blocks.get(after.checked_sub(1)?)?;
        let from = usize::try_from(offset - start).ok()?;
        let end = from.checked_add(len)?;
        (end <= block.len()).then(|| block.slice(from..end))
    }

    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_come_from_the_block_that_holds_them_and_old_blocks_go() {
        let mut tail = HotTail::new(8);
        tail.push(100, Bytes::from_static(b"abcd"));
        tail.push(104, Bytes::from_static(b"efgh"));
        assert_eq!(tail.slice(101, 2).unwrap(), "bc");
        assert_eq!(tail.slice(104, 4).unwrap(), "efgh");
        assert_eq!(tail.slice(102, 4), None, "spans two blocks");
        assert_eq!(tail.slice(99, 1), None);
        tail.push(108, Bytes::from_static(b"ij"));
        assert_eq!(tail.slice(100, 1), None);
        assert_eq!(tail.slice(109, 1).unwrap(), "j");
        assert_eq!(tail.slice(110, 1), None);
    }
}
