//! Collects the log lines of this thread's client and broker while a test runs.

use std::sync::Arc;

use tempfile::NamedTempFile;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use crate::TestResult;

/// The lines from INFO up, until it is dropped. Tests that use it run on one thread, as `#[tokio::test]` does.
#[derive(Debug)]
pub struct Log {
    file: NamedTempFile,
    _subscribed: DefaultGuard,
}

impl Log {
    /// Listens from now on.
    ///
    /// # Errors
    /// There is no room for a file.
    pub fn start() -> TestResult<Self> {
        let file = NamedTempFile::new()?;
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Arc::new(file.reopen()?));
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(LevelFilter::INFO));
        Ok(Self { file, _subscribed: tracing::subscriber::set_default(subscriber) })
    }

    /// The lines so far that hold each of these words, such as a level, a crate and a name.
    pub fn lines(&self, words: &[&str]) -> Vec<String> {
        let log = std::fs::read_to_string(self.file.path()).unwrap_or_default();
        let lines = log.lines().filter(|line| words.iter().all(|word| line.contains(word)));
        lines.map(str::to_owned).collect()
    }
}
