//! `statsAll`: rates of topics and groups.

use std::fmt;

use clap::Args;
use rocketmq_remoting::body::BrokerStatsData;
use rocketmq_remoting::requests::broker::ViewBrokerStatsDataRequest;
use rocketmq_remoting::{Json, names};
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;
use crate::text::front;

/// Show rates, lag and the messages of a day of all topics and groups
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin statsAll -n 127.0.0.1:9876 -a")]
pub struct StatsAll {
    /// Leave out topics without messages in the last day
    #[arg(short = 'a', long = "activeTopic")]
    pub active_topic: bool,
    /// Show one topic only
    #[arg(short = 't', long)]
    pub topic: Option<String>,
}

reports!(StatsAll);

impl StatsAll {
    /// Asks for the rates. What a broker has no statistic of counts as 0.
    ///
    /// # Errors
    /// No name server answers.
    pub async fn report(&self, admin: &Admin) -> Result<StatsReport, Failure> {
        let mut rows = Vec::new();
        for topic in admin.topics().await? {
            let wanted = self.topic.as_ref().is_none_or(|it| it.is_empty() || *it == topic);
            if wanted && !names::is_retry(&topic) && !names::is_dlq(&topic) {
                rows.extend(rows_of(admin, &topic).await);
            }
        }
        rows.retain(|row| !self.active_topic || row.in_day > 0 || row.out_day > 0);
        Ok(StatsReport { rows })
    }
}

/// A topic that is deleted meanwhile has no rows.
async fn rows_of(admin: &Admin, topic: &str) -> Vec<TopicStats> {
    let (Ok(route), Ok(groups)) = (admin.route(topic).await, admin.groups_of(topic).await) else {
        return Vec::new();
    };
    let masters: Vec<_> = route.broker_datas.iter().filter_map(|broker| broker.master()).collect();
    let (in_tps, in_day) = sum(admin, &masters, "TOPIC_PUT_NUMS", topic).await;
    let without = TopicStats { topic: topic.to_owned(), in_tps, in_day, ..TopicStats::default() };
    if groups.is_empty() {
        return vec![without];
    }
    let mut rows = Vec::new();
    for group in groups {
        let (out_tps, out_day) = sum(admin, &masters, "GROUP_GET_NUMS", &format!("{topic}@{group}")).await;
        let progress = admin.consume_stats(&group, Some(topic), None).await.unwrap_or_default();
        let lags =
            progress.offset_table.values().map(|at| at.broker_offset.saturating_sub(at.consumer_offset));
        let accumulation = lags.fold(0, i64::saturating_add).max(0);
        rows.push(TopicStats { group: Some(group), accumulation, out_tps, out_day, ..without.clone() });
    }
    rows
}

/// The rate of the last minute and the sum of a day, over all masters.
async fn sum(admin: &Admin, masters: &[&str], name: &str, key: &str) -> (f64, i64) {
    let (mut rate, mut day) = (0.0, 0i64);
    for master in masters {
        let request = ViewBrokerStatsDataRequest { stats_name: name.to_owned(), stats_key: key.to_owned() };
        if let Ok(Json(stats)) = admin.call(master, &request, ()).await {
            (rate, day) = (rate + stats.stats_minute.tps, day.saturating_add(of_day(&stats)));
        }
    }
    (rate, day)
}

/// A broker that has run for less than a day has the sum of its longest span.
fn of_day(stats: &BrokerStatsData) -> i64 {
    let spans = [&stats.stats_day, &stats.stats_hour, &stats.stats_minute];
    spans.into_iter().map(|span| span.sum).find(|sum| *sum != 0).unwrap_or(0)
}

/// Rates of topics and groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatsReport {
    /// By topic, in the order of the name server.
    pub rows: Vec<TopicStats>,
}

/// Rates of a topic and one of its groups.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicStats {
    /// The topic.
    pub topic: String,
    /// The group; `None` for a topic that nobody consumes.
    pub group: Option<String>,
    /// The messages that the group has not consumed.
    pub accumulation: i64,
    /// Messages stored per second.
    pub in_tps: f64,
    /// Messages handed to the group per second.
    pub out_tps: f64,
    /// Messages stored in the last day.
    pub in_day: i64,
    /// Messages handed to the group in the last day.
    pub out_day: i64,
}

impl fmt::Display for StatsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<64}  {:<64} {:>12} {:>11} {:>11} {:>14} {:>14}",
            "#Topic",
            "#Consumer Group",
            "#Accumulation",
            "#InTPS",
            "#OutTPS",
            "#InMsg24Hour",
            "#OutMsg24Hour"
        )?;
        for row in &self.rows {
            let (out, day) = match row.group {
                Some(_) => (format!("{:.2}", row.out_tps), row.out_day.to_string()),
                None => (String::new(), "NO_CONSUMER".into()),
            };
            writeln!(
                f,
                "{:<64}  {:<64} {:>12} {:>11.2} {out:>11} {:>14} {day:>14}",
                front(&row.topic, 64),
                front(row.group.as_deref().unwrap_or_default(), 64),
                row.accumulation,
                row.in_tps,
                row.in_day
            )?;
        }
        Ok(())
    }
}
