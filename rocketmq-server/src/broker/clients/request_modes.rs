//! The request modes: a group pulls a topic or pops it, as SET_MESSAGE_REQUEST_MODE (401) says; `messageRequestMode.json`.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use rocketmq_remoting::body::assignment::{AllMessageRequestModes, MessageRequestModeBody};

use crate::broker::persist::table_file::TableFile;
use crate::store::StoreError;

/// The modes by topic and group. Without an entry a group pulls.
#[derive(Debug)]
pub(crate) struct RequestModes {
    modes: Mutex<BTreeMap<String, BTreeMap<String, MessageRequestModeBody>>>,
    file: TableFile,
}

impl RequestModes {
    /// Reads the file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn open(file: TableFile) -> Result<Self, StoreError> {
        let stored: AllMessageRequestModes = file.load()?;
        let modes = Mutex::new(stored.message_request_mode_map);
        Ok(Self { modes, file })
    }

    pub(crate) fn get(&self, topic: &str, group: &str) -> Option<MessageRequestModeBody> {
        self.modes.lock().get(topic)?.get(group).cloned()
    }

    /// Sets a mode and writes the file.
    ///
    /// # Errors
    /// The disk refuses; the mode is then set until the next restart only.
    pub(crate) fn set(&self, mode: MessageRequestModeBody) -> Result<(), StoreError> {
        {
            let mut modes = self.modes.lock();
            modes.entry(mode.topic.clone()).or_default().insert(mode.consumer_group.clone(), mode);
        }
        self.file.save(|| self.snapshot())
    }

    pub(crate) fn snapshot(&self) -> AllMessageRequestModes {
        AllMessageRequestModes { message_request_mode_map: self.modes.lock().clone() }
    }
}
