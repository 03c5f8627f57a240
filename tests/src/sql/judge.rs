//! Gets the verdicts of both sides. Each property set has a letter: True, False, Null (unknown) or eXception. R stands
//! for a refused expression.

use std::collections::BTreeMap;
use std::process::Stdio;

use rocketmq_client::remoting::sql::{Sql, Verdict};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::TestResult;

/// The properties of a message.
pub type PropertySet = BTreeMap<&'static str, &'static str>;
/// A letter for each property set, or `R`.
pub type Verdicts = String;

/// Returns the verdicts of this project's evaluator.
pub fn ours(expression: &str, sets: &[PropertySet]) -> Verdicts {
    let Ok(sql) = expression.parse::<Sql>() else { return "R".into() };
    sets.iter()
        .map(|set| match sql.verdict(&|name: &str| set.get(name).copied()) {
            Verdict::True => 'T',
            Verdict::False => 'F',
            Verdict::Unknown => 'N',
            Verdict::Failed => 'X',
        })
        .collect()
}

/// Returns the verdicts of Apache's filter of `version`. Runs `tests/interop/java/SqlVerdicts.java` once for all
/// expressions.
///
/// # Errors
/// Fails if the program does not run, or ends before it has answered all.
pub async fn apaches(
    version: &str,
    expressions: &[String],
    sets: &[PropertySet],
) -> TestResult<Vec<Verdicts>> {
    let mut child = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache"))
        .args(["run", version, "SqlVerdicts"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (mut stdin, mut stdout) =
        (child.stdin.take().ok_or("no pipe in")?, child.stdout.take().ok_or("no pipe out")?);
    let question = question(expressions, sets)?;
    let (mut answer, asked) = (String::new(), async move { stdin.write_all(&question).await });
    let (asked, answered) = tokio::join!(asked, stdout.read_to_string(&mut answer));
    asked?;
    answered?;
    let verdicts: Vec<_> = answer.lines().map(str::to_owned).collect();
    if verdicts.len() != expressions.len() {
        return Err(format!("{} verdicts on {} expressions", verdicts.len(), expressions.len()).into());
    }
    Ok(verdicts)
}

fn question(expressions: &[String], sets: &[PropertySet]) -> TestResult<Vec<u8>> {
    let mut question = Vec::new();
    put_length(&mut question, sets.len())?;
    for set in sets {
        put_length(&mut question, 2 * set.len())?;
        for text in set.iter().flat_map(|(name, value)| [name, value]) {
            put_text(&mut question, text)?;
        }
    }
    for expression in expressions {
        put_text(&mut question, expression)?;
    }
    Ok(question)
}

fn put_length(question: &mut Vec<u8>, length: usize) -> TestResult {
    question.extend(u32::try_from(length)?.to_be_bytes());
    Ok(())
}

fn put_text(question: &mut Vec<u8>, text: &str) -> TestResult {
    put_length(question, text.len())?;
    question.extend(text.as_bytes());
    Ok(())
}
