//! `/metrics`: everything that the facade `metrics` was told, in Prometheus' text form.

use crate::context::Context;
use crate::web::Shown;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics::{describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

const READY: &str = "rocketmq_listener_ready";

/// The recorder of this process, or nothing if the application has installed one of its own.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder. It must be there before clients connect.
pub(super) fn install() {
    let installed = RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).ok().map(|()| handle)
    });
    describe_gauge!(READY, "1 while the listener gets messages as soon as there are some, else 0");
    if installed.is_none() {
        tracing::warn!(
            "the application has a recorder of metrics of its own: `/metrics` has nothing to show"
        );
    }
}

pub(super) async fn show(State(shown): State<Shown>) -> Response {
    let Some(handle) = RECORDER.get().and_then(Option::as_ref) else {
        let why = "the application has a recorder of metrics of its own: scrape that\n";
        return (StatusCode::NOT_FOUND, why).into_response();
    };
    shown.get().into_iter().for_each(record);
    handle.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
}

/// Records what is known only when it is asked for.
fn record(context: &Context) {
    for listener in context.health().listeners {
        let ready = if listener.is_ready() { 1.0 } else { 0.0 };
        let labels = [("listener", listener.name), ("group", listener.group), ("topic", listener.topic)];
        gauge!(READY, &labels).set(ready);
    }
}
