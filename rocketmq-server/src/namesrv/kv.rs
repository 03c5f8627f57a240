//! The key-value configuration: texts by namespace and key, in one file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Namespace of the ordered topics. Its keys are topics, its values texts such as `brokerA:4;brokerB:4`.
pub(super) const ORDER_TOPICS: &str = "ORDER_TOPIC_CONFIG";

type Table = BTreeMap<String, BTreeMap<String, String>>;

/// The content of the file, in Apache's form.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OnDisk {
    config_table: Table,
}

/// The key-value configuration of one name server.
#[derive(Debug, Default)]
pub(super) struct KvConfig {
    table: Table,
    path: Option<PathBuf>,
}

impl KvConfig {
    /// Reads the file at `path`, or its backup if the process died while it wrote. Without a path the values live in
    /// memory only.
    ///
    /// # Errors
    /// Fails if a file exists, but neither it nor its backup can be read. An empty table would replace the settings at
    /// the next change.
    pub(super) fn open(path: Option<PathBuf>) -> io::Result<Self> {
        let table = match &path {
            Some(path) => load(path)?,
            None => Table::new(),
        };
        Ok(Self { table, path })
    }

    pub(super) fn get(&self, namespace: &str, key: &str) -> Option<&str> {
        self.table.get(namespace)?.get(key).map(String::as_str)
    }

    pub(super) fn namespace(&self, namespace: &str) -> Option<&BTreeMap<String, String>> {
        self.table.get(namespace)
    }

    /// Sets one value and writes the file.
    pub(super) fn put(&mut self, namespace: String, key: String, value: String) -> io::Result<()> {
        self.table.entry(namespace).or_default().insert(key, value);
        self.save()
    }

    /// Removes one value and writes the file.
    pub(super) fn delete(&mut self, namespace: &str, key: &str) -> io::Result<()> {
        if let Some(entries) = self.table.get_mut(namespace) {
            entries.remove(key);
        }
        self.save()
    }

    fn save(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = serde_json::to_vec_pretty(&serde_json::json!({ "configTable": self.table }))?;
        replace(path, &text)
    }
}

/// Returns the table of the file, or that of its backup if the file is missing or damaged. Returns an empty table if
/// neither exists.
fn load(path: &Path) -> io::Result<Table> {
    let mut damage = None;
    for candidate in [path, &backup(path)] {
        match read(candidate) {
            Ok(table) => return Ok(table),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => damage = damage.or(Some(error)),
        }
    }
    damage.map_or_else(|| Ok(Table::new()), Err)
}

fn read(path: &Path) -> io::Result<Table> {
    let on_disk: OnDisk = serde_json::from_slice(&fs::read(path)?).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
    })?;
    Ok(on_disk.config_table)
}

/// Writes the text beside the file, then swaps the two. A crash leaves either the old or the new text, whole.
pub(super) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let fresh = with_suffix(path, ".tmp");
    let mut file = File::create(&fresh)?;
    file.write_all(text)?;
    file.sync_all()?;
    if path.exists() {
        fs::rename(path, backup(path))?;
    }
    fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}

fn backup(path: &Path) -> PathBuf {
    with_suffix(path, ".bak")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(kv: &mut KvConfig, key: &str, value: &str) {
        kv.put("N".into(), key.into(), value.into()).unwrap();
    }

    #[test]
    fn values_outlive_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/kvConfig.json");
        let mut kv = KvConfig::open(Some(path.clone())).unwrap();
        put(&mut kv, "a", "1");
        put(&mut kv, "b", "2");
        kv.delete("N", "a").unwrap();

        let again = KvConfig::open(Some(path)).unwrap();
        assert_eq!((again.get("N", "a"), again.get("N", "b")), (None, Some("2")));
    }

    #[test]
    fn a_crash_between_the_two_renames_loses_the_last_change_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kvConfig.json");
        let mut kv = KvConfig::open(Some(path.clone())).unwrap();
        put(&mut kv, "a", "1");
        fs::rename(&path, backup(&path)).unwrap();
        assert_eq!(KvConfig::open(Some(path)).unwrap().get("N", "a"), Some("1"));
    }

    #[test]
    fn a_file_that_is_not_json_is_named_in_the_error_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kvConfig.json");
        fs::write(&path, "not json").unwrap();
        let error = KvConfig::open(Some(path.clone())).unwrap_err().to_string();
        assert!(error.contains("kvConfig.json"), "{error}");
        assert_eq!(fs::read_to_string(path).unwrap(), "not json");
    }

    #[test]
    fn without_a_path_nothing_is_written() {
        let mut kv = KvConfig::open(None).unwrap();
        put(&mut kv, "a", "1");
        assert_eq!(kv.namespace("N").unwrap().len(), 1);
        assert!(kv.namespace("M").is_none());
    }
}
