//! The write buffer of a connection, with those who wait for its bytes to be written.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Buf, BytesMut};
use tokio::sync::oneshot;

use super::error::{CallError, CloseReason};
use crate::command::Command;
use crate::error::EncodeError;
use crate::frame;

/// Frees an empty buffer that grew beyond this many bytes.
const KEEP: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Output {
    buffer: BytesMut,
    /// Largest frame that the peer takes.
    max_frame: usize,
    /// All bytes ever put into the buffer, and all ever taken out.
    queued: u64,
    written: u64,
    oneways: VecDeque<(u64, oneshot::Sender<Result<(), CallError>>)>,
    pushes: VecDeque<(u64, usize)>,
}

impl Output {
    pub fn new(max_frame: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            max_frame,
            queued: 0,
            written: 0,
            oneways: VecDeque::new(),
            pushes: VecDeque::new(),
        }
    }

    /// Appends a frame, unless the peer would close the connection over it and so fail all that is under way.
    pub fn put(&mut self, command: &Command) -> Result<(), CallError> {
        self.check_length(command.body.len())?;
        let before = self.buffer.len();
        frame::encode(command, &mut self.buffer)?;
        let length = self.buffer.len() - before;
        if let Err(error) = self.check_length(length) {
            self.buffer.truncate(before);
            return Err(error.into());
        }
        self.queued += length as u64;
        Ok(())
    }

    fn check_length(&self, length: usize) -> Result<(), EncodeError> {
        if length <= self.max_frame {
            return Ok(());
        }
        Err(EncodeError::TooLong { what: "the frame", length, limit: self.max_frame })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::RequestCode;

    #[test]
    fn a_frame_that_the_peer_does_not_take_is_refused_and_leaves_nothing_behind() {
        let mut output = Output::new(1000);
        let command = |body: usize| Command::request(RequestCode::HEART_BEAT).with_body(vec![0; body]);
        output.put(&command(0)).unwrap();
        let header = output.waiting().len();
        for body in [1001 - header, 1000, 1001] {
            let error = output.put(&command(body)).unwrap_err().to_string();
            assert!(error.contains("the frame") && error.contains("1000"), "{error}");
            assert_eq!(output.waiting().len(), header);
        }
        output.put(&command(1000 - header)).unwrap();
        assert_eq!(output.waiting().len(), header + 1000);
    }
}
