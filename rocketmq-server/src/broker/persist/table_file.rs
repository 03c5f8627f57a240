//! Tables kept as JSON files in `<store>/config`, readable and writable by Apache's broker.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rocketmq_remoting::fastjson;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::StoreError;
use crate::store::config_file::{self, Readers};

/// One file of the configuration folder.
#[derive(Debug)]
pub(crate) struct TableFile {
    path: PathBuf,
    readers: Readers,
    writing: Mutex<()>,
}

impl TableFile {
    pub(crate) fn new(store_root: &Path, name: &str) -> Self {
        let path = store_root.join("config").join(name);
        Self { path, readers: Readers::Anyone, writing: Mutex::default() }
    }

    /// One that only the owner of the process may read.
    pub(crate) fn secret(store_root: &Path, name: &str) -> Self {
        Self { readers: Readers::Owner, ..Self::new(store_root, name) }
    }

    /// Reads the file, or its backup when the file is missing or torn; the default when neither is there. Files that cannot
    /// be read are reported and put aside.
    ///
    /// # Errors
    /// The disk refuses. A secret file is there that cannot be read: the broker would be open to others, or closed to all.
    pub(crate) fn load<T: DeserializeOwned + Default>(&self) -> Result<T, StoreError> {
        let loaded = match self.readers {
            Readers::Owner => config_file::load_table(&self.path, fastjson::from_slice),
            _ => config_file::load_table_or_set_aside(&self.path, fastjson::from_slice),
        };
        Ok(loaded?.unwrap_or_default())
    }

    /// Replaces the file durably, keeping the old one as `.bak`. The table is asked for when its turn has come: of two
    /// changes at once, the later is what stays on disk.
    ///
    /// # Errors
    /// The disk refuses; the file is then as before, or its backup is.
    pub(crate) fn save<T: Serialize>(&self, table: impl FnOnce() -> T) -> Result<(), StoreError> {
        let _one_at_a_time = self.writing.lock();
        config_file::save_table(&self.path, &self.pretty(&table())?, self.readers)
    }

    fn pretty<T: Serialize>(&self, table: &T) -> Result<Vec<u8>, StoreError> {
        let compact = fastjson::to_vec(table).map_err(|error| StoreError::Unusable {
            path: self.path.clone(),
            problem: format!("its table has no form in JSON: {error}"),
        })?;
        Ok(indent(&compact))
    }
}

/// Breaks compact JSON into lines indented by tabs, as Apache's broker writes these files.
fn indent(compact: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(compact.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for (at, byte) in compact.iter().copied().enumerate() {
        let after = compact.get(at + 1).copied();
        match byte {
            _ if in_string => {
                out.push(byte);
                in_string = byte != b'"' || escaped;
                escaped = byte == b'\\' && !escaped;
            }
            b'{' | b'[' => {
                out.push(byte);
                depth += 1;
                if !matches!(after, Some(b'}' | b']')) {
                    break_line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth -= 1;
                if !matches!(out.last(), Some(b'{' | b'[')) {
                    break_line(&mut out, depth);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                break_line(&mut out, depth);
            }
            _ => {
                in_string = byte == b'"';
                out.push(byte);
            }
        }
    }
    out
}

fn break_line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.resize(out.len() + depth, b'\t');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn changes_at_once_leave_a_whole_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = TableFile::new(dir.path(), "table.json");
        let newest = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    newest.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    let table = || BTreeMap::from([("n", newest.load(std::sync::atomic::Ordering::SeqCst))]);
                    file.save(table).unwrap();
                });
            }
        });
        let table: BTreeMap<String, u32> = file.load().unwrap();
        assert_eq!(table["n"], 8);
    }

    #[test]
    fn lines_break_as_in_apaches_files() {
        let compact = br#"{"a":{},"b":{1:[2,3]},"c":"{,\\\"}"}"#;
        let lines = String::from_utf8(indent(compact)).unwrap();
        assert_eq!(
            lines,
            "{\n\t\"a\":{},\n\t\"b\":{\n\t\t1:[\n\t\t\t2,\n\t\t\t3\n\t\t]\n\t},\n\t\"c\":\"{,\\\\\\\"}\"\n}"
        );
    }
}
