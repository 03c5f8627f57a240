//! The level of the application's log: the configuration sets it, and the program's subscriber follows.

use super::App;
use crate::config::parse;
use crate::config::sources::Sources;
use std::fmt;
use std::sync::Arc;
use tracing::level_filters::LevelFilter;

/// The function of [`App::on_log_level`](crate::App::on_log_level).
pub(super) type OnLogLevel = Arc<dyn Fn(LevelFilter) + Send + Sync>;

/// The level, and the function that sets it.
#[derive(Clone)]
pub(super) struct Level {
    change: Option<OnLogLevel>,
    first: Option<LevelFilter>,
}

impl Level {
    pub(super) fn of(app: &App, sources: &Sources) -> Self {
        let found = sources.find("rocketmq.log-level").ok().flatten();
        let first = found.and_then(|found| parse::log_level(&found.text).ok());
        Level { change: app.on_log_level.clone(), first }
    }

    /// Sets the level with which the application starts. Warns if nothing follows it.
    pub(super) fn start(&self) {
        if self.first.is_some() && !self.set(self.first) {
            tracing::warn!(
                "`rocketmq.log-level` has no effect: give the application a function by `App::on_log_level`"
            );
        }
    }

    /// Sets a level; returns false if the program gave no function, or the key has no value any more.
    pub(super) fn set(&self, level: Option<LevelFilter>) -> bool {
        let (Some(change), Some(level)) = (&self.change, level) else { return false };
        change(level);
        true
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Level").field("first", &self.first).finish_non_exhaustive()
    }
}
