//! Compares verdicts with those of Apache's filter classes (5.4.0).

use super::{Sql, Verdict};

const PROPERTIES: [(&str, &str); 12] = [
    ("a", "5"),
    ("b", "7"),
    ("f", "5.5"),
    ("s", "abc"),
    ("s2", "abc"),
    ("t", "true"),
    ("e", ""),
    ("n", "-3"),
    ("big", "3000000000"),
    ("w", "5 "),
    ("ex", "1e3"),
    ("sp", "it's"),
];

fn property(name: &str) -> Option<&'static str> {
    PROPERTIES.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
}

fn all(verdict: Verdict, expressions: &[&str]) {
    for text in expressions {
        let sql: Sql = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(sql.verdict(&property), verdict, "{text}");
    }
}

#[test]
fn true_ones() {
    all(
        Verdict::True,
        &[
            "a > 4",
            "a >= 5",
            "a = 5",
            "a = '5'",
            "a = 5.0",
            "a > .5",
            "a > 1E0",
            "a = 5L",
            "a > +1",
            "+a > 4",
            "- 3 = n",
            "n > -4",
            "f > 5.0",
            "f = 5.5",
            "big > 2147483648",
            "ex > 999.0",
            "a < b",
            "5 < b",
            "s = s2",
            "'abc' = s",
            "sp = 'it''s'",
            "e = ''",
            "x = y",
            "x IS NULL",
            "a <> x",
            "a IS NOT NULL",
            "s IN ('abc','d')",
            "a IN ('5')",
            "s NOT IN ('d')",
            "a BETWEEN 5 AND 7",
            "a BETWEEN 1 AND b",
            "a NOT BETWEEN 6 AND 7",
            "f BETWEEN 5.0 AND 6.0",
            "s CONTAINS 'b'",
            "'xabcx' CONTAINS 'abc'",
            "s NOT CONTAINS 'z'",
            "s STARTSWITH 'ab'",
            "t = TRUE",
            "s = FALSE",
            "t <> FALSE",
            "NOT t",
            "TRUE",
            "NOT (a > 9)",
            "a > 4 OR x > 1",
            "x > 1 OR a > 4",
            "a > 4 OR f > 5",
            "NOT (a > 9 AND x > 1)",
            "a = 5 = TRUE",
            "a>=4AND b>6",
            "a > 4 /* c */",
            "a > 4 -- c",
            "a > 4 b",
            "a > 0x3",
        ],
    );
}

#[test]
fn false_ones() {
    all(
        Verdict::False,
        &[
            "a > 5",
            "a > 5.",
            "a > b",
            "a = f",
            "a = x",
            "x <> y",
            "s = abc",
            "e IS NULL",
            "a = 99999999999",
            "a BETWEEN 1 AND 1",
            "x CONTAINS 'b'",
            "x NOT CONTAINS 'b'",
            "s CONTAINS ''",
            "s NOT CONTAINS ''",
            "t",
            "s = TRUE",
            "x > 1 AND a > 9",
            "a + 1 > 5",
            "s LIKE 'abc'",
            "a 4",
            "a-b > 1",
        ],
    );
}

#[test]
fn unknown_ones() {
    all(
        Verdict::Unknown,
        &[
            "x = a",
            "x <> a",
            "x > 1",
            "x = 'q'",
            "x <> 'q'",
            "x BETWEEN 1 AND 2",
            "x NOT BETWEEN 1 AND 2",
            "x IN ('a')",
            "x NOT IN ('a')",
            "NOT x",
            "NOT (x > 1)",
            "a > 9 OR x > 1",
            "a > 4 AND x > 1",
            "-a < 0",
            "NULL",
            "UPPER(s) = 'ABC'",
        ],
    );
}

#[test]
fn failed_ones() {
    all(
        Verdict::Failed,
        &[
            "f > 5",
            "w = 5",
            "big > 1",
            "ex > 999",
            "s = 5",
            "s > 5",
            "s > s2",
            "a > s",
            "f BETWEEN 5 AND 6",
            "f > 5 OR a > 4",
            "s > 5 OR TRUE",
            "TRUE = t",
        ],
    );
}

#[test]
fn refused_ones() {
    for text in [
        "a != 6",
        "a == 5",
        "a > 0.0",
        "a = NULL",
        "NULL = NULL",
        "s = \"abc\"",
        "s > 'abb'",
        "a > '4'",
        "a > TRUE",
        "s BETWEEN 'a' AND 'b'",
        "a BETWEEN 7 AND 5",
        "a BETWEEN NULL AND 9",
        "a IN (5)",
        "s IN ()",
        "s NOT IN ('a', NULL)",
        "'abc' IN ('abc')",
        "NOT s IN ('abc')",
        "NOT a > 9",
        "a CONTAINS 5",
        "s CONTAINS s2",
        "TRUE = 'true'",
        "a > 4;",
        "a.b > 1",
        "a >",
        "> 4",
        "contains = 'x'",
        "is IS NULL",
        "a > 9223372036854775808",
        "a = 1e400",
        "",
        "ä = 1",
    ] {
        assert!(text.parse::<Sql>().is_err(), "{text}");
    }
}

#[test]
fn hostile_nesting_is_refused_without_overflowing() {
    for text in ["(".repeat(100_000), "NOT ".repeat(100_000), "-".repeat(100_000)] {
        assert!(text.parse::<Sql>().is_err());
    }
    assert!(format!("{}TRUE{}", "(".repeat(40), ")".repeat(40)).parse::<Sql>().is_ok());
    assert!(vec!["a = 1"; 100_000].join(" OR ").parse::<Sql>().is_ok());
}

#[test]
fn eight_operators_may_follow_each_other_and_no_more() {
    let sql = |rows: usize| format!("a{}", " IS NULL".repeat(rows)).parse::<Sql>();
    assert!(sql(8).is_ok());
    assert!(sql(9).unwrap_err().to_string().contains("more than 8 operators in a row"));
}

#[test]
fn the_place_of_a_mistake_and_the_remedy_are_named() {
    for (text, drawn) in [
        ("a >", "   ^ a value is missing here"),
        ("a == 5", "   ^ a value is missing before this `=`; equality is one `=`"),
        ("a != 5", "  ^ write `<>` for \"is not\""),
        ("a = 5 && b = 6", "      ^ write AND"),
        ("s = \"abc\"", "    ^ texts stand in single quotes, 'like this'"),
        ("s = 'abc", "    ^ this text has no closing quote"),
        ("a = NULL", "    ^ NULL cannot be compared; write IS NULL or IS NOT NULL"),
        ("a IN (5)", "      ^ a text in single quotes belongs here, not `5`"),
        ("(a = 5", "      ^ `)` is missing here"),
        (
            "b = 1 AND a > 'x'",
            "              ^ `<`, `>` and BETWEEN compare properties and numbers, and 'x' is neither",
        ),
        ("b = 1 AND 5", "          ^ a condition belongs here, and 5 is none"),
        ("a BETWEEN 7 AND 5", "          ^ nothing lies between 7 and 5"),
        ("a.b > 1", " ^ a property's name holds letters, digits, `_` and `$` only"),
        ("NOT a > 9", "^ `<`, `>` and BETWEEN compare properties and numbers, and a condition is neither"),
        ("s LIKE 'x'", "  ^ there is no LIKE; write CONTAINS 'part', STARTSWITH 'part' or ENDSWITH 'part'"),
        (
            "a > 4 b",
            "      ^ the condition ends before this, and brokers ignore the rest; join conditions with AND or OR",
        ),
        ("a + 1 > 5", "  ^ conditions do not calculate, and a comment ends with its line"),
        ("UPPER(s) = 'X'", "     ^ there are no functions"),
        ("", "^ a value is missing here"),
    ] {
        let error = super::check(text).unwrap_err();
        assert_eq!(error.drawn(text), format!("{text}\n{drawn}"));
    }
    for text in ["a > 4", "a > 4 /* c */ ", "a > 4 -- c\n", "t", "NOT (a IN ('b')) OR x IS NULL"] {
        assert_eq!(super::check(text), Ok(()), "{text}");
    }
}
