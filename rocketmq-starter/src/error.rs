//! Why an application did not start.

use std::fmt;

/// Everything that keeps an application from starting, reported together.
///
/// `Debug` prints the same text as `Display`, so that `fn main() -> Result<(), StartError>` ends with a list a
/// person can work through and exit code 1.
#[derive(Clone)]
pub struct StartError {
    mistakes: Vec<Mistake>,
}

impl StartError {
    /// What several listeners share is complained of once.
    pub(crate) fn of(mistakes: Vec<Mistake>) -> Self {
        let mut told: Vec<Mistake> = Vec::new();
        for mistake in mistakes {
            if !told.iter().any(|other| other.message == mistake.message) {
                told.push(mistake);
            }
        }
        StartError { mistakes: told }
    }

    /// What is wrong, in the order it was found; never empty.
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
        if let [only] = self.mistakes.as_slice() {
            return write!(f, "the application cannot start: {only}");
        }
        write!(f, "the application cannot start, for {} reasons:", self.mistakes.len())?;
        for (index, mistake) in self.mistakes.iter().enumerate() {
            write!(f, "\n  {}. {mistake}", index + 1)?;
        }
        Ok(())
    }
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StartError {}

/// One thing that keeps an application from starting: what, which value, and what to do.
#[derive(Debug, Clone)]
pub struct Mistake {
    kind: MistakeKind,
    message: String,
}

impl Mistake {
    pub(crate) fn new(kind: MistakeKind, message: impl Into<String>) -> Self {
        Mistake { kind, message: message.into() }
    }

    /// What sort of mistake it is.
    pub fn kind(&self) -> MistakeKind {
        self.kind
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The sorts of mistakes that [`StartError`] reports.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_mistakes_make_a_numbered_list() {
        let mistake = |text: &str| Mistake::new(MistakeKind::UnknownKey, text);
        let one = StartError::from(mistake("a"));
        assert_eq!(one.to_string(), "the application cannot start: a");
        let two = StartError::of(vec![mistake("a"), mistake("b")]);
        assert_eq!(format!("{two:?}"), "the application cannot start, for 2 reasons:\n  1. a\n  2. b");
    }
}
