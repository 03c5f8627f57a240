//! `clusterList`: the brokers and their load.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde::Serialize;

use crate::admin::{Admin, Broker};
use crate::command::Run;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// List the brokers of all clusters, with version and load
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin clusterList -n 127.0.0.1:9876")]
pub struct ClusterList {
    /// Count the messages of yesterday and today
    #[arg(short = 'm', long = "moreStats")]
    pub more_stats: bool,
    /// Repeat after this many seconds, for ever
    #[arg(short = 'i', long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub interval: Option<u64>,
    /// Show one cluster only
    #[arg(short = 'c', long = "clusterName", value_name = "CLUSTER")]
    pub cluster: Option<String>,
}

impl Run for ClusterList {
    async fn run(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        loop {
            if self.more_stats {
                let report = self.totals(admin, terminal).await?;
                terminal.show(&report)?;
            } else {
                let report = self.figures(admin, terminal).await?;
                terminal.show(&report)?;
            }
            let Some(seconds) = self.interval else { return Ok(()) };
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    }
}

impl ClusterList {
    async fn figures(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<ClusterFigures, Failure> {
        let mut report = ClusterFigures { brokers: Vec::new() };
        for broker in admin.brokers(self.cluster.as_deref()).await? {
            let figures = figures_of(admin, &broker, terminal).await;
            report.brokers.push(BrokerFigures::read(broker, &figures));
        }
        Ok(report)
    }

    async fn totals(&self, admin: &Admin, terminal: &mut Terminal<'_>) -> Result<ClusterTotals, Failure> {
        let mut report = ClusterTotals { brokers: Vec::new() };
        for broker in admin.brokers(self.cluster.as_deref()).await? {
            let figures = figures_of(admin, &broker, terminal).await;
            report.brokers.push(BrokerTotals::read(broker, &figures));
        }
        Ok(report)
    }
}

/// A broker that does not answer has a row without figures.
async fn figures_of(admin: &Admin, broker: &Broker, terminal: &mut Terminal<'_>) -> BTreeMap<String, String> {
    admin.runtime_info(&broker.address).await.unwrap_or_else(|failure| {
        terminal.warn(format_args!("{} has no figures: {failure}", broker.name));
        BTreeMap::new()
    })
}

/// The brokers of clusters and their load.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClusterFigures {
    /// By cluster, name and id.
    pub brokers: Vec<BrokerFigures>,
}

/// The load of one broker. The queues are those of requests that wait for a thread, with the wait of the first in ms.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields bear the names of the broker's figures")]
pub struct BrokerFigures {
    #[serde(flatten)]
    pub broker: Broker,
    pub version: String,
    pub in_tps: f64,
    pub send_queue_size: String,
    pub send_queue_wait_ms: String,
    pub out_tps: f64,
    pub pull_queue_size: String,
    pub pull_queue_wait_ms: String,
    pub ack_queue_size: String,
    pub ack_queue_wait_ms: String,
    /// The timers that the broker has still to read, in seconds of the wheel and in messages.
    pub timer_read_behind: i64,
    pub timer_offset_behind: i64,
    pub timer_congested: i64,
    pub timer_enqueue_tps: f32,
    pub timer_dequeue_tps: f32,
    /// The time for which the page cache has been locked, in ms.
    pub page_cache_wait_ms: String,
    /// The age of the first message, in hours.
    pub hours: f64,
    /// The part of the disk in use, of 1.
    pub disk_ratio: f64,
    pub active: bool,
}

impl BrokerFigures {
    fn read(broker: Broker, figures: &BTreeMap<String, String>) -> Self {
        let text = |name: &str| figures.get(name).cloned().unwrap_or_default();
        let or_n = |name: &str| figures.get(name).cloned().unwrap_or_else(|| "N".into());
        Self {
            broker,
            version: text("brokerVersionDesc"),
            in_tps: rate(figures, "putTps"),
            send_queue_size: text("sendThreadPoolQueueSize"),
            send_queue_wait_ms: text("sendThreadPoolQueueHeadWaitTimeMills"),
            // The spelling of 4.x.
            out_tps: rate(figures, "getTransferredTps").max(rate(figures, "getTransferedTps")),
            pull_queue_size: text("pullThreadPoolQueueSize"),
            pull_queue_wait_ms: text("pullThreadPoolQueueHeadWaitTimeMills"),
            ack_queue_size: or_n("ackThreadPoolQueueSize"),
            ack_queue_wait_ms: or_n("ackThreadPoolQueueHeadWaitTimeMills"),
            timer_read_behind: number(figures, "timerReadBehind"),
            timer_offset_behind: number(figures, "timerOffsetBehind"),
            timer_congested: number(figures, "timerCongestNum"),
            timer_enqueue_tps: figures.get("timerEnqueueTps").and_then(|t| t.parse().ok()).unwrap_or(0.0),
            timer_dequeue_tps: figures.get("timerDequeueTps").and_then(|t| t.parse().ok()).unwrap_or(0.0),
            page_cache_wait_ms: text("pageCacheLockTimeMills"),
            hours: figures.get("earliestMessageTimeStamp").map_or(0.0, |since| hours_since(since)),
            disk_ratio: figures.get("commitLogDiskRatio").and_then(|t| t.parse().ok()).unwrap_or(0.0),
            active: figures.get("brokerActive").is_some_and(|it| it.eq_ignore_ascii_case("true")),
        }
    }
}

fn number(figures: &BTreeMap<String, String>, name: &str) -> i64 {
    figures.get(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The first of a figure's three rates: of the last 10 s.
fn rate(figures: &BTreeMap<String, String>, name: &str) -> f64 {
    let first = figures.get(name).and_then(|text| text.split(' ').next());
    first.and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

fn hours_since(ms: &str) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_millis() as f64);
    ms.parse::<f64>().map_or(0.0, |since| (now - since) / 3_600_000.0)
}

impl fmt::Display for ClusterFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<22}  {:<22}  {:<4}  {:<22} {:<16}  {:>16}  {:>30}  {:<22}  {:<11}  {:<12}  {:<8}  {:<10}",
            "#Cluster Name",
            "#Broker Name",
            "#BID",
            "#Addr",
            "#Version",
            "#InTPS(LOAD)",
            "#OutTPS(LOAD)",
            "#Timer(Progress)",
            "#PCWait(ms)",
            "#Hour",
            "#SPACE",
            "#ACTIVATED"
        )?;
        self.brokers.iter().try_for_each(|broker| writeln!(f, "{broker}"))
    }
}

impl fmt::Display for BrokerFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Broker { cluster, name, id, address } = &self.broker;
        let load = format!("{:9.2}({},{}ms)", self.in_tps, self.send_queue_size, self.send_queue_wait_ms);
        let out = format!(
            "{:9.2}({},{}ms|{},{}ms)",
            self.out_tps,
            self.pull_queue_size,
            self.pull_queue_wait_ms,
            self.ack_queue_size,
            self.ack_queue_wait_ms
        );
        let timer = format!(
            "{}-{}({:.1}w, {:.1}, {:.1})",
            self.timer_read_behind,
            self.timer_offset_behind,
            self.timer_congested as f64 / 10_000.0,
            self.timer_enqueue_tps,
            self.timer_dequeue_tps
        );
        write!(
            f,
            "{cluster:<22}  {name:<22}  {id:<4}  {address:<22} {:<16}  {load:>16}  {out:>30}  {timer:<22}  {:>11}  {:<12}  {:<8}  {:>10}",
            self.version,
            self.page_cache_wait_ms,
            format!("{:.2}", self.hours),
            format!("{:.4}", self.disk_ratio),
            self.active
        )
    }
}

/// The messages that brokers took and handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterTotals {
    /// By cluster, name and id.
    pub brokers: Vec<BrokerTotals>,
}

/// The messages that one broker took and handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields bear the names of the columns")]
pub struct BrokerTotals {
    #[serde(flatten)]
    pub broker: Broker,
    pub in_total_yesterday: i64,
    pub out_total_yesterday: i64,
    pub in_total_today: i64,
    pub out_total_today: i64,
}

impl BrokerTotals {
    fn read(broker: Broker, figures: &BTreeMap<String, String>) -> Self {
        let between = |from: &str, to: &str| number(figures, to).saturating_sub(number(figures, from));
        Self {
            broker,
            in_total_yesterday: between("msgPutTotalYesterdayMorning", "msgPutTotalTodayMorning"),
            out_total_yesterday: between("msgGetTotalYesterdayMorning", "msgGetTotalTodayMorning"),
            in_total_today: between("msgPutTotalTodayMorning", "msgPutTotalTodayNow"),
            out_total_today: between("msgGetTotalTodayMorning", "msgGetTotalTodayNow"),
        }
    }
}

impl fmt::Display for ClusterTotals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<16}  {:<32} {:>14} {:>14} {:>14} {:>14}",
            "#Cluster Name",
            "#Broker Name",
            "#InTotalYest",
            "#OutTotalYest",
            "#InTotalToday",
            "#OutTotalToday"
        )?;
        for it in &self.brokers {
            writeln!(
                f,
                "{:<16}  {:<32} {:>14} {:>14} {:>14} {:>14}",
                it.broker.cluster,
                it.broker.name,
                it.in_total_yesterday,
                it.out_total_yesterday,
                it.in_total_today,
                it.out_total_today
            )?;
        }
        Ok(())
    }
}
