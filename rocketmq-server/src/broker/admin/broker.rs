//! The broker itself as tools see it: settings (25, 26), figures (28), cleaning (306, 329).

use std::collections::BTreeMap;

use rocketmq_remoting::body::broker::HaRuntimeInfo;
use rocketmq_remoting::body::table::KvTable;
use rocketmq_remoting::requests::broker::{
    CleanExpiredConsumeQueueRequest, DeleteExpiredCommitLogRequest, GetBrokerConfigRequest,
    GetBrokerConfigResponse, GetBrokerHaStatusRequest, GetBrokerRuntimeInfoRequest,
    UpdateBrokerConfigRequest, ViewBrokerStatsDataRequest,
};
use rocketmq_remoting::{Json, fastjson, version};

use super::parts::Parts;
use crate::broker::delay::levels::queue_of_level;
use crate::broker::names::{SCHEDULE_TOPIC, TIMER_TOPIC};
use crate::broker::settings::Apache;
use crate::broker::settings::live_config::UpdateError;
use crate::broker::stats::counters::Totals;
use crate::exchange::{Asked, Refusal, Response};

/// The version of Apache's broker that this one behaves like, for tools.
fn shown_version(version: Apache) -> (&'static str, i32) {
    match version {
        Apache::V4_9_7 => ("V4_9_7", version::V4_9_7),
        Apache::V5_4_0 => ("V5_4_0", version::V5_4_0),
    }
}

/// GET_BROKER_CONFIG (26): every setting as `key=value` lines.
pub(crate) fn get_config(
    parts: &Parts,
    _: Asked<'_, GetBrokerConfigRequest>,
) -> Response<GetBrokerConfigRequest> {
    let version = Some(fastjson::to_text(&parts.topics.snapshot().data_version)?);
    Ok((GetBrokerConfigResponse { version }, parts.settings.source.lock().properties()))
}

/// UPDATE_BROKER_CONFIG (25).
pub(crate) fn update_config(
    parts: &Parts,
    asked: Asked<'_, UpdateBrokerConfigRequest>,
) -> Response<UpdateBrokerConfigRequest> {
    change_settings(parts, &asked.body)
}

/// Changes settings as `key=value` lines say.
///
/// # Errors
/// A setting that cannot be changed, or a value that makes no sense.
pub(crate) fn change_settings(parts: &Parts, properties: &str) -> Result<(), Refusal> {
    let live = parts.settings.source.lock();
    let settings = live.update(properties).map_err(refuse_update)?;
    parts.tune(settings).map_err(Refusal::system)
}

fn refuse_update(error: UpdateError) -> Refusal {
    match error {
        UpdateError::BlackListed { .. } => Refusal::forbidden(error.to_string()),
        UpdateError::Unwritable { .. } => Refusal::system(error),
        _ => Refusal::invalid(error),
    }
}

/// GET_BROKER_HA_STATUS (907): a master without slaves.
pub(crate) fn ha_status(
    parts: &Parts,
    _: Asked<'_, GetBrokerHaStatusRequest>,
) -> Response<GetBrokerHaStatusRequest> {
    Ok(Json(HaRuntimeInfo {
        master: parts.settings.fixed.broker_id == 0,
        master_commit_log_max_offset: parts.log.store.max_physical_offset(),
        ..HaRuntimeInfo::default()
    }))
}

/// VIEW_BROKER_STATS_DATA (315): one figure of a topic or a group.
pub(crate) fn stats_data(
    parts: &Parts,
    asked: Asked<'_, ViewBrokerStatsDataRequest>,
) -> Response<ViewBrokerStatsDataRequest> {
    let request = asked.header;
    match parts.log.stats.traffic.data(&request.stats_name, &request.stats_key) {
        Some(data) => Ok(Json(data)),
        None => Err(Refusal::system(format_args!(
            "The stats <{}> <{}> not exist",
            request.stats_name, request.stats_key
        ))),
    }
}

/// CLEAN_EXPIRED_CONSUMEQUEUE (306).
pub(crate) fn clean_expired(
    parts: &Parts,
    _: Asked<'_, CleanExpiredConsumeQueueRequest>,
) -> Response<CleanExpiredConsumeQueueRequest> {
    parts.log.store.delete_expired().map_err(Refusal::system)?;
    Ok(())
}

/// DELETE_EXPIRED_COMMITLOG (329): not only at the hour for it.
pub(crate) fn delete_expired(
    parts: &Parts,
    _: Asked<'_, DeleteExpiredCommitLogRequest>,
) -> Response<DeleteExpiredCommitLogRequest> {
    parts.log.store.request_deletion();
    parts.log.store.delete_expired().map(drop).map_err(Refusal::system)
}

/// GET_BROKER_RUNTIME_INFO (28): the figures of 5.4.0, and those of 4.9.7 under their old spelling.
pub(crate) fn runtime_info(
    parts: &Parts,
    _: Asked<'_, GetBrokerRuntimeInfoRequest>,
) -> Response<GetBrokerRuntimeInfoRequest> {
    let mut figures = Figures::default();
    identity(parts, &mut figures);
    traffic(parts, &mut figures);
    storage(parts, &mut figures);
    queues(&mut figures);
    waiting(parts, &mut figures);
    Ok(Json(KvTable { table: figures.table }))
}

#[derive(Debug, Default)]
struct Figures {
    table: BTreeMap<String, String>,
}

impl Figures {
    fn put(&mut self, key: impl Into<String>, value: impl ToString) {
        self.table.insert(key.into(), value.to_string());
    }

    /// Rates stand behind each other with a blank after the last.
    fn put_rates(&mut self, key: &str, rates: [f64; 3]) {
        self.put(key, rates.map(|rate| format!("{rate} ")).concat());
    }
}

fn identity(parts: &Parts, figures: &mut Figures) {
    let seconds = (parts.log.now() - parts.started_at).max(0) / 1000;
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    figures.put("brokerActive", true);
    let (name, ordinal) = shown_version(parts.settings.fixed.apache_version);
    figures.put("brokerVersionDesc", name);
    figures.put("brokerVersion", ordinal);
    figures.put("bootTimestamp", parts.started_at);
    figures.put("runtime", format!("[ {days} days, {hours} hours, {minutes} minutes, {seconds} seconds ]"));
    figures.put("startAcceptSendRequestTimeStamp", parts.settings.live().accept_sends_from);
}

fn traffic(parts: &Parts, figures: &mut Figures) {
    let stats = &parts.log.stats;
    let now = stats.counters.totals();
    let (yesterday, today) = stats.mornings();
    for (key, totals) in [("YesterdayMorning", yesterday), ("TodayMorning", today), ("TodayNow", now)] {
        figures.put(format!("msgPutTotal{key}"), totals.put_messages);
        figures.put(format!("msgGetTotal{key}"), totals.get_messages);
    }
    figures.put_rates("putTps", stats.rates(|totals| totals.put_messages));
    figures.put_rates("getFoundTps", stats.rates(|totals| totals.get_found));
    figures.put_rates("getMissTps", stats.rates(|totals| totals.get_miss));
    figures.put_rates("getTotalTps", stats.rates(|totals| totals.get_found + totals.get_miss));
    let transferred = stats.rates(|totals| totals.get_messages);
    figures.put_rates("getTransferredTps", transferred);
    figures.put_rates("getTransferedTps", transferred);
    put_figures(&now, figures);
}

fn put_figures(now: &Totals, figures: &mut Figures) {
    let average = if now.put_messages == 0 { 0.0 } else { now.put_bytes as f64 / now.put_messages as f64 };
    figures.put("putMessageTimesTotal", now.put_messages);
    figures.put("putMessageSizeTotal", now.put_bytes);
    figures.put("putMessageFailedTimes", now.put_failed);
    figures.put("deletedUnreadMessages", now.deleted_unread);
    figures.put("putMessageAverageSize", average);
    figures.put("setAsideMessages", now.set_aside);
    figures.put("putMessageDistributeTime", format!("[<=0ms]:{} ", now.put_messages));
    for unmeasured in ["putMessageEntireTimeMax", "getMessageEntireTimeMax", "putLatency99", "putLatency999"]
    {
        figures.put(unmeasured, 0);
    }
}

fn storage(parts: &Parts, figures: &mut Figures) {
    let store = &parts.log.store;
    // Whole percents, as Apache rounds them.
    let used = (store.disk_used().unwrap_or(0.0) * 100.0).ceil() / 100.0;
    let unflushed = store.max_physical_offset() - store.flushed_physical_offset();
    figures.put("commitLogMinOffset", store.min_physical_offset());
    figures.put("commitLogMaxOffset", store.max_physical_offset());
    figures.put("remainHowManyDataToFlush", format!("{unflushed} B"));
    figures.put("dispatchBehindBytes", 0);
    figures.put("dispatchMaxBuffer", 0);
    figures.put("pageCacheLockTimeMills", 0);
    figures.put("remainTransientStoreBufferNumbs", i32::MAX);
    let earliest = store.read_at(store.min_physical_offset()).map_or(-1, |record| record.store_timestamp);
    figures.put("earliestMessageTimeStamp", earliest);
    if let Ok(space) = store.disk_space() {
        let (total, free) = (gib(space.used.saturating_add(space.available)), gib(space.available));
        figures.put("commitLogDirCapacity", format!("Total : {total}, Free : {free}."));
    }
    figures.put("damagedRecords", store.damaged_records());
    figures.put("commitLogDiskRatio", used);
    figures
        .put(format!("commitLogDiskRatio_{}", parts.settings.fixed.store.commit_log_dir().display()), used);
    figures.put("consumeQueueDiskRatio", used);
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64)
}

/// This broker has no thread pools and no queues before them: requests are handled as they are read.
fn queues(figures: &mut Figures) {
    for pool in ["send", "pull", "litePull", "query", "ack"] {
        figures.put(format!("{pool}ThreadPoolQueueSize"), 0);
        figures.put(format!("{pool}ThreadPoolQueueHeadWaitTimeMills"), 0);
        figures.put(format!("{pool}ThreadPoolQueueCapacity"), 10_000);
    }
    figures.put("EndTransactionQueueSize", 0);
    figures.put("EndTransactionThreadPoolQueueCapacity", 100_000);
}

/// Messages that wait for their time.
fn waiting(parts: &Parts, figures: &mut Figures) {
    for (level, next) in parts.delay.snapshot() {
        let max = parts.log.store.max_offset(SCHEDULE_TOPIC, queue_of_level(level));
        figures.put(format!("scheduleMessageOffset_{level}"), format!("{next},{max}"));
    }
    let behind = parts.log.store.max_offset(TIMER_TOPIC, 0) - parts.timer.read_offset();
    figures.put("timerReadBehind", 0);
    figures.put("timerOffsetBehind", behind);
    figures.put("timerCongestNum", parts.timer.pending());
    figures.put("timerEnqueueTps", 0.0);
    figures.put("timerDequeueTps", 0.0);
}
