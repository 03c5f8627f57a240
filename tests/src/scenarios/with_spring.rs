//! An application in Spring and one in Rust exchange every kind of message, both ways.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::spring::{Body, How, Letter, Order, Pair, Side, Status, base64};
use crate::{Cluster, PATIENCE, TestResult, eventually};

/// The delay of timed messages, which is that of the first delay level too.
const DELAY: Duration = Duration::from_secs(1);

/// Half messages that are sent at once.
const HALVES: usize = 9;
const KINDS_OF_HALVES: [&str; 4] =
    ["COMMIT by Spring", "COMMIT by Ours", "ROLLBACK by Spring", "ROLLBACK by Ours"];

/// Starts both programs, and runs every scenario beside the others.
pub async fn every_kind(cluster: &Cluster) -> TestResult {
    let pair = Pair::start(cluster).await?;
    tokio::try_join!(
        named("payloads", payloads(&pair)),
        named("headers", headers(&pair)),
        named("other ways to send", other_ways_to_send(&pair)),
        named("selectors", selectors(&pair)),
        named("order", order(&pair)),
        named("delays", delays(&pair)),
        named("transactions", transactions(&pair)),
        named("requests", requests(&pair)),
        named("a shared group", a_shared_group(&pair)),
        named("dead letters", dead_letters(&pair)),
    )?;
    pair.stop().await
}

async fn named(name: &str, scenario: impl Future<Output = TestResult>) -> TestResult {
    scenario.await.map_err(|error| format!("{name}: {error}"))?;
    println!("ok {name}");
    Ok(())
}

fn an_order(id: u64) -> Order {
    Order {
        id,
        item: "Müsli \"扁平\"\n".to_owned(),
        price: 19.9,
        day: "2026-11-30".to_owned(),
        placed_at: "2026-11-30T16:30:01".to_owned(),
        status: Status::Paid,
        labels: vec!["new".to_owned(), String::new()],
        note: None,
    }
}

/// Texts that look like JSON stay the texts that they are.
fn bodies(from: u64) -> Vec<Body> {
    let every_byte = (0..=u8::MAX).chain([u8::try_from(from).unwrap_or_default()]);
    vec![
        Body::Order(an_order(from)),
        Body::Orders(vec![an_order(from), Order { note: Some("gift".to_owned()), ..an_order(from + 1) }]),
        Body::Text(format!("Grüße, \"{from}\" 扁\u{1f600}\n")),
        Body::Text(format!("{{\"id\":{from}}}")),
        Body::Text(from.to_string()),
        Body::Number(i64::try_from(from).unwrap_or_default() - 100),
        Body::Status(if from == 1 { Status::Open } else { Status::Paid }),
        Body::Bytes(every_byte.collect()),
    ]
}

/// Both listeners read the payloads of either sender as the values that were sent.
async fn payloads(pair: &Pair) -> TestResult {
    for (sender, from) in [(Side::Spring, 1), (Side::Ours, 2)] {
        for body in bodies(from) {
            let to = format!("payloads:{}", body.kind());
            pair.send(sender, &to, &Letter::new(body.clone())).await?;
            for reader in Side::BOTH {
                pair.journal(reader).find(body.kind(), |value| *value == body.told()).await;
            }
        }
    }
    let texts = |bodies: Vec<Body>| bodies.into_iter().filter(|body| body.kind() == "text");
    for text in texts(bodies(1)).chain(texts(bodies(2))) {
        pair.journal(Side::Ours).find("string", |value| *value == text.told()).await;
    }
    Ok(())
}

/// Returns the message with this text, as each of both raw listeners had it.
async fn raw(pair: &Pair, text: &str) -> Vec<Value> {
    let body = base64(text.as_bytes());
    let mut had = Vec::new();
    for reader in Side::BOTH {
        had.push(pair.journal(reader).find("raw", |value| value["body"] == body).await);
    }
    had
}

/// Keys, tag and headers arrive. Spring adds `contentType`, `id` and `timestamp` of its own.
async fn headers(pair: &Pair) -> TestResult {
    for sender in Side::BOTH {
        let text = format!("headers of {sender:?}");
        let letter = Letter::text(&text).header("KEYS", "order-7 customer 9").header("region", "Süd \"x\"");
        pair.send(sender, "raw:created", &letter).await?;
        for had in raw(pair, &text).await {
            assert_eq!(
                (&had["keys"], &had["tag"]),
                (&json!("order-7 customer 9"), &json!("created")),
                "{had}"
            );
            assert_eq!(had["properties"]["region"], "Süd \"x\"", "{had}");
            let own = ["contentType", "id", "timestamp"].map(|name| had["properties"].get(name).is_some());
            assert_eq!(own, [sender == Side::Spring; 3], "{had}");
        }
        let text = format!("no header of {sender:?}");
        pair.send(sender, "raw", &Letter::text(&text)).await?;
        for had in raw(pair, &text).await {
            assert!(had["tag"].as_str().unwrap_or_default().is_empty(), "{had}");
            assert!(had["keys"].as_str().unwrap_or_default().is_empty(), "{had}");
        }
    }
    Ok(())
}

async fn other_ways_to_send(pair: &Pair) -> TestResult {
    for sender in Side::BOTH {
        for how in [How::Later, How::Oneway] {
            let text = format!("{how:?} by {sender:?}");
            pair.send(sender, "raw", &Letter::text(&text).how(how)).await?;
            raw(pair, &text).await;
        }
        let texts: Vec<String> = (0..5).map(|n| format!("{n} in a batch of {sender:?}")).collect();
        let bodies = texts.iter().cloned().map(Body::Text).collect();
        pair.send(sender, "raw:batch", &Letter { bodies, ..Letter::text("").how(How::Batch) }).await?;
        for text in &texts {
            for had in raw(pair, text).await {
                assert_eq!(had["tag"], "batch", "{had}");
            }
        }
    }
    Ok(())
}

/// Tags and SQL92 conditions select alike, whoever sends.
async fn selectors(pair: &Pair) -> TestResult {
    for sender in Side::BOTH {
        for (tag, region, amount) in
            [("a", "north", "6"), ("b", "north", "5"), ("c", "south", "7"), ("d", "north", "60")]
        {
            let text = format!("{tag} of {sender:?}");
            let letter = Letter::text(&text).header("region", region).header("amount", amount);
            pair.send(sender, &format!("picked:{tag}"), &letter).await?;
        }
    }
    for (listener, tags) in [("tags", ["a", "b"]), ("sql", ["a", "d"])] {
        let wanted = Side::BOTH.iter().flat_map(|side| tags.map(|tag| format!("{tag} of {side:?}")));
        let wanted: BTreeSet<String> = wanted.collect();
        for reader in Side::BOTH {
            let had = pair.journal(reader).several(listener, wanted.len(), |_| true).await;
            let had: BTreeSet<String> = had.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            assert_eq!(had, wanted, "{listener} of {reader:?}");
        }
    }
    Ok(())
}

/// A key means the same queue to both, so that messages of both keep one order.
async fn order(pair: &Pair) -> TestResult {
    let keys = ["customer-7", "Müller", "-2147483648", "polygenelubricants"];
    let mut queues: BTreeMap<&str, BTreeSet<Option<i32>>> = BTreeMap::new();
    for n in 0..12 {
        for key in keys {
            let (sender, how) = (Side::BOTH[n % 2], How::Ordered { key: key.to_owned() });
            let sent = pair.send(sender, &format!("ordered:{n}"), &Letter::text(key).how(how)).await?;
            queues.entry(key).or_default().insert(sent.queue);
        }
    }
    assert!(queues.values().all(|queues| queues.len() == 1), "one queue for each key: {queues:?}");
    for reader in Side::BOTH {
        pair.journal(reader).several("ordered", 12 * keys.len(), |_| true).await;
        for key in keys {
            let body = base64(key.as_bytes());
            let had = pair.journal(reader).several("ordered", 12, |value| value["body"] == body).await;
            let tags: Vec<&str> = had.iter().filter_map(|value| value["tag"].as_str()).collect();
            let wanted: Vec<String> = (0..12).map(|n| n.to_string()).collect();
            assert_eq!(tags, wanted, "{key} at {reader:?}");
        }
    }
    Ok(())
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

async fn delays(pair: &Pair) -> TestResult {
    let delay = u64::try_from(DELAY.as_millis())?;
    for sender in Side::BOTH {
        let begun = millis(SystemTime::now());
        let hows = [How::Level { level: 1 }, How::Delay { millis: delay }, How::At { millis: begun + delay }];
        let text = |how: &How| format!("{how:?} by {sender:?}");
        for how in &hows {
            pair.send(sender, "raw", &Letter::text(text(how)).how(how.clone())).await?;
        }
        for how in &hows {
            for had in raw(pair, &text(how)).await {
                let after = had["at"].as_u64().unwrap_or_default().saturating_sub(begun);
                // Apache's timer wheel turns every second, and rounds down.
                assert!(after >= delay - 200, "{how:?} by {sender:?} came after {after} ms");
            }
        }
    }
    Ok(())
}

/// One producer group has members in both programs: the broker asks either about the half messages of either.
async fn transactions(pair: &Pair) -> TestResult {
    for sender in Side::BOTH {
        for local in ["COMMIT", "ROLLBACK"] {
            let letter = Letter::text(format!("{local} at once by {sender:?}"));
            pair.send(sender, "raw", &letter.how(How::Transaction { local })).await?;
        }
    }
    let verdicts = || Side::BOTH.map(|judge| verdicts_of(pair, judge));
    let mut sent = 0;
    while !verdicts()
        .iter()
        .all(|judged| KINDS_OF_HALVES.iter().all(|kind| judged.iter().any(|text| text.starts_with(kind))))
    {
        assert!(sent < 10 * HALVES, "each is asked in its turn: {:#?}", verdicts());
        leave_undecided(pair, sent).await?;
        sent += HALVES;
        eventually("a verdict about each half message", 2 * PATIENCE, async || {
            verdicts().concat().len() >= sent
        })
        .await;
    }
    let at_once = Side::BOTH.map(|sender| format!("COMMIT at once by {sender:?}"));
    for text in verdicts().concat().iter().chain(&at_once).filter(|text| text.starts_with("COMMIT")) {
        raw(pair, text).await;
    }
    for reader in Side::BOTH {
        let seen = pair.journal(reader).of("raw");
        assert!(!seen.iter().any(|value| text_of(value).starts_with("ROLLBACK")), "{reader:?}");
    }
    Ok(())
}

/// Returns the half messages about which the broker asked a program.
fn verdicts_of(pair: &Pair, judge: Side) -> Vec<String> {
    pair.journal(judge).of("checked").iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Sends half messages of each kind. The broker asks the members in turn; an odd number makes the turns wander.
async fn leave_undecided(pair: &Pair, first: usize) -> TestResult {
    for n in 0..HALVES {
        let (sender, verdict) = (Side::BOTH[n / 2 % 2], ["COMMIT", "ROLLBACK"][n / 4 % 2]);
        let text = format!("{verdict} by {sender:?}, {}", first + n);
        let letter = Letter::text(text).header("verdict", verdict).how(How::Transaction { local: "UNKNOWN" });
        pair.send(sender, "raw", &letter).await?;
    }
    Ok(())
}

fn text_of(value: &Value) -> String {
    use base64::Engine as _;
    let body = value["body"].as_str().unwrap_or_default();
    String::from_utf8(base64::prelude::BASE64_STANDARD.decode(body).unwrap_or_default()).unwrap_or_default()
}

/// Replies are JSON, text and bytes, as the listener returns them.
async fn requests(pair: &Pair) -> TestResult {
    for (asker, topic) in [(Side::Spring, "ask-ours"), (Side::Ours, "ask-spring")] {
        let quote = pair.ask(asker, &format!("{topic}:order"), &Body::Order(an_order(7))).await?;
        assert_eq!((&quote["order"], quote["total"].as_f64()), (&json!(7), Some(199.0)), "{asker:?}");
        let text = pair.ask(asker, &format!("{topic}:text"), &Body::Text("Grüße".into())).await?;
        assert_eq!(text, "you said: Grüße", "{asker:?}");
        let bytes = pair.ask(asker, &format!("{topic}:bytes"), &Body::Bytes((0..=u8::MAX).collect())).await?;
        let reversed: Vec<u8> = (0..=u8::MAX).rev().collect();
        assert_eq!(bytes, base64(&reversed), "{asker:?}");
    }
    Ok(())
}

/// The group's queues are split between both programs; each message is handled once, and a failed one again by either.
async fn a_shared_group(pair: &Pair) -> TestResult {
    let mut probes = 0;
    eventually("each member of the group with queues of its own", 2 * PATIENCE, async || {
        probes += 1;
        let sent = pair.send(Side::BOTH[probes % 2], "shared", &Letter::text("probe")).await;
        sent.expect("a probe is sent");
        Side::BOTH.iter().all(|&side| !pair.journal(side).of("shared").is_empty())
    })
    .await;
    for n in 0..32 {
        pair.send(Side::BOTH[n % 2], "shared", &Letter::text(format!("steady {n}"))).await?;
    }
    for n in 0..4 {
        pair.send(Side::BOTH[n % 2], "shared:flaky", &Letter::text(format!("flaky {n}"))).await?;
    }
    let had = || Side::BOTH.map(|side| pair.journal(side).of("shared"));
    let all = || had().concat().iter().filter(|value| text_of(value) != "probe").count();
    eventually("32 messages, and 4 that come twice", 2 * PATIENCE, async || all() >= 40).await;
    let mut counts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for value in had().concat() {
        counts.entry(text_of(&value)).or_default().push(value["tries"].as_u64().unwrap_or_default());
    }
    counts.remove("probe");
    for (text, tries) in &counts {
        let wanted: &[u64] = if text.starts_with("flaky") { &[1, 2] } else { &[1] };
        assert_eq!(tries, wanted, "{text}");
    }
    for (side, had) in Side::BOTH.iter().zip(had()) {
        let share = had.iter().filter(|value| text_of(value).starts_with("steady")).count();
        assert!((8..=24).contains(&share), "{side:?} has {share} of 32 messages");
    }
    Ok(())
}

/// Each program reads the dead letters of the other's group: of messages that failed too often, and of one that the group
/// cannot read, which ours gives up at once and Spring after its tries.
async fn dead_letters(pair: &Pair) -> TestResult {
    for sender in Side::BOTH {
        pair.send(sender, "doomed", &Letter::new(Body::Order(an_order(9))).header("KEYS", "doomed")).await?;
        pair.send(sender, "doomed", &Letter::text("no order").header("KEYS", "unreadable")).await?;
    }
    for reader in Side::BOTH {
        let keyed = |key: &'static str| move |value: &Value| value["keys"] == key;
        let journal = pair.journal(reader);
        for had in journal.several("dead", 2, keyed("doomed")).await {
            let order: Order = serde_json::from_str(&text_of(&had))?;
            assert_eq!(order, an_order(9));
            assert_eq!(had["tries"], 3, "{reader:?}: {had}");
        }
        for had in journal.several("dead", 2, keyed("unreadable")).await {
            assert_eq!(text_of(&had), "no order");
        }
        assert_eq!(journal.several("doomed", 4, |_| true).await.len(), 4, "two messages, two tries each");
    }
    Ok(())
}
