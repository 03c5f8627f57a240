//! Tables kept as JSON files in `<store>/config`, readable and writable by Apache's broker.

use std::path::{Path, PathBuf};

use rocketmq_remoting::fastjson;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{StoreError, config_file};

/// One file of the configuration folder.
#[derive(Debug, Clone)]
pub struct TableFile {
    path: PathBuf,
}

impl TableFile {
    pub fn new(store_root: &Path, name: &str) -> Self {
        let path = store_root.join("config").join(name);
        Self { path }
    }

    /// Reads the file, or its backup when the file is missing or torn; the default when neither is there.
    ///
    /// # Errors
    /// Neither copy can be read although one exists; the error names the file.
    pub fn load<T: DeserializeOwned + Default>(&self) -> Result<T, StoreError> {
        Ok(config_file::load(&self.path, fastjson::from_slice)?.unwrap_or_default())
    }

    /// Replaces the file durably, keeping the old one as `.bak`.
    ///
    /// # Errors
    /// The disk refuses; the file is then as before, or its backup is.
    pub fn save<T: Serialize>(&self, table: &T) -> Result<(), StoreError> {
        config_file::save(&self.path, &self.pretty(table)?)
    }

    /// JSON indented by tabs, as fastjson writes these files.
    fn pretty<T: Serialize>(&self, table: &T) -> Result<Vec<u8>, StoreError> {
        let mut out = Vec::new();
        let format = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let written = table.serialize(&mut serde_json::Serializer::with_formatter(&mut out, format));
        written.map_err(|error| StoreError::Unusable {
            path: self.path.clone(),
            problem: format!("its table has no form in JSON: {error}"),
        })?;
        Ok(out)
    }
}
