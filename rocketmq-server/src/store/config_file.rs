//! Configuration files below `<root>/config`, replaced so that a crash at any moment leaves a whole one.
//!
//! The current file becomes `.bak`, the new one is complete and on the platter before it takes the name. Reading falls
//! back to `.bak` when the file is missing, empty or torn, as Apache's broker does. Tables carry a checksum.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::checksum::{self, Checked};
use super::dirs;
use super::disk::RealDisk;
use super::error::StoreError;

/// The readers of a file that is written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// As the process is set up.
    Anyone,
    /// Its owner alone, where the system knows owners: it holds secrets.
    Owner,
    /// Those who could read the file that is replaced.
    AsBefore,
}

/// Replaces the file at `path` by `text`, keeping the one before as `path.bak`.
///
/// # Errors
/// Names the file that could not be written. The old file, or its `.bak`, is still there.
pub fn save(path: &Path, text: &[u8], readers: Readers) -> Result<(), StoreError> {
    let dir = dirs::parent(path);
    dirs::create(dir, &RealDisk)?;
    let fresh = with_suffix(path, ".tmp");
    write_synced(&fresh, path, text, readers).map_err(|e| StoreError::io("write", &fresh, e))?;
    if is_usable(path) {
        let backup = with_suffix(path, ".bak");
        fs::rename(path, &backup).map_err(|e| StoreError::io("keep", path, e))?;
    }
    fs::rename(&fresh, path).map_err(|e| StoreError::io("replace", path, e))?;
    dirs::sync(dir, &RealDisk)
}

/// [`save`]s a table, a JSON object, with a checksum of its own.
///
/// # Errors
/// As [`save`].
pub(crate) fn save_table(path: &Path, json: &[u8], readers: Readers) -> Result<(), StoreError> {
    save(path, &checksum::sign(json), readers)
}

/// [`load`]s a table. If its checksum shows a flipped bit, the file is mended too.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_table<T, E: std::fmt::Display>(
    path: &Path,
    parse: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<Option<T>, StoreError> {
    load_each(path, |file, text| match checksum::check(text) {
        Checked::Intact(json) => parse(&json),
        Checked::Mended(json, byte) => {
            tracing::warn!(
                file = %file.display(),
                byte,
                "one bit of a table was damaged; its checksum shows which, and the file is mended \
                 (whoever changes a table by hand removes its member \"checksum\")"
            );
            mend(file, &json);
            parse(&json)
        }
        Checked::Changed(json) => {
            tracing::warn!(file = %file.display(), "a table was changed by hand, or is damaged: its checksum is another");
            parse(&json)
        }
        Checked::Unsigned => parse(text),
    })
}

/// Writes a table back that lacked one bit. Without success it is mended again at the next start.
fn mend(file: &Path, json: &[u8]) {
    let fresh = with_suffix(file, ".tmp");
    let written = write_synced(&fresh, file, &checksum::sign(json), Readers::AsBefore);
    if let Err(error) = written.and_then(|()| fs::rename(&fresh, file)) {
        tracing::warn!(file = %file.display(), %error, "a mended table could not be written back");
    }
}

/// [`load_table`], which puts what cannot be read aside and does without.
///
/// # Errors
/// The disk refuses.
pub(crate) fn load_table_or_set_aside<T, E: std::fmt::Display>(
    path: &Path,
    parse: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<Option<T>, StoreError> {
    match load_table(path, parse) {
        Err(StoreError::Unusable { problem, .. }) => set_aside(path, &problem).map(|()| None),
        loaded => loaded,
    }
}

fn set_aside(path: &Path, problem: &str) -> Result<(), StoreError> {
    for file in [path.to_path_buf(), with_suffix(path, ".bak")].iter().filter(|file| file.exists()) {
        let aside = with_suffix(file, ".damaged");
        fs::rename(file, &aside).map_err(|e| StoreError::io("set aside", file, e))?;
        tracing::error!(
            file = %file.display(),
            kept_as = %aside.display(),
            problem,
            "a table cannot be read: the broker starts without what is in it"
        );
    }
    Ok(())
}

/// Reads the file at `path` with `parse`, or its `.bak` if `parse` refuses the file. Returns `None` if there is
/// neither.
///
/// # Errors
/// Files are there and `parse` refuses all of them: losing a configuration silently would be worse than not starting.
pub fn load<T, E: std::fmt::Display>(
    path: &Path,
    parse: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<Option<T>, StoreError> {
    load_each(path, |_, text| parse(text))
}

fn load_each<T, E: std::fmt::Display>(
    path: &Path,
    parse: impl Fn(&Path, &[u8]) -> Result<T, E>,
) -> Result<Option<T>, StoreError> {
    let mut problem = None;
    for candidate in [path.to_path_buf(), with_suffix(path, ".bak")] {
        match fs::read(&candidate) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(StoreError::io("read", &candidate, e)),
            Ok(text) if is_blank(&text) => {}
            Ok(text) => match parse(&candidate, &text) {
                Ok(value) => return Ok(Some(value)),
                Err(e) => {
                    tracing::warn!(file = %candidate.display(), error = %e, "a configuration file cannot be read");
                    problem.get_or_insert_with(|| e.to_string());
                }
            },
        }
    }
    match problem {
        None => Ok(None),
        Some(problem) => Err(StoreError::Unusable {
            path: path.into(),
            problem: format!("{problem}; its .bak is no better: mend or delete both"),
        }),
    }
}

/// A power cut can leave a file without bytes, or with zeros in their place.
fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|b| *b == 0 || b.is_ascii_whitespace())
}

/// A torn file must not push a good `.bak` out.
fn is_usable(path: &Path) -> bool {
    fs::read(path).is_ok_and(|text| !is_blank(&text) && text.trim_ascii_end().ends_with(b"}"))
}

fn write_synced(path: &Path, replaced: &Path, text: &[u8], readers: Readers) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if readers != Readers::Anyone {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(path)?;
    if readers == Readers::AsBefore {
        file.set_permissions(fs::metadata(replaced)?.permissions())?;
    }
    file.write_all(text)?;
    file.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_json(path: &Path) -> Result<Option<serde_json::Value>, StoreError> {
        load(path, |text| serde_json::from_slice(text))
    }

    #[test]
    fn a_saved_file_is_loaded_and_the_one_before_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config/topics.json");
        assert_eq!(load_json(&path).unwrap(), None);
        save(&path, b"{\"a\":1}", Readers::Anyone).unwrap();
        save(&path, b"{\"a\":2}", Readers::Anyone).unwrap();
        assert_eq!(load_json(&path).unwrap().unwrap()["a"], 2);
        assert_eq!(fs::read(dir.path().join("config/topics.json.bak")).unwrap(), b"{\"a\":1}");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2, "nothing else stays");
    }

    #[test]
    fn a_file_torn_anywhere_falls_back_and_does_not_push_out_the_backup() {
        let whole = b"{\"a\":2}";
        for cut in 0..whole.len() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("topics.json");
            save(&path, b"{\"a\":1}", Readers::Anyone).unwrap();
            save(&path, b"{\"a\":2}", Readers::Anyone).unwrap();
            fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(load_json(&path).unwrap().unwrap()["a"], 1, "cut at {cut}");
            save(&path, b"{\"a\":3}", Readers::Anyone).unwrap();
            assert_eq!(fs::read(with_suffix(&path, ".bak")).unwrap(), b"{\"a\":1}");
        }
    }

    #[test]
    fn zeros_in_place_of_the_text_fall_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("topics.json");
        save(&path, b"{\"a\":1}", Readers::Anyone).unwrap();
        save(&path, b"{\"a\":2}", Readers::Anyone).unwrap();
        fs::write(&path, [0; 512]).unwrap();
        assert_eq!(load_json(&path).unwrap().unwrap()["a"], 1);
        fs::remove_file(&path).unwrap();
        assert_eq!(load_json(&path).unwrap().unwrap()["a"], 1);
    }

    fn load_signed(path: &Path) -> Option<serde_json::Value> {
        load_table_or_set_aside(path, |text| serde_json::from_slice(text)).unwrap()
    }

    #[test]
    fn a_flipped_bit_of_a_table_is_mended_on_disk_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("offsets.json");
        save_table(&path, b"{\"g\":1023}", Readers::Anyone).unwrap();
        let signed = fs::read(&path).unwrap();
        for bit in 0..signed.len() * 8 {
            let mut damaged = signed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, damaged).unwrap();
            assert_eq!(load_signed(&path).unwrap()["g"], 1023, "bit {bit}");
            assert_eq!(fs::read(&path).unwrap(), signed, "bit {bit}");
        }
    }

    #[test]
    fn a_table_that_cannot_be_read_is_kept_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("offsets.json");
        fs::write(&path, "{\"g\":").unwrap();
        assert_eq!(load_signed(&path), None);
        save_table(&path, b"{\"g\":1}", Readers::Anyone).unwrap();
        assert_eq!(load_signed(&path).unwrap()["g"], 1);
        assert_eq!(fs::read(dir.path().join("offsets.json.damaged")).unwrap(), b"{\"g\":");
    }

    #[test]
    fn a_table_as_apaches_broker_writes_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("offsets.json");
        fs::write(&path, "{\n\t\"g\":7\n}").unwrap();
        assert_eq!(load_signed(&path).unwrap()["g"], 7);
    }

    #[test]
    fn two_unreadable_files_are_an_error_that_names_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("topics.json");
        fs::write(&path, "{").unwrap();
        fs::write(with_suffix(&path, ".bak"), "[").unwrap();
        let error = load_json(&path).unwrap_err().to_string();
        assert!(error.contains("topics.json") && error.contains(".bak"), "{error}");
    }
}
