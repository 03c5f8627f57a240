//! Apache's `mqadmin` as a conversation (`tests/interop/java/AdminShell.java`), with ours beside it.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::TestResult;

/// Longest wait for one line of a cold virtual machine on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A command to compare.
#[derive(Debug)]
pub struct Row {
    /// The arguments. Names in braces are those of `Admin.java`, and `~` stands for a blank.
    pub line: &'static str,
    /// The order of the lines.
    pub order: Order,
}

/// The order of what a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The lines come in one order.
    Exact,
    /// Apache's tool prints a set.
    Any,
}

/// A command of ours that changes something, and the command of Apache's that shows it.
#[derive(Debug)]
pub struct Write {
    /// The arguments of ours.
    pub line: &'static str,
    /// The arguments of Apache's.
    pub look: &'static str,
    /// A part of what Apache's prints, with one blank in the place of several; with `!` before it, of what it must not print.
    pub shows: &'static str,
}

/// A running `AdminShell`.
#[derive(Debug)]
pub struct Shell {
    _child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    names: BTreeMap<String, String>,
    commands: Vec<String>,
}

impl Shell {
    /// Starts Apache's tools, and prepares the cluster: a topic with messages, a group with a member, a trace.
    ///
    /// # Errors
    /// The tools cannot be started, or the cluster does not do what they need.
    pub async fn start(version: &str, name_server: &str) -> TestResult<Self> {
        let mut child = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache"))
            .args(["run", version, "AdminShell", name_server])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().ok_or("no pipe to the shell")?;
        let lines = BufReader::new(child.stdout.take().ok_or("no pipe from the shell")?).lines();
        let mut shell = Self { _child: child, input, lines, names: BTreeMap::new(), commands: Vec::new() };
        shell.learn_names().await?;
        Ok(shell)
    }

    async fn learn_names(&mut self) -> TestResult {
        let said = self.until("ready").await?;
        for line in said.lines() {
            let mut words = line.splitn(3, ' ');
            match (words.next(), words.next(), words.next()) {
                (Some("name"), Some(what), Some(is)) => {
                    drop(self.names.insert(format!("{{{what}}}"), is.to_owned()))
                }
                (Some("command"), Some(name), None) => self.commands.push(name.to_owned()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The names of Apache's commands.
    pub fn commands(&self) -> &[String] {
        &self.commands
    }

    async fn until(&mut self, end: &str) -> TestResult<String> {
        let mut said = String::new();
        while let Some(line) = timeout(PATIENCE, self.lines.next_line()).await?? {
            if line == end {
                return Ok(said);
            }
            said.push_str(&line);
            said.push('\n');
        }
        Err(format!("Apache's tools ended: {said}").into())
    }

    /// Runs the command by both tools. `None`: they say the same.
    ///
    /// # Errors
    /// Apache's tools do not answer.
    pub async fn compare(&mut self, row: &Row) -> TestResult<Option<String>> {
        let line = self.filled(row.line);
        let apaches = self.apaches(&line).await?;
        let (code, ours) = run(&line).await?;
        let same = code == 0 && comparable(&apaches, row.order) == comparable(&ours, row.order);
        Ok((!same).then(|| format!("== {line}\n-- Apache's:\n{apaches}-- ours ({code}):\n{ours}")))
    }

    /// Runs our command, and looks at the change by Apache's tools. `None`: it is as it should be.
    ///
    /// # Errors
    /// Apache's tools do not answer.
    pub async fn change(&mut self, write: &Write) -> TestResult<Option<String>> {
        let (line, look, shows) =
            (self.filled(write.line), self.filled(write.look), self.filled_part(write.shows));
        let (code, ours) = run(&line).await?;
        let seen = self.apaches(&look).await?;
        let seen = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_there = match shows.strip_prefix('!') {
            Some(unwanted) => !seen.contains(unwanted),
            None => seen.contains(&shows),
        };
        let good = code == 0 && is_there;
        Ok((!good).then(|| {
            format!("== {line}\n-- ours ({code}):\n{ours}-- {look} does not show {shows}:\n{seen}\n")
        }))
    }

    async fn apaches(&mut self, line: &str) -> TestResult<String> {
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        self.until("== end").await
    }

    fn filled(&self, line: &str) -> String {
        let line = if line.contains(" -n ") { line.to_owned() } else { format!("{line} -n {{ns}}") };
        self.filled_part(&line)
    }

    fn filled_part(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (what, is)| text.replace(what.as_str(), is))
    }
}

/// Runs our `mqadmin`: its exit code and all that it says.
async fn run(line: &str) -> TestResult<(u8, String)> {
    let words = line.split(' ').map(|word| word.replace('~', " "));
    let words = ["mqadmin".to_owned(), "--yes".to_owned()].into_iter().chain(words).map(Into::into);
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let code = timeout(PATIENCE, rocketmq_admin::program::run(words, &mut out, &mut errors)).await?;
    out.extend(errors);
    Ok((code, String::from_utf8(out)?))
}

/// The lines with `#` for each number. The blanks beside a number depend on its digits.
fn comparable(said: &str, order: Order) -> Vec<String> {
    let mut lines: Vec<_> = said.lines().map(|line| masked(&entries_sorted(line))).collect();
    if order == Order::Any {
        lines.sort();
    }
    lines
}

/// Java prints the entries of a map in the order of their hashes. Its client adds the bounds of the queue to a pulled message.
fn entries_sorted(line: &str) -> String {
    let Some((name, map)) = line.split_once('{').filter(|_| line.starts_with("Properties:")) else {
        return line.to_owned();
    };
    let mut entries: Vec<_> = map.trim_end_matches('}').split(", ").collect();
    entries.retain(|entry| !entry.starts_with("MIN_OFFSET=") && !entry.starts_with("MAX_OFFSET="));
    entries.sort_unstable();
    format!("{name}{{{}}}", entries.join(", "))
}

fn masked(line: &str) -> String {
    let mut masked = String::new();
    for char in line.chars() {
        let after_number = masked.ends_with('#');
        match char {
            '0'..='9' if after_number => {}
            '0'..='9' => {
                masked.truncate(masked.trim_end_matches(' ').len());
                masked.push('#');
            }
            ' ' if after_number => {}
            // The sign of a number and its fraction; also the digits of a date are one.
            '.' if after_number => {}
            _ => masked.push(char),
        }
    }
    masked.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_the_blanks_beside_them_do_not_count() {
        assert_eq!(
            masked("broker-a  0     17   2024-01-02 03:04"),
            masked("broker-a  1  9 1999-12-31 00:00")
        );
        assert_eq!(masked("a  b"), "a  b");
        assert_ne!(masked("a  b 1"), masked("a b 1"));
        assert_ne!(masked("#QID  1"), masked("#QID  x"));
        assert_eq!(masked(""), "");
    }
}
