//! [`OffsetStore`]: keeps a group's offsets, on the broker for clustering, in a local file for broadcasting.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;
use parking_lot::Mutex;
use rocketmq_remoting::body::MessageModel;
use rocketmq_remoting::fastjson;
use rocketmq_remoting::route::MessageQueue;
use serde::Deserialize;

use crate::consumer::calls::Calls;
use crate::consumer::subscriptions::invalid;
use crate::error::{CallError, StartError};

/// The most tries to store the last offsets.
const LAST_ROUNDS: u32 = 3;

/// Keeps the offsets in one of the two places.
#[derive(Clone)]
pub(crate) enum OffsetStore {
    /// The broker of each queue.
    Broker(Calls),
    /// A file on this machine.
    File(Arc<LocalOffsets>),
}

impl OffsetStore {
    /// Opens the place for a group of this model. `folder` is for broadcasting; default `~/.rocketmq_offsets`.
    pub(crate) fn open(
        model: MessageModel,
        calls: &Calls,
        folder: Option<PathBuf>,
    ) -> Result<Self, StartError> {
        if model == MessageModel::Clustering {
            return Ok(OffsetStore::Broker(calls.clone()));
        }
        let home = || std::env::home_dir().map(|home| home.join(".rocketmq_offsets"));
        let folder = folder.or_else(home).ok_or_else(|| {
            invalid("there is no home folder to keep offsets in: set offset_folder".to_owned())
        })?;
        let file = LocalOffsets::path(&folder, &calls.cluster.stable_id(), &calls.group);
        let offsets = LocalOffsets::open(file).map_err(|error| invalid(error.to_string()))?;
        Ok(OffsetStore::File(Arc::new(offsets)))
    }

    /// Tells whether brokers keep the offsets.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, OffsetStore::Broker(_))
    }

    /// Loads the group's offset of a queue; `None` when there is none.
    pub(crate) async fn load(&self, queue: &MessageQueue) -> Result<Option<i64>, CallError> {
        match self {
            OffsetStore::Broker(calls) => calls.stored_offset(queue).await,
            OffsetStore::File(file) => Ok(file.get(queue)),
        }
    }

    /// Stores progress, and waits for the broker's word: of two updates under way at once Apache's brokers may take
    /// either first, and the older one would win. A failure is logged: the next round stores it again.
    pub(crate) async fn store(&self, offsets: Vec<(MessageQueue, i64)>) {
        match self {
            OffsetStore::Broker(calls) => {
                let stored = offsets.iter().map(|(queue, offset)| async move {
                    if let Err(error) = calls.store_offset(queue, *offset).await {
                        tracing::warn!(group = calls.group, ?queue, offset, "offset not stored: {error}");
                    }
                });
                join_all(stored).await;
            }
            OffsetStore::File(file) => file.clone().save(offsets).await,
        }
    }

    /// Stores the last word on these queues, and looks whether it stands: the last pull carried an older offset, and
    /// Apache's brokers may take that one after this.
    pub(crate) async fn store_last(&self, mut offsets: Vec<(MessageQueue, i64)>) {
        for _ in 0..LAST_ROUNDS {
            self.store(offsets.clone()).await;
            offsets = self.behind(offsets).await;
            if offsets.is_empty() {
                return;
            }
        }
    }

    /// Returns the queues of which the broker has an older offset.
    async fn behind(&self, offsets: Vec<(MessageQueue, i64)>) -> Vec<(MessageQueue, i64)> {
        let OffsetStore::Broker(calls) = self else { return Vec::new() };
        let looked = offsets.into_iter().map(|(queue, offset)| async move {
            let stored = calls.stored_offset(&queue).await.ok().flatten()?;
            (stored < offset).then_some((queue, offset))
        });
        join_all(looked).await.into_iter().flatten().collect()
    }

    /// Stores one offset before anything else happens to the queue.
    pub(crate) async fn store_now(&self, queue: &MessageQueue, offset: i64) -> Result<(), CallError> {
        match self {
            OffsetStore::Broker(calls) => calls.store_offset(queue, offset).await,
            OffsetStore::File(file) => {
                file.clone().save(vec![(queue.clone(), offset)]).await;
                Ok(())
            }
        }
    }
}

/// The offsets of a broadcasting consumer, in the file a Java consumer of the same client id and group would use.
///
/// The file is replaced as a whole: written beside, synced, then renamed over; its predecessor stays as `.bak`. A crash at
/// any point leaves one of the two complete.
#[derive(Debug)]
pub(crate) struct LocalOffsets {
    file: PathBuf,
    table: Mutex<BTreeMap<MessageQueue, i64>>,
    writing: Mutex<()>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OffsetFile {
    #[serde(default)]
    offset_table: BTreeMap<MessageQueue, i64>,
}

impl LocalOffsets {
    /// Returns the path of the file below `folder` (Java: `rocketmq.client.localOffsetStoreDir`, else
    /// `~/.rocketmq_offsets`).
    pub(crate) fn path(folder: &Path, client_id: &str, group: &str) -> PathBuf {
        folder.join(client_id).join(group).join("offsets.json")
    }

    /// Reads the file, or its predecessor when it is missing, empty or damaged.
    ///
    /// # Errors
    /// The file exists, and neither it nor its predecessor can be read; the text says what to do.
    pub(crate) fn open(file: PathBuf) -> io::Result<Self> {
        let table = match read(&file) {
            Ok(Some(table)) => table,
            found => match (found, read(&backup(&file))) {
                (_, Ok(Some(table))) => table,
                (Ok(_), Ok(_)) => BTreeMap::new(),
                (Err(error), _) | (_, Err(error)) => return Err(error),
            },
        };
        Ok(Self { file, table: Mutex::new(table), writing: Mutex::new(()) })
    }

    /// Returns the stored offset.
    pub(crate) fn get(&self, queue: &MessageQueue) -> Option<i64> {
        self.table.lock().get(queue).copied()
    }

    async fn save(self: Arc<Self>, offsets: Vec<(MessageQueue, i64)>) {
        let file = self.file.clone();
        let saved = tokio::task::spawn_blocking(move || self.merge(offsets)).await;
        let failed = match saved {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!(file = %file.display(), "offsets not stored: {failed}");
    }

    /// Queues not mentioned keep what the file says of them.
    fn merge(&self, offsets: Vec<(MessageQueue, i64)>) -> io::Result<()> {
        let _writing = self.writing.lock();
        let text = {
            let mut table = self.table.lock();
            let before = table.clone();
            table.extend(offsets);
            if *table == before && self.file.exists() {
                return Ok(());
            }
            java_text(&table)
        };
        replace(&self.file, text.as_bytes())
    }
}

fn backup(file: &Path) -> PathBuf {
    file.with_extension("json.bak")
}

fn read(file: &Path) -> io::Result<Option<BTreeMap<MessageQueue, i64>>> {
    let bytes = match fs::read(file) {
        Ok(bytes) if bytes.is_empty() => return Ok(None),
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(describe(file, &error)),
    };
    let content: OffsetFile = fastjson::from_slice(&bytes).map_err(|error| describe(file, &error))?;
    Ok(Some(content.offset_table))
}

fn describe(file: &Path, error: &dyn std::fmt::Display) -> io::Error {
    let text = format!(
        "offsets of {} cannot be read: {error}; repair the file, or remove it and its .bak to start anew",
        file.display()
    );
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = file.with_extension("json.tmp");
    let mut out = fs::File::create(&fresh)?;
    out.write_all(content)?;
    out.sync_all()?;
    match fs::rename(file, backup(file)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(&fresh, file)
}

/// Makes the text that Java 5.4.0 writes: pretty-printed, with the queues themselves as keys.
fn java_text(table: &BTreeMap<MessageQueue, i64>) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let entries: Vec<String> = table
        .iter()
        .map(|(queue, offset)| {
            format!(
                "\t\t{{\n\t\t\t\"brokerName\":{},\n\t\t\t\"queueId\":{},\n\t\t\t\"topic\":{}\n\t\t}}:{offset}",
                quoted(&queue.broker_name),
                queue.queue_id,
                quoted(&queue.topic)
            )
        })
        .collect();
    format!("{{\n\t\"offsetTable\":{{\n{}\n\t}}\n}}", entries.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `OffsetSerializeWrapper.toJson(true)` of 5.4.0 writes it.
    const JAVA_5: &str = "{\n\t\"offsetTable\":{\n\t\t{\n\t\t\t\"brokerName\":\"broker-a\",\n\t\t\t\"queueId\":0,\n\t\t\t\"topic\":\"orders\"\n\t\t}:17,\n\t\t{\n\t\t\t\"brokerName\":\"broker-a\",\n\t\t\t\"queueId\":1,\n\t\t\t\"topic\":\"orders\"\n\t\t}:5000000000\n\t}\n}";
    /// As 4.9.7 writes it.
    const JAVA_4: &str = "{\n\t\"offsetTable\":{{\n\t\t\t\"brokerName\":\"broker-a\",\n\t\t\t\"queueId\":0,\n\t\t\t\"topic\":\"orders\"\n\t\t}:17,{\n\t\t\t\"brokerName\":\"broker-a\",\n\t\t\t\"queueId\":1,\n\t\t\t\"topic\":\"orders\"\n\t\t}:5000000000\n\t}\n}";

    fn queue(id: i32) -> MessageQueue {
        MessageQueue::new("orders", "broker-a", id)
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = LocalOffsets::path(folder.path(), "10.0.0.5@DEFAULT", "g");
        (folder, file)
    }

    #[test]
    fn files_of_both_java_lines_are_read() {
        for text in [JAVA_5, JAVA_4] {
            let (_folder, file) = folder();
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            let offsets = LocalOffsets::open(file).unwrap();
            assert_eq!((offsets.get(&queue(0)), offsets.get(&queue(1))), (Some(17), Some(5_000_000_000)));
            assert_eq!(offsets.get(&queue(2)), None);
        }
    }

    #[test]
    fn the_file_is_written_as_java_writes_it_and_other_queues_stay() {
        let (_folder, file) = folder();
        let offsets = LocalOffsets::open(file.clone()).unwrap();
        offsets.merge(vec![(queue(1), 5_000_000_000)]).unwrap();
        offsets.merge(vec![(queue(0), 17)]).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), JAVA_5);
        assert_eq!(read(&backup(&file)).unwrap().unwrap().len(), 1);
    }

    #[test]
    fn a_crash_at_any_point_loses_at_most_the_last_write() {
        let (_folder, file) = folder();
        let offsets = LocalOffsets::open(file.clone()).unwrap();
        offsets.merge(vec![(queue(0), 1)]).unwrap();
        offsets.merge(vec![(queue(0), 2)]).unwrap();
        let reopened = || LocalOffsets::open(file.clone()).unwrap().get(&queue(0));
        fs::write(file.with_extension("json.tmp"), "{\"offs").unwrap();
        assert_eq!(reopened(), Some(2), "while the new file is written");
        fs::remove_file(&file).unwrap();
        assert_eq!(reopened(), Some(1), "between the two renames");
        fs::write(&file, "").unwrap();
        assert_eq!(reopened(), Some(1), "a file system that lost the content");
        fs::write(&file, "{\"offsetTable\":{{").unwrap();
        assert_eq!(reopened(), Some(1), "a file that Java wrote half");
    }

    #[test]
    fn two_damaged_files_are_an_error_that_names_the_file() {
        let (_folder, file) = folder();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "[").unwrap();
        fs::write(backup(&file), "[").unwrap();
        let error = LocalOffsets::open(file.clone()).unwrap_err().to_string();
        assert!(error.contains("offsets.json") && error.contains("remove it"), "{error}");
    }
}
