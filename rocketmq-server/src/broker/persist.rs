//! Tables kept as JSON files in `<store>/config`, readable and writable by Apache's broker.

use std::io;
use std::path::{Path, PathBuf};

use rocketmq_remoting::fastjson;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::config_file;

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
    pub fn load<T: DeserializeOwned + Default>(&self) -> io::Result<T> {
        let parse = |text: &str| fastjson::from_slice(text.as_bytes()).ok();
        Ok(config_file::load(&self.path, parse)?.unwrap_or_default())
    }

    /// Replaces the file durably, keeping the old one as `.bak`.
    ///
    /// # Errors
    /// The disk refuses; the file is then as before, or its backup is.
    pub fn save<T: Serialize>(&self, table: &T) -> io::Result<()> {
        config_file::save(&self.path, &pretty(table)?)
    }
}

/// JSON indented by tabs, as fastjson writes these files.
fn pretty<T: Serialize>(table: &T) -> io::Result<String> {
    let mut out = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    table
        .serialize(&mut serde_json::Serializer::with_formatter(&mut out, format))
        .map_err(io::Error::other)?;
    String::from_utf8(out).map_err(io::Error::other)
}
