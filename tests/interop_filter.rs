//! Compares SQL92 filters with Apache's own classes, on generated expressions. `ROCKETMQ_JAVA` names the version, whose
//! jars `tests/interop/apache install VERSION` fetches. `SQL_SEED` and `SQL_EXPRESSIONS` select another or a longer
//! run.
use rocketmq_tests::TestResult;
use rocketmq_tests::sql::{Generator, PropertySet, apaches, ours};

const SETS: usize = 12;
/// Most differences to print.
const SHOWN: usize = 40;

/// Reads a number from the environment, or takes the default.
fn setting(name: &str, default: u64) -> TestResult<u64> {
    std::env::var(name).map_or(Ok(default), |text| Ok(text.parse()?))
}

/// Lists the property sets on which the verdicts differ, for a person to read.
fn difference(expression: &str, sets: &[PropertySet], ours: &str, apaches: &str) -> String {
    if ours == apaches {
        return String::new();
    }
    if ours == "R" || apaches == "R" {
        return format!("{expression:?}: ours {ours}, Apache's {apaches}\n");
    }
    let differing =
        ours.chars().zip(apaches.chars()).zip(sets).filter(|((ours, apaches), _)| ours != apaches);
    differing
        .map(|((ours, apaches), set)| format!("{expression:?} on {set:?}: ours {ours}, Apache's {apaches}\n"))
        .collect()
}

/// Counts the verdicts of each kind. Fails if most expressions are refused: such a generator would find no difference
/// either.
fn census(verdicts: &[String]) -> String {
    let refused = verdicts.iter().filter(|each| *each == "R").count();
    assert!(refused * 2 < verdicts.len(), "{refused} of {} expressions are refused", verdicts.len());
    let all = verdicts.concat();
    let [yes, no, unknown, failed] = ["T", "F", "N", "X"].map(|letter| all.matches(letter).count());
    format!("{refused} refused; of the others {yes} true, {no} false, {unknown} unknown, {failed} failed")
}

#[tokio::test]
async fn every_verdict_is_apaches() -> TestResult {
    let Ok(version) = std::env::var("ROCKETMQ_JAVA") else {
        println!("skipped: set ROCKETMQ_JAVA=5.4.0 to run Apache's filter");
        return Ok(());
    };
    let mut generator = Generator::new(setting("SQL_SEED", 92)?, &version);
    let sets = generator.properties(SETS);
    let expressions: Vec<_> =
        (0..setting("SQL_EXPRESSIONS", 10_000)?).map(|_| generator.expression()).collect();
    let apaches = apaches(&version, &expressions, &sets).await?;

    let differences: Vec<_> = expressions
        .iter()
        .zip(&apaches)
        .map(|(expression, apaches)| difference(expression, &sets, &ours(expression, &sets), apaches))
        .filter(|difference| !difference.is_empty())
        .collect();
    let shown = differences[..differences.len().min(SHOWN)].concat();
    assert!(differences.is_empty(), "{} expressions differ:\n{shown}", differences.len());
    println!(
        "{} expressions on {SETS} sets beside Apache {version}: {}",
        expressions.len(),
        census(&apaches)
    );
    Ok(())
}
