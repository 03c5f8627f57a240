//! The errors of an application: it does not start, or a signal cuts its shutdown.

use std::fmt;

/// Reports all mistakes that keep an application from starting.
///
/// `Debug` prints the same list as `Display`, so that a `main` which returns it prints the list and exits with code 1.
///
/// ```
/// use rocketmq_starter::App;
/// use rocketmq_starter::error::MistakeKind;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = App::new().set("rocketmq.producer.gruop", "shop").start().await.expect_err("a misspelt key");
/// assert_eq!(error.mistakes()[0].kind(), MistakeKind::UnknownKey);
/// println!("{error}"); // `rocketmq.producer.gruop` in App::set at …: the nearest known key is `group`
/// # }
/// ```
#[derive(Clone)]
pub struct StartError {
    mistakes: Vec<Mistake>,
}

impl StartError {
    /// Drops repetitions: several listeners may share a mistake.
    pub(crate) fn of(mistakes: Vec<Mistake>) -> Self {
        let mut told: Vec<Mistake> = Vec::new();
        for mistake in mistakes {
            if !told.iter().any(|other| other.message == mistake.message) {
                told.push(mistake);
            }
        }
        StartError { mistakes: told }
    }

    /// Writes the only mistake, or a numbered list.
    pub(crate) fn listed(&self) -> String {
        match self.mistakes.as_slice() {
            [only] => only.to_string(),
            all => {
                let numbered = all.iter().enumerate();
                numbered.map(|(index, mistake)| format!("\n  {}. {mistake}", index + 1)).collect()
            }
        }
    }

    /// Returns the mistakes, in the order of their places; never empty.
    ///
    /// ```
    /// use rocketmq_starter::App;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let error = App::new().set("rocketmq.producer.gruop", "shop").start().await.expect_err("a misspelt key");
    /// assert_eq!(error.mistakes().len(), 1);
    /// # }
    /// ```
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl From<Mistake> for StartError {
    fn from(mistake: Mistake) -> Self {
        StartError { mistakes: vec![mistake] }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => write!(f, "the application cannot start: {}", self.listed()),
            many => write!(f, "the application cannot start, for {many} reasons:{}", self.listed()),
        }
    }
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StartError {}

/// One mistake; its `Display` names the key, the value, the place and the remedy.
///
/// ```
/// use rocketmq_starter::App;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = App::new().set("rocketmq.producer.gruop", "shop").start().await.expect_err("a misspelt key");
/// for mistake in error.mistakes() {
///     eprintln!("{mistake}");
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Mistake {
    kind: MistakeKind,
    message: String,
}

impl Mistake {
    pub(crate) fn new(kind: MistakeKind, message: impl Into<String>) -> Self {
        Mistake { kind, message: message.into() }
    }

    /// Returns the kind of the mistake.
    ///
    /// ```
    /// use rocketmq_starter::App;
    /// use rocketmq_starter::error::MistakeKind;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let error = App::new().set("rocketmq.producer.gruop", "shop").start().await.expect_err("a misspelt key");
    /// assert_eq!(error.mistakes()[0].kind(), MistakeKind::UnknownKey);
    /// # }
    /// ```
    pub fn kind(&self) -> MistakeKind {
        self.kind
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}

/// The kinds of mistakes that [`StartError`] reports.
///
/// ```
/// use rocketmq_starter::App;
/// use rocketmq_starter::error::MistakeKind;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = App::new().set("rocketmq.producer.gruop", "shop").start().await.expect_err("a misspelt key");
/// let misspelt = error.mistakes().iter().filter(|mistake| mistake.kind() == MistakeKind::UnknownKey);
/// assert_eq!(misspelt.count(), 1);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MistakeKind {
    /// A configuration file cannot be read or is not TOML.
    File,
    /// A value is not of the type its key takes, or is out of bounds.
    WrongValue,
    /// A key under `[rocketmq]`, a variable or an option of a listener that nothing reads.
    UnknownKey,
    /// A group or topic in the configuration that belongs to no listener.
    UnknownName,
    /// A `${placeholder}` without a value and without a default, or one that refers to itself.
    Placeholder,
    /// No name server is configured.
    NoNameServer,
    /// A producer, a listener or a checker needs a producer group that is not there.
    MissingGroup,
    /// A listener takes `State<T>`, but no such state was given to the application.
    MissingState,
    /// A listener takes `Config<T>`, but `App::config` was not called with that type.
    MissingConfig,
    /// Listeners of one group disagree, or one is registered twice.
    Subscription,
    /// A setting of a listener does not go with the others.
    Listener,
    /// Two checkers answer for one producer group under one name.
    Transaction,
    /// A cluster could not be reached or refused the client.
    Connect,
    /// The application's own start-up hook failed.
    Hook,
}

/// Tells why an application did not run to a proper end.
///
/// `Debug` prints the same text as `Display`, as that of [`StartError`] does.
///
/// ```no_run
/// use rocketmq_starter::{App, RunError};
///
/// #[tokio::main]
/// async fn main() -> Result<(), RunError> {
///     App::new().discover().run().await // an error: its text on stderr, and exit code 1
/// }
/// ```
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A second signal cut its shutdown.
    #[error("{0}")]
    Interrupted(Interrupted),
}

impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Tells what a second signal cut.
///
/// ```no_run
/// use rocketmq_starter::{App, RunError};
///
/// # async fn example() {
/// if let Err(RunError::Interrupted(cut)) = App::new().discover().run().await {
///     eprintln!("{cut}");
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    messages: Vec<CutMessages>,
    stop_hooks_done: bool,
}

/// The messages that one listener had in its handlers when they were cut. The broker delivers them again.
///
/// ```no_run
/// use rocketmq_starter::{App, RunError};
///
/// # async fn example() {
/// if let Err(RunError::Interrupted(cut)) = App::new().discover().run().await {
///     for rest in cut.messages() {
///         eprintln!("{} messages of {} come again", rest.count, rest.group);
///     }
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CutMessages {
    /// Name of the listener.
    pub listener: String,
    /// Its group.
    pub group: String,
    /// Number of messages, 1 or more.
    pub count: usize,
}

impl Interrupted {
    pub(crate) fn new(messages: Vec<CutMessages>, stop_hooks_done: bool) -> Self {
        Interrupted { messages, stop_hooks_done }
    }

    /// Returns the messages that were cut, by listener; empty when none was in a handler.
    ///
    /// ```no_run
    /// use rocketmq_starter::{App, RunError};
    ///
    /// # async fn example() {
    /// if let Err(RunError::Interrupted(cut)) = App::new().discover().run().await {
    ///     eprintln!("cut in {} listeners", cut.messages().len());
    /// }
    /// # }
    /// ```
    pub fn messages(&self) -> &[CutMessages] {
        &self.messages
    }

    /// Returns true when the hooks of [`App::on_stop`](crate::App::on_stop) had run.
    ///
    /// ```no_run
    /// use rocketmq_starter::{App, RunError};
    ///
    /// # async fn example() {
    /// if let Err(RunError::Interrupted(cut)) = App::new().discover().run().await {
    ///     eprintln!("the stop hooks have run: {}", cut.stop_hooks_done());
    /// }
    /// # }
    /// ```
    pub fn stop_hooks_done(&self) -> bool {
        self.stop_hooks_done
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a second signal ended the application before its shutdown was done")?;
        for CutMessages { listener, group, count } in &self.messages {
            let messages = if *count == 1 { "message is" } else { "messages are" };
            write!(
                f,
                "; {count} {messages} cut in the listener `{listener}` (group `{group}`) and delivered again"
            )?;
        }
        if !self.stop_hooks_done {
            f.write_str("; the hooks of `on_stop` did not finish")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_signal_is_told_with_what_it_cut() {
        let cut = |count| CutMessages { listener: "bill".into(), group: "billing".into(), count };
        let told = Interrupted::new(vec![cut(2), cut(1)], false).to_string();
        for part in
            ["2 messages are cut in the listener `bill` (group `billing`)", "1 message is", "`on_stop`"]
        {
            assert!(told.contains(part), "{told}");
        }
        let nothing = Interrupted::new(Vec::new(), true).to_string();
        assert!(nothing.ends_with("before its shutdown was done"), "{nothing}");
    }

    #[test]
    fn several_mistakes_make_a_numbered_list() {
        let mistake = |text: &str| Mistake::new(MistakeKind::UnknownKey, text);
        let one = StartError::from(mistake("a"));
        assert_eq!(one.to_string(), "the application cannot start: a");
        let two = StartError::of(vec![mistake("a"), mistake("b")]);
        assert_eq!(format!("{two:?}"), "the application cannot start, for 2 reasons:\n  1. a\n  2. b");
    }
}
