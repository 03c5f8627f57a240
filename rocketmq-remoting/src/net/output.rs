//! The write buffer of a connection, with those who wait for its bytes to be written.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Buf, BytesMut};
use tokio::sync::oneshot;

use super::error::{CallError, CloseReason};
use crate::command::Command;
use crate::frame;

/// Frees an empty buffer that grew beyond this many bytes.
const KEEP: usize = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Output {
    buffer: BytesMut,
    /// All bytes ever put into the buffer, and all ever taken out.
    queued: u64,
    written: u64,
    oneways: VecDeque<(u64, oneshot::Sender<Result<(), CallError>>)>,
    pushes: VecDeque<(u64, usize)>,
}

impl Output {
    pub fn put(&mut self, command: &Command) -> Result<(), CallError> {
        let before = self.buffer.len();
        frame::encode(command, &mut self.buffer)?;
        self.queued += (self.buffer.len() - before) as u64;
        Ok(())
    }

    /// Answers `done` once all bytes put so far are written.
    pub fn tell_when_written(&mut self, done: oneshot::Sender<Result<(), CallError>>) {
        self.oneways.push_back((self.queued, done));
    }

    /// Records the size that a push was counted with.
    pub fn pushed(&mut self, size: usize) {
        self.pushes.push_back((self.queued, size));
    }

    pub fn waiting(&self) -> &[u8] {
        &self.buffer
    }

    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Returns the size of the buffer.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Gives back a buffer in which nothing waits.
    pub fn shrink(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// Removes written bytes, and subtracts the pushes among them from `pushed`.
    pub fn wrote(&mut self, bytes: usize, pushed: &AtomicUsize) {
        self.buffer.advance(bytes);
        self.written += bytes as u64;
        if self.buffer.is_empty() && self.buffer.capacity() > KEEP {
            self.buffer = BytesMut::new();
        }
        while self.oneways.front().is_some_and(|(end, _)| *end <= self.written) {
            if let Some((_, done)) = self.oneways.pop_front() {
                // A failed send means that the caller no longer waits.
                let _ = done.send(Ok(()));
            }
        }
        while self.pushes.front().is_some_and(|(end, _)| *end <= self.written) {
            if let Some((_, size)) = self.pushes.pop_front() {
                pushed.fetch_sub(size, Ordering::Relaxed);
            }
        }
    }

    /// Tells everyone who waits that no more bytes will be written.
    pub fn fail(&mut self, reason: &std::sync::Arc<CloseReason>) {
        for (_, done) in self.oneways.drain(..) {
            let _ = done.send(Err(CallError::Closed(reason.clone())));
        }
    }
}
