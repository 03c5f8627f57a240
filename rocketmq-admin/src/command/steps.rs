//! [`Steps`]: the report of a command that changes something.

use std::fmt;

use serde::Serialize;

/// Tells what a command has changed, step by step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Steps {
    /// In the order in which they were done.
    pub steps: Vec<Step>,
}

/// Tells of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The `host:port` of the server; `None` where it is no single one.
    pub server: Option<String>,
    /// Apache's words for it.
    pub said: String,
}

impl Steps {
    pub(crate) fn at(&mut self, server: &str, said: String) {
        self.steps.push(Step { server: Some(server.to_owned()), said });
    }

    pub(crate) fn say(&mut self, said: impl Into<String>) {
        self.steps.push(Step { server: None, said: said.into() });
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{}", step.said))
    }
}
