//! Reads the configuration again while the application runs, and changes what can change.

use super::log_level::Level;
use super::report::{self, Origins};
use crate::config::parse;
use crate::config::report::{ConfigReport, ConfigValue};
use crate::context::Context;
use crate::error::{Mistake, MistakeKind, StartError};
use crate::listener::Spec;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Looks at the sources of a running application; ends when it is dropped.
#[derive(Debug)]
pub(super) struct Watching(JoinHandle<()>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Looks at the sources each time `every` has passed.
pub(super) fn start(mut watch: Watch, context: Context, level: Level, every: Duration) -> Watching {
    Watching(tokio::spawn(async move {
        let mut turns = tokio::time::interval(every);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            // Files are read where waiting harms nobody.
            let looked = tokio::task::spawn_blocking(move || {
                let seen = watch.look();
                (watch, seen)
            });
            let Ok((back, seen)) = looked.await else { return };
            watch = back;
            tell(seen, &context, &level);
        }
    }))
}

/// The sources, and the configuration that they gave last.
#[derive(Debug)]
pub(super) struct Watch {
    origins: Origins,
    /// The files that were read at the start. One that is gone is a mistake, no wish for defaults.
    files: Vec<PathBuf>,
    specs: Vec<Spec>,
    known: ConfigReport,
    /// The mistakes in the present content; each content is complained of once.
    told: Option<String>,
}

/// The result of a look at the sources.
#[derive(Debug)]
enum Seen {
    Changes(Vec<Change>),
    /// The content is wrong; the old one stays.
    Wrong(StartError),
    Nothing,
}

/// A key with another value than before. Keys below a name of the application may be new or gone.
#[derive(Debug, Clone)]
struct Change {
    before: Option<ConfigValue>,
    now: Option<ConfigValue>,
}

impl Watch {
    /// `known`: the configuration with which the application starts.
    pub(super) fn new(origins: Origins, files: &[PathBuf], specs: Vec<Spec>, known: ConfigReport) -> Self {
        let files = files.iter().cloned().chain(origins.dotenv().map(Path::to_owned)).collect();
        Watch { origins, files, specs, known, told: None }
    }

    fn look(&mut self) -> Seen {
        match self.read() {
            Ok(report) => {
                self.told = None;
                let changes = changes(&self.known, &report);
                self.known = report;
                if changes.is_empty() { Seen::Nothing } else { Seen::Changes(changes) }
            }
            Err(error) => {
                let told = self.told.replace(error.listed());
                if told == self.told { Seen::Nothing } else { Seen::Wrong(error) }
            }
        }
    }

    fn read(&self) -> Result<ConfigReport, StartError> {
        let gone = self.files.iter().filter(|file| !file.is_file()).map(|file| {
            let message = format!("the configuration file {} is gone", file.display());
            Mistake::new(MistakeKind::File, message)
        });
        let mut mistakes: Vec<_> = gone.collect();
        if mistakes.is_empty() {
            let sources = self.origins.read(&mut mistakes);
            let report = report::of_sources(&sources, &self.specs, &mut mistakes);
            if mistakes.is_empty() {
                return Ok(report);
            }
        }
        Err(StartError::of(mistakes))
    }
}

/// Compares two reports.
fn changes(before: &ConfigReport, now: &ConfigReport) -> Vec<Change> {
    let changed = now.values().iter().filter_map(|value| {
        let mut olds = before.values().iter().filter(|old| old.key() == value.key()).peekable();
        let is_new = olds.peek().is_none() && value.set().is_some();
        let last = olds.clone().last();
        let is_other = last.is_some() && olds.all(|old| !old.equals(value));
        (is_new || is_other).then(|| Change { before: last.cloned(), now: Some(value.clone()) })
    });
    let gone = before.values().iter().filter(|old| old.set().is_some() && now.get(old.key()).is_none());
    let gone = gone.map(|old| Change { before: Some(old.clone()), now: None });
    changed.chain(gone).collect()
}

/// Logs what was seen, and brings changes into effect.
fn tell(seen: Seen, context: &Context, level: &Level) {
    match seen {
        Seen::Nothing => {}
        Seen::Wrong(error) => {
            let mistakes = error.listed();
            tracing::error!(
                "the changed configuration is wrong, and the one before stays in effect: {mistakes}"
            );
        }
        Seen::Changes(changes) => changes.iter().for_each(|change| {
            let applied = change.now.as_ref().is_some_and(|now| apply(now, context, level));
            if applied {
                tracing::info!("the configuration changed: {change}");
            } else {
                tracing::warn!("the configuration changed, for the next start of the application: {change}");
            }
        }),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.now) {
            (Some(before), Some(now)) => write!(f, "{now}, before it was \"{}\"", before.value()),
            (None, Some(now)) => write!(f, "{now} is new"),
            (Some(before), None) => write!(f, "{before} is gone"),
            (None, None) => Ok(()),
        }
    }
}

/// Brings a value into effect; returns false if only a start can.
fn apply(value: &ConfigValue, context: &Context, level: &Level) -> bool {
    if value.key() == "rocketmq.log-level" {
        return level.set(value.set().and_then(|text| parse::log_level(text).ok()));
    }
    let Some((group, key)) =
        value.key().strip_prefix("rocketmq.consumer.groups.").and_then(|it| it.rsplit_once('.'))
    else {
        return false;
    };
    match key {
        "paused" if parse::switch(value.value()) == Ok(true) => context.pause(group),
        "paused" => context.resume(group),
        "concurrency" => match parse::count(value.value()) {
            Ok(handlers) => context.set_concurrency(group, handlers as usize),
            Err(_) => false,
        },
        "max-reconsume-times" => {
            let times = value.set().and_then(|text| parse::count(text).ok());
            context.set_max_reconsume_times(group, times)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::App;
    use crate::listener::Listener;

    /// An application whose file can be written anew.
    struct Sample {
        file: PathBuf,
        watch: Watch,
        _folder: tempfile::TempDir,
    }

    impl Sample {
        fn new(toml: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("application.toml");
            std::fs::write(&file, toml).unwrap();
            let none: [(&str, &str); 0] = [];
            let listener = Listener::new("t", "g", || async {}).option("concurrency", "2");
            let app = App::new().config_file(&file).environment(none).listener(listener);
            let known = app.config_report().unwrap();
            let watch =
                Watch::new(app.origins.clone(), std::slice::from_ref(&file), report::specs(&app), known);
            Sample { file, watch, _folder: folder }
        }

        fn seen(&mut self, toml: &str) -> Vec<String> {
            std::fs::write(&self.file, toml).unwrap();
            self.look()
        }

        fn look(&mut self) -> Vec<String> {
            let folder = format!("{}/", self.file.parent().unwrap().display());
            let shown = |text: String| text.replace(&folder, "");
            match self.watch.look() {
                Seen::Nothing => Vec::new(),
                Seen::Wrong(error) => vec![shown(format!("wrong: {}", error.listed()))],
                Seen::Changes(changes) => changes.iter().map(|change| shown(change.to_string())).collect(),
            }
        }
    }

    #[test]
    fn a_change_is_seen_once_with_its_line_and_a_removed_key_falls_back() {
        let mut sample = Sample::new("");
        assert!(sample.look().is_empty());
        let key = "rocketmq.consumer.groups.g.concurrency";
        let toml = "[rocketmq.consumer.groups.g]\nconcurrency = 8";
        let changed = format!("{key} = \"8\" (application.toml:2), before it was \"2\"");
        assert_eq!(sample.seen(toml), [changed]);
        assert!(sample.look().is_empty());
        assert!(sample.seen(&format!("\n\n{toml}")).is_empty(), "the same value on another line");
        let back = sample.seen("");
        assert!(back.len() == 1 && back[0].starts_with(&format!("{key} = \"2\" (the listener")), "{back:?}");
    }

    #[test]
    fn wrong_content_keeps_the_old_and_is_told_once() {
        let mut sample = Sample::new("[rocketmq.producer]\nmax-message-size = 5");
        let wrong = sample.seen("[rocketmq.producer]\nmax-message-size = 'big'\ngruop = 'x'");
        assert!(
            wrong[0].contains("application.toml:2") && wrong[0].contains("application.toml:3"),
            "{wrong:?}"
        );
        assert!(sample.look().is_empty(), "it was told");
        assert!(sample.seen("[rocketmq")[0].contains("application.toml:1 is not TOML"));
        std::fs::remove_file(&sample.file).unwrap();
        assert_eq!(sample.look(), ["wrong: the configuration file application.toml is gone"]);
        let mended = sample.seen("[rocketmq.producer]\nmax-message-size = 6");
        assert!(mended.len() == 1 && mended[0].ends_with("before it was \"5\""), "{mended:?}");
    }

    #[test]
    fn names_that_come_and_go_are_seen_and_secrets_are_not_shown() {
        let mut sample = Sample::new("[rocketmq.producer]\nsecret-key = 'hunter2'");
        let changed =
            sample.seen("[rocketmq.producer]\nsecret-key = 'hunter3'\n[rocketmq.producers.x]\ngroup = 'x'");
        let all = changed.join("\n");
        assert!(all.contains("rocketmq.producer.secret-key = \"(hidden)\""), "{all}");
        assert!(all.contains("rocketmq.producers.x.group = \"x\" (application.toml:4) is new"), "{all}");
        let gone = sample.seen("[rocketmq.producer]\nsecret-key = 'hunter3'").join("\n");
        assert!(gone.contains("rocketmq.producers.x.group = \"x\" (application.toml:4) is gone"), "{gone}");
        assert!(!format!("{all}{gone}").contains("hunter"), "{all}{gone}");
    }
}
