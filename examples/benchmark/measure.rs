//! How much load, for how long, and what came of it.

use std::time::{Duration, Instant};

use crate::Failure;

/// What a run is asked to do.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub mode: &'static str,
    pub concurrency: usize,
    pub seconds: u64,
    pub body: usize,
}

impl Load {
    pub fn parse(mode: &'static str, words: &[&str]) -> Result<Self, Failure> {
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

    /// The counted part of the run, after one second of warm-up.
    pub fn window(&self) -> Window {
        let from = Instant::now() + Duration::from_secs(1);
        Window { from, to: from + Duration::from_secs(self.seconds) }
    }
}

pub fn number(word: &str) -> Result<usize, Failure> {
    word.parse().map_err(|_| format!("{word} is not a number").into())
}

/// When counting begins and ends.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    from: Instant,
    to: Instant,
}

impl Window {
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.to
    }
}

/// What one worker saw.
#[derive(Debug, Default)]
pub struct Tally {
    latencies: Vec<u32>,
    messages: u64,
    failed: u64,
}

impl Tally {
    /// Counts a success of `messages` messages that was begun at `begun` and ended just now.
    pub fn ok(&mut self, window: &Window, begun: Instant, messages: u64) {
        let now = Instant::now();
        if begun >= window.from && now <= window.to {
            self.latencies.push(u32::try_from((now - begun).as_micros()).unwrap_or(u32::MAX));
            self.messages += messages;
        }
    }

    pub fn failed(&mut self) {
        self.failed += 1;
    }

    /// One line of JSON over what all workers saw.
    pub fn report(load: &Load, tallies: Vec<Tally>) -> String {
        let messages: u64 = tallies.iter().map(|tally| tally.messages).sum();
        let failed: u64 = tallies.iter().map(|tally| tally.failed).sum();
        let mut latencies: Vec<u32> = tallies.into_iter().flat_map(|tally| tally.latencies).collect();
        latencies.sort_unstable();
        let quantile = |q: f64| {
            let at = ((latencies.len() as f64 * q) as usize).min(latencies.len().saturating_sub(1));
            latencies.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
        };
        format!(
            r#"{{"client":"rust","mode":"{}","concurrency":{},"body":{},"msgs_per_s":{:.0},"p50_ms":{:.3},"p99_ms":{:.3},"max_ms":{:.3},"failed":{failed}}}"#,
            load.mode,
            load.concurrency,
            load.body,
            messages as f64 / load.seconds as f64,
            quantile(0.5),
            quantile(0.99),
            quantile(1.0),
        )
    }
}
