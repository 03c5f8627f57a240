//! [`Terminal`]: shows reports, and asks before something is destroyed.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Shows reports as tables or as JSON, and asks before something is destroyed.
pub struct Terminal<'a> {
    out: &'a mut (dyn Write + Send),
    errors: &'a mut (dyn Write + Send),
    json: bool,
    yes: bool,
    /// True once a part of a command failed.
    warned: bool,
}

impl<'a> Terminal<'a> {
    /// Makes a terminal that shows tables, and asks on standard input.
    pub fn new(out: &'a mut (dyn Write + Send), errors: &'a mut (dyn Write + Send)) -> Self {
        Self { out, errors, json: false, yes: false, warned: false }
    }

    /// Shows JSON in the place of tables.
    #[must_use]
    pub fn json(mut self, json: bool) -> Self {
        self.json = json;
        self
    }

    /// Answers every question with yes.
    #[must_use]
    pub fn yes(mut self, yes: bool) -> Self {
        self.yes = yes;
        self
    }

    /// Tells whether [`warn`](Self::warn) was called.
    pub fn warned(&self) -> bool {
        self.warned
    }

    /// Shows the report of a command.
    ///
    /// # Errors
    /// The output is closed.
    pub fn show<R: Serialize + Display>(&mut self, report: &R) -> Result<(), Failure> {
        if self.json {
            serde_json::to_writer_pretty(&mut *self.out, report).map_err(|error| closed(error.into()))?;
            return writeln!(self.out).and_then(|()| self.out.flush()).map_err(closed);
        }
        write!(self.out, "{report}").and_then(|()| self.out.flush()).map_err(closed)
    }

    /// Shows one of many items, such as a message: its lines, or its JSON on one line.
    ///
    /// # Errors
    /// The output is closed.
    pub fn item<R: Serialize + Display>(&mut self, item: &R) -> Result<(), Failure> {
        if self.json {
            serde_json::to_writer(&mut *self.out, item).map_err(|error| closed(error.into()))?;
            return writeln!(self.out).and_then(|()| self.out.flush()).map_err(closed);
        }
        write!(self.out, "{item}").and_then(|()| self.out.flush()).map_err(closed)
    }

    /// Says on standard error that a part of the command failed.
    pub fn warn(&mut self, text: impl Display) {
        self.warned = true;
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(self.errors, "warning: {text}");
    }

    /// Asks before something is destroyed.
    ///
    /// # Errors
    /// The answer is no, or nobody can be asked.
    pub fn confirm(&mut self, deed: impl Display) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::usage(format!("this would {deed}"))
                .with_remedy("add --yes to do it without a question"));
        }
        let asked = write!(self.errors, "This will {deed}. Go on? [y/N] ").and_then(|()| self.errors.flush());
        asked.map_err(closed)?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map_err(closed)?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::usage("nothing was done: the answer was not yes")),
        }
    }
}

impl std::fmt::Debug for Terminal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").field("json", &self.json).field("yes", &self.yes).finish_non_exhaustive()
    }
}

fn closed(error: io::Error) -> Failure {
    Failure::refused(format!("the output cannot be written: {error}"))
}
