//! Drives a load for a time, and measures it.

use std::time::{Duration, Instant};

use crate::Failure;

/// The arguments of a run.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    pub mode: &'a str,
    pub concurrency: usize,
    pub seconds: u64,
    pub body: usize,
}

impl<'a> Load<'a> {
    pub fn parse(mode: &'a str, words: &[&str]) -> Result<Self, Failure> {
        let [concurrency, seconds, body] = words else {
            return Err(format!("{mode} needs CONCURRENCY SECONDS BODY_BYTES, not {words:?}").into());
        };
        Ok(Self {
            mode,
            concurrency: number(concurrency)?,
            seconds: number(seconds)? as u64,
            body: number(body)?,
        })
    }

    /// Returns the body of every message.
    pub fn bytes(&self) -> bytes::Bytes {
        vec![b'x'; self.body].into()
    }

    /// Returns the counted part of the run, after one second of warm-up.
    fn window(&self) -> Window {
        let from = Instant::now() + Duration::from_secs(1);
        Window { from, to: from + Duration::from_secs(self.seconds) }
    }

    /// Lets each worker, which receives its number, send repeatedly until the time is over. Returns one line of JSON
    /// about all of them. A send returns the number of stored messages, or `None` if one of them was not stored.
    pub async fn drive<S, F>(&self, worker: impl Fn(usize) -> S) -> Result<String, Failure>
    where
        S: FnMut() -> F + Send + 'static,
        F: Future<Output = Option<u64>> + Send + 'static,
    {
        let window = self.window();
        let workers: Vec<_> =
            (0..self.concurrency).map(|number| tokio::spawn(work(worker(number), window))).collect();
        let mut tallies = Vec::new();
        for worker in workers {
            tallies.push(worker.await?);
        }
        Ok(self.report(tallies))
    }

    fn report(&self, tallies: Vec<Tally>) -> String {
        let messages: u64 = tallies.iter().map(|tally| tally.messages).sum();
        let failed: u64 = tallies.iter().map(|tally| tally.failed).sum();
        let latencies = Sorted::new(tallies.into_iter().flat_map(|tally| tally.latencies).collect());
        format!(
            r#"{{"client":"rust","mode":"{}","concurrency":{},"body":{},"msgs_per_s":{:.0},"p50_ms":{:.3},"p99_ms":{:.3},"max_ms":{:.3},"failed":{failed}}}"#,
            self.mode,
            self.concurrency,
            self.body,
            messages as f64 / self.seconds as f64,
            latencies.quantile(0.5) / 1000.0,
            latencies.quantile(0.99) / 1000.0,
            latencies.quantile(1.0) / 1000.0,
        )
    }
}

pub fn number(word: &str) -> Result<usize, Failure> {
    word.parse().map_err(|_| format!("{word} is not a number").into())
}

/// The begin and the end of the count.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: Instant,
    to: Instant,
}

/// The measurements of one worker.
#[derive(Debug, Default)]
struct Tally {
    /// In microseconds.
    latencies: Vec<i64>,
    messages: u64,
    failed: u64,
}

async fn work<F: Future<Output = Option<u64>>>(mut send: impl FnMut() -> F, window: Window) -> Tally {
    let mut tally = Tally::default();
    let mut begun = Instant::now();
    while begun < window.to {
        let stored = send().await;
        let now = Instant::now();
        match stored {
            Some(messages) if begun >= window.from && now <= window.to => {
                tally.latencies.push(i64::try_from((now - begun).as_micros()).unwrap_or(i64::MAX));
                tally.messages += messages;
            }
            Some(_) => (),
            None => tally.failed += 1,
        }
        begun = now;
    }
    tally
}

/// Values in ascending order.
pub struct Sorted(Vec<i64>);

impl Sorted {
    pub fn new(mut values: Vec<i64>) -> Self {
        values.sort_unstable();
        Self(values)
    }

    /// Returns the value that the given part of all values does not exceed; 0 without values.
    pub fn quantile(&self, part: f64) -> f64 {
        let at = ((self.0.len() as f64 * part) as usize).min(self.0.len().saturating_sub(1));
        self.0.get(at).map_or(0.0, |value| *value as f64)
    }
}
